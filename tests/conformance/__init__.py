"""The Web Platform Tests of fetch, with the browser's own and under ``install()``, for ``make conformance``.

wptserve imports pywebsocket3, which isn't installed (requirements/conformance.in says why): what stands for
it is made here, before that.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Absent(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # __file__ say, which others look for in every module
        return type(name, (Exception,), {})


for name in ("", ".common", ".dispatch", ".handshake", ".handshake.base"):
    sys.modules[f"pywebsocket3{name}"] = _Absent(f"pywebsocket3{name}")
