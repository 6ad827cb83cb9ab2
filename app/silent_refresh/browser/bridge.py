"""Finds ``bridge.js``, the JavaScript side of this folder.

Under a strict Content-Security-Policy no text may be run as code, so there the page names the file
in its pyscript.toml:

    [js_modules.main]
    "/app/silent_refresh/browser/bridge.js" = "silent_refresh_bridge"

Elsewhere, in bare Pyodide say, the text that comes with this package is run.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from pyodide.code import run_js
from pyodide.ffi import JsException

NAME = "silent_refresh_bridge"


@functools.cache
def load_bridge() -> Any:
    """Return the module's exports. Raises ``RuntimeError`` that says what the page must add."""
    try:
        from pyscript import js_modules

        return getattr(js_modules, NAME)
    except (ImportError, AttributeError):
        pass  # no PyScript, or its configuration doesn't name the file
    text = Path(__file__).with_name("bridge.js").read_text(encoding="utf-8")
    body, _, exports = text.rpartition("export ")
    try:
        return run_js(f"(() => {{\n{body}return {exports}}})()")
    except JsException as error:
        raise RuntimeError(
            "this page's Content-Security-Policy lets no text run as code, so it must load silent-refresh's "
            f'bridge.js as a file: in pyscript.toml, under [js_modules.main], add "<its URL>" = "{NAME}"'
        ) from error
