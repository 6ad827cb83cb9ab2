"""Places for the session: localStorage, sessionStorage, or this page's memory, which needs no browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .ports import Coordinator, Mark, SessionStore, Stop

DEFAULT_KEY = "silent-refresh"


def LocalStorage(key: str = DEFAULT_KEY) -> SessionStore:
    """Keep the session in localStorage: over reloads, and shared by all tabs of this origin."""
    from .browser.storage import open_storage

    return open_storage("localStorage", key)


def SessionStorage(key: str = DEFAULT_KEY) -> SessionStore:
    """Keep the session in sessionStorage: over reloads, in this tab alone.

    A duplicated tab takes a copy along, and two tabs that renew with one refresh token look like a theft.
    """
    from .browser.storage import open_storage

    return open_storage("sessionStorage", key)


class MemoryStorage:
    """Keeps the session in this page alone; a reload signs out (unless the refresh token is in a cookie)."""

    shared = False

    def __init__(self, key: str = DEFAULT_KEY) -> None:
        self.key = key
        self._texts: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """Return the text under ``key``."""
        return self._texts.get(key)

    def set(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``."""
        self._texts[key] = text

    def remove(self, key: str) -> None:
        """Forget what is under ``key``."""
        self._texts.pop(key, None)

    def listen(self, changed: Callable[[], None]) -> Stop:
        """Do nothing: nobody else can change this store."""
        return lambda: None


class Alone:
    """The coordinator of a store that no other tab sees."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[Callable[[], bool]]:
        """Wait for this page's own lock."""
        async with self._lock:
            yield lambda: True

    async def read_mark(self) -> Mark | None:
        """Return ``None``: there's nobody to be behind of."""
        return None

    async def write_mark(self, mark: Mark) -> None:
        """Do nothing."""

    def announce(self, mark: Mark) -> None:
        """Do nothing."""

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Do nothing."""
        return lambda: None


class TakingTurns(Alone):
    """The coordinator of such a store when the refresh token is in a cookie, which all tabs do see."""

    def __init__(self, tabs: Coordinator) -> None:
        super().__init__()
        self._tabs = tabs

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[Callable[[], bool]]:
        """Wait for the tabs' one lock."""
        async with self._tabs.lock() as still_held:
            yield still_held
