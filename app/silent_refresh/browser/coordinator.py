"""What puts tabs in an order: a Web Lock, a journal in IndexedDB, a channel that tells of changes.

The lock alone is not enough. Browsers show a tab's localStorage writes to other processes late, so the next
holder of the lock may read the old record, and would present a refresh token that was used already; and they
bring them to the disk later still, so a browser that dies forgets them. An IndexedDB transaction that is
complete is seen by all, and outlives the browser: so the journal is written before the lock is free.

Where tokens are bound to a key, the same transaction writes that down beside the entry, or removes it: no
entry is without its key, and no key outlives its session. dpop.js looks for keys under the same names.

The database has a commit marker beside it, under the name that versions without a journal know: tabs of such
a version may be open, and would else present a token that was used.

Messages carry a generation and a session's id, never a token, and are checked like any other input.

https://w3c.github.io/web-locks/ · https://w3c.github.io/IndexedDB/
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, create_proxy

from ..platform.values import JournalEntry, Mark
from ..session.journal import from_text, mark_from, newest, to_text
from ..session.memory import Alone

if TYPE_CHECKING:
    from ..platform.ports import Lock, Stop

log = logging.getLogger("silent_refresh")
_told: set[str] = set()


class TabCoordinator:
    """Coordinator of all tabs that have the same record ``key``; each ``owner`` has a journal of its own."""

    has_journal = True

    def __init__(self, bridge: Any, key: str, owner: str) -> None:
        self._bridge = bridge
        self._name = f"silent-refresh:{key}"
        self.journal = f"{self._name}:journal:{owner}"
        self._alone = Alone()
        self._channel: Any = None
        self._renewals = f"{self._name}:renewing:{owner}"
        self._flags: Any = None

    def lock(self) -> Lock:
        """Return the Web Lock of these tabs, or this page's own where there are none."""
        if not self._bridge.hasLocks():
            _tell_once(
                "this page has no Web Locks (they need https or localhost), so tabs can't take turns: "
                "two that renew in one moment may be taken for a thief and signed out."
            )
            return self._alone.lock()
        lock: Lock = self._bridge.lock(self._name)
        return lock

    async def read_journal(self) -> JournalEntry | None:
        """Return what was committed last, by a version that only marked it too. Raises ``OSError``."""
        try:
            entry, mark = await self._bridge.readTexts(self.journal, self._name)
        except JsException as error:
            raise _unusable(error) from None
        return newest(from_text(entry), mark_from(mark))

    async def write_journal(self, entry: JournalEntry) -> None:
        """Commit, and return when every tab can see it and it outlives the browser. Raises ``OSError``."""
        texts = self.journal, to_text(entry), self._name, json.dumps(entry.mark)
        try:
            await self._bridge.writeTexts(*texts, *await self._keys(entry.key))
        except JsException as error:
            raise _unusable(error) from None

    async def _keys(self, key: str | None) -> tuple[Any, ...]:
        """Return what is written of keys along with an entry: its own is kept, and any other removed.

        Nothing is when its own can't be had: then the next request tells whether it's gone.
        """
        if key is None:
            return f"key:{self.journal}", None
        try:
            pair = await self._bridge.withProver("find", key)
        except JsException:
            return ()
        return f"key:{self.journal}", pair, f"pending-key:{key}:{self.journal}", None

    def note_stored(self, session: str) -> None:
        """Keep that in the tab's own memory."""
        # Blocked, or full: then a start may take a clearing for a crash. A worker has none.
        with contextlib.suppress(JsException, AttributeError):
            js.sessionStorage.setItem(f"{self._name}:stored", session)

    def was_stored(self, session: str) -> bool:
        """Look there."""
        with contextlib.suppress(JsException, AttributeError):
            return bool(js.sessionStorage.getItem(f"{self._name}:stored") == session)
        return False

    def announce(self, mark: Mark) -> None:
        """Tell the other tabs."""
        if self._channel is not None:
            self._channel.post(json.dumps(mark))

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Call ``heard`` with what other tabs announce."""

        def check(text: object) -> None:
            mark = mark_from(text)
            if mark is not None:
                heard(mark)

        proxy = create_proxy(check)
        self._channel = self._bridge.channel(self._name, proxy)

        def stop() -> None:
            self._channel.close()
            self._channel = None
            proxy.destroy()

        return stop

    def show_renewal(self, under_way: bool) -> None:
        """Hold a lock of its own: the browser frees it should this tab die."""
        if self._flags is not None:
            self._flags.show(under_way)

    def watch_renewals(self, changed: Callable[[bool], None]) -> Stop:
        """Wait for the others' locks, whose names they tell."""
        proxy = create_proxy(changed)
        self._flags = self._bridge.flags(self._renewals, proxy)

        def stop() -> None:
            self._flags.close()
            self._flags = None
            proxy.destroy()

        return stop


def _unusable(error: JsException) -> OSError:
    """Say once what is lost without IndexedDB."""
    _tell_once(
        f"IndexedDB can't be used ({error.name}), so tabs may see each other's renewals late, and what "
        "changed in the last minute may be lost with a browser that crashes."
    )
    return OSError(error.name)


def _tell_once(message: str) -> None:
    if message not in _told:
        _told.add(message)
        log.warning("silent-refresh: %s", message)
