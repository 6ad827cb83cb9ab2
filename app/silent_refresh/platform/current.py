"""Finds the browser that this Python runs in: here is the library's one lazy import of ``browser/``."""

from __future__ import annotations

import sys

from .platform import Platform

OLDEST = "0.26.2"  # of Pyodide: what came before it can't wait in the middle of a function

_stand_in: Platform | None = None


def current_platform() -> Platform:
    """Return this browser, or what stands in for it. Raises ``RuntimeError`` where there's none."""
    if _stand_in is not None:
        return _stand_in
    try:
        from ..browser import platform
    except ImportError as error:
        pyodide = sys.modules.get("pyodide")
        raise RuntimeError(
            "silent_refresh needs the Python of a browser (Pyodide, PyScript); elsewhere, in a test say, "
            "use silent_refresh.testing, or hand in platform=Platform(…)"
            if pyodide is None
            else f"silent_refresh needs Pyodide {OLDEST} or newer: this page's is {pyodide.__version__}"
        ) from error
    return platform()


def stand_in(platform: Platform | None) -> Platform | None:
    """Let this one be found in place of a browser; return what was found in its place before."""
    global _stand_in
    before, _stand_in = _stand_in, platform
    return before
