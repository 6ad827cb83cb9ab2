"""localStorage and sessionStorage, which may be missing, blocked or full.

https://html.spec.whatwg.org/multipage/webstorage.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from ..session.memory import DEFAULT_KEY, JournalStorage, MemoryStorage
from .bridge import IN_WORKER, load_bridge

if TYPE_CHECKING:
    from ..platform.ports import SessionStore, Stop

log = logging.getLogger("silent_refresh")


def open_storage(name: str, key: str = DEFAULT_KEY) -> SessionStore:
    """Open ``"localStorage"`` or ``"sessionStorage"``; where it's blocked, memory takes its place.

    A worker has no localStorage: it has the session from the journal, which it shares with the pages.
    """
    if IN_WORKER and name == "localStorage":
        return JournalStorage(key)
    try:
        area = getattr(js, name)
        area.getItem(key)
    except (JsException, AttributeError) as error:  # SecurityError; or there is none, in a worker say
        log.warning(
            "silent-refresh: %s can't be used here (%s); the session lives in memory and ends with the page.",
            name,
            getattr(error, "name", None) or error,
        )
        return MemoryStorage(key)
    return WebStorage(area, key, shared=name == "localStorage")


class WebStorage:
    """One of the two areas.

    It can be blocked at any time; a read that fails then gives the last known text.
    """

    def __init__(self, area: JsProxy, key: str, *, shared: bool) -> None:
        self.key = key
        self.shared = shared
        # Two of one key in one area are the same place.
        self._identity = (key, shared)
        self._area = area
        self._last: dict[str, str | None] = {}

    def get(self, key: str) -> str | None:
        """Return the text under ``key``."""
        try:
            text = self._area.getItem(key)
        except JsException:
            return self._last.get(key)
        # What is missing is JavaScript's null, and that is not None.
        self._last[key] = found = text if isinstance(text, str) else None
        return found

    def set(self, key: str, text: str) -> None:
        """Keep ``text`` under ``key``. Raises ``OSError`` when the browser won't."""
        try:
            self._area.setItem(key, text)
        except JsException as error:
            raise OSError(error.name) from None  # its message could quote the text
        self._last[key] = text

    def remove(self, key: str) -> None:
        """Forget what is under ``key``."""
        self._last[key] = None
        try:
            self._area.removeItem(key)
        except JsException as error:
            log.warning("silent-refresh: the browser would not clear its storage (%s)", error.name)

    def listen(self, changed: Callable[[], None]) -> Stop:
        """Call ``changed`` when another tab wrote, when all was cleared, and when the page woke up."""
        proxy = create_proxy(changed)
        unwatch = load_bridge().watch(self.key, proxy)

        def stop() -> None:
            unwatch()
            proxy.destroy()

        return stop

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WebStorage) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"<WebStorage {self.key!r}>"
