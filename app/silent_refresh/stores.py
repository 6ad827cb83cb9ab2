"""Places for the session: localStorage, sessionStorage, or this page's memory, which needs no browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .platform.current import current_platform
from .session.memory import DEFAULT_KEY, MemoryStorage

if TYPE_CHECKING:
    from .platform.ports import SessionStore

__all__ = ["LocalStorage", "MemoryStorage", "SessionStorage"]


def LocalStorage(key: str = DEFAULT_KEY) -> SessionStore:
    """Keep the session in localStorage: over reloads, and shared by all tabs of this origin."""
    return _open("localStorage", key)


def SessionStorage(key: str = DEFAULT_KEY) -> SessionStore:
    """Keep the session in sessionStorage: over reloads, in this tab alone.

    A duplicated tab takes a copy along, and two tabs that renew with one refresh token look like a theft.
    """
    return _open("sessionStorage", key)


def _open(area: str, key: str) -> SessionStore:
    open_storage = current_platform().open_storage
    assert open_storage is not None  # a browser has it
    return open_storage(area, key)
