"""Finds ``bridge.js``, the JavaScript side of this folder.

Under a strict Content-Security-Policy no text may be run as code, so there the page names the file
in its pyscript.toml:

    [js_modules.main]
    "/app/silent_refresh/browser/bridge.js" = "silent_refresh_bridge"
    [js_modules.worker]
    "/app/silent_refresh/browser/bridge.js" = "silent_refresh_worker"

Elsewhere, in bare Pyodide say, the text that comes with this package is run.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import JsException

IN_WORKER = hasattr(js, "WorkerGlobalScope")
# A worker that asks for a module of the page's gets that very one, across the threads, and it's no use there.
NAME, SECTION = ("silent_refresh_worker", "worker") if IN_WORKER else ("silent_refresh_bridge", "main")


@functools.cache
def load_bridge() -> Any:
    """Return the module's exports. Raises ``RuntimeError`` that says what the page must add."""
    try:
        # PyScript's own; `pyscript` has it too, and loads a dozen modules first.
        from polyscript import js_modules

        return getattr(js_modules, NAME)
    except (ImportError, AttributeError):
        pass  # no PyScript, or its configuration doesn't name the file
    remedy = (
        "so it must load silent-refresh's bridge.js as a file: in pyscript.toml, under "
        f'[js_modules.{SECTION}], add "<its URL>" = "{NAME}"'
    )
    try:
        text = Path(__file__).with_name("bridge.js").read_text(encoding="utf-8")
        body, _, exports = text.rpartition("export ")
        return run_js(f"(() => {{\n{body}return {exports}}})()")
    except JsException as error:
        raise RuntimeError(
            f"this page's Content-Security-Policy lets no text run as code, {remedy}"
        ) from error
    except FileNotFoundError as error:
        raise RuntimeError(f"this page has the library's Python files alone, {remedy}") from error
