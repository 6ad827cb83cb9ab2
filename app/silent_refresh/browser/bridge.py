"""Finds ``bridge.js``, the JavaScript side of this folder.

Under a strict Content-Security-Policy no text may be run as code, so there the page names the file
in its pyscript.toml:

    [js_modules.main]
    "/app/silent_refresh/browser/bridge.js" = "silent_refresh_bridge"
    [js_modules.worker]
    "/app/silent_refresh/browser/bridge.js" = "silent_refresh_worker"

Bare Pyodide has ``registerJsModule`` for that. Elsewhere the text that comes with this package is run.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import JsException

# Asked of the object itself: an element can have any name that the page's global object lacks.
IN_WORKER = "Worker" in str(js.Object.prototype.toString.call(js.globalThis))
# PyScript's workers have a page, whose session they share; a worker of another host is by itself.
HAS_PAGE = IN_WORKER and importlib.util.find_spec("polyscript") is not None
# A worker that asks for a module of the page's gets that very one, across the threads, and it's no use there.
NAME, SECTION = ("silent_refresh_worker", "worker") if IN_WORKER else ("silent_refresh_bridge", "main")


def run_text(name: str) -> Any:
    """Return what a module of this folder exports, its text run. Raises ``JsException``, ``OSError``."""
    loader: Any = __spec__.loader  # reads from an archive, too
    text = loader.get_data(str(Path(__file__).with_name(name))).decode()
    body, _, exports = text.rpartition("export ")
    return run_js(f"(() => {{\n{body}return {exports}}})()")


def named_bridge() -> Any:
    """Return the module that the page's configuration names; ``None`` where it names none."""
    try:
        # PyScript's own; `pyscript` has it too, and loads a dozen modules first.
        from polyscript import js_modules

        return getattr(js_modules, NAME)
    except (ImportError, AttributeError):
        pass  # no PyScript, or its configuration doesn't name the file
    with contextlib.suppress(ImportError):  # what a page of bare Pyodide has registered
        return importlib.import_module(NAME)
    return None


@functools.cache
def load_bridge() -> Any:
    """Return the module's exports. Raises ``RuntimeError`` that says what the page must add."""
    named = named_bridge()
    if named is not None:
        return named
    remedy = (
        "so it must load silent-refresh's bridge.js as a file: in pyscript.toml, under "
        f'[js_modules.{SECTION}], add "<its URL>" = "{NAME}"; in bare Pyodide, '
        f'pyodide.registerJsModule("{NAME}", await import("<its URL>"))'
    )
    try:
        return run_text("bridge.js")
    except JsException as error:
        raise RuntimeError(
            f"this page's Content-Security-Policy lets no text run as code, {remedy}"
        ) from error
    except OSError as error:
        raise RuntimeError(f"this page has the library's Python files alone, {remedy}") from error
