"""How tabs take turns: a Web Lock, a mark in IndexedDB, and a channel to say that something changed.

The lock alone is not enough. Browsers show a tab's localStorage writes to other processes late, so the
next holder of the lock may read the old record, and would present a refresh token that was used already.
An IndexedDB transaction that is complete is seen by all; so the mark is there before the lock is free.

Messages carry a generation and a session's id, never a token, and are checked like any other input.

https://w3c.github.io/web-locks/ · https://w3c.github.io/IndexedDB/
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pyodide.ffi import JsException, create_proxy

from ..json_text import parse_json
from ..ports import Mark, Stop
from ..stores import Alone

log = logging.getLogger("silent_refresh")
_told: set[str] = set()


class Tabs:
    """The coordinator of all tabs that have the same record ``key``."""

    def __init__(self, bridge: Any, key: str) -> None:
        self._bridge = bridge
        self._name = f"silent-refresh:{key}"
        self._alone = Alone()
        self._channel: Any = None

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[Callable[[], bool]]:
        """Wait for the lock; a cancelled wait is withdrawn, a closed tab's lock is freed by the browser."""
        if not self._bridge.hasLocks():
            _tell_once(
                "this page has no Web Locks (they need https or localhost), so tabs can't take turns: "
                "two that renew in one moment may be taken for a thief and signed out."
            )
            async with self._alone.lock() as still_held:
                yield still_held
            return
        held = self._bridge.lock(self._name)
        try:
            await held.granted
            yield held.isHeld
        finally:
            held.release()

    async def read_mark(self) -> Mark | None:
        """Return the newest mark; ``None`` when there's none, or no IndexedDB."""
        try:
            text = await self._bridge.readMark(self._name)
        except JsException as error:
            _tell_about_fence(error)
            return None
        return _mark_from(text)

    async def write_mark(self, mark: Mark) -> None:
        """Set the mark, and return when every tab can see it."""
        try:
            await self._bridge.writeMark(self._name, json.dumps(mark))
        except JsException as error:
            _tell_about_fence(error)

    def announce(self, mark: Mark) -> None:
        """Tell the other tabs."""
        if self._channel is not None:
            self._channel.post(json.dumps(mark))

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Call ``heard`` with what other tabs announce."""

        def check(text: object) -> None:
            mark = _mark_from(text)
            if mark is not None:
                heard(mark)

        proxy = create_proxy(check)
        self._channel = self._bridge.channel(self._name, proxy)

        def stop() -> None:
            self._channel.close()
            self._channel = None
            proxy.destroy()

        return stop


def _mark_from(text: object) -> Mark | None:
    if not isinstance(text, str):
        return None
    try:
        generation, session, ended = parse_json(text)
    except (ValueError, TypeError):
        return None
    if type(generation) is not int or generation < 0 or type(session) is not str or type(ended) is not bool:
        return None
    return Mark(generation, session, ended)


def _tell_about_fence(error: JsException) -> None:
    _tell_once(f"IndexedDB can't be used ({error.name}), so tabs may see each other's renewals late.")


def _tell_once(message: str) -> None:
    if message not in _told:
        _told.add(message)
        log.warning("silent-refresh: %s", message)
