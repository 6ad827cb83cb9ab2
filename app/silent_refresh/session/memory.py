"""Sessions in this page's memory, and the coordinators of stores that other tabs don't see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..platform.values import JournalEntry, Mark

if TYPE_CHECKING:
    from ..platform.ports import Coordinator, Lock, SessionStore, Stop

DEFAULT_KEY = "silent-refresh"


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


class JournalStorage(MemoryStorage):
    """Keeps the session in the journal, where there's no localStorage: in a worker without a page of its own.

    It is there after a restart, and for all pages and workers of the origin. Two of one key are one place.
    """

    shared = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JournalStorage) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class PageLock:
    """A lock of this page's own: of those that were acquired and not released, the first one is held."""

    def __init__(self, locks: list[PageLock]) -> None:
        self._locks = locks
        self._granted: asyncio.Future[None] | None = None

    async def acquire(self) -> None:
        """Wait for it."""
        self._granted = asyncio.get_running_loop().create_future()
        self._locks.append(self)
        if not self.held():
            await self._granted

    def held(self) -> bool:
        """Tell whether it is."""
        return self in self._locks[:1]

    def release(self) -> None:
        """Free it, or wait no more."""
        if self in self._locks:
            self._locks.remove(self)
        granted = self._locks[0]._granted if self._locks else None
        if granted is not None and not granted.done():
            granted.set_result(None)


class Alone:
    """The coordinator of a store that no other tab sees."""

    has_journal = False
    journal = None

    def __init__(self) -> None:
        self._locks: list[PageLock] = []

    def lock(self) -> Lock:
        """Return this page's own."""
        return PageLock(self._locks)

    async def read_journal(self) -> JournalEntry | None:
        """Return ``None``: there's nobody to be behind of."""
        return None

    async def write_journal(self, entry: JournalEntry) -> None:
        """Do nothing."""

    def note_stored(self, session: str) -> None:
        """Do nothing."""

    def was_stored(self, session: str) -> bool:
        """Return ``True``: this memory loses nothing."""
        return True

    def announce(self, mark: Mark) -> None:
        """Do nothing."""

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Do nothing."""
        return lambda: None

    def show_renewal(self, under_way: bool) -> None:
        """Do nothing."""

    def watch_renewals(self, changed: Callable[[bool], None]) -> Stop:
        """Do nothing."""
        return lambda: None


def coordinator_of(
    store: SessionStore, owner: str, coordinator: Callable[[str, str], Coordinator], *, shares_cookie: bool
) -> Coordinator:
    """Return what puts tabs in an order: those that share the store, or the cookie that renews the token."""
    return coordinator(store.key, owner) if store.shared or shares_cookie else Alone()
