"""Where the page is and where it goes, and what its tab remembers while it is at another site.

URLs are parsed by the browser, as it will when it fetches them.

https://url.spec.whatwg.org/#url-parsing
https://html.spec.whatwg.org/multipage/webstorage.html#the-sessionstorage-attribute
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, create_proxy

from ..http.messages import without_query
from ..platform.values import Place, is_plain_http
from .bridge import IN_WORKER

if TYPE_CHECKING:
    from ..platform.ports import Stop

log = logging.getLogger("silent_refresh")


class Page:
    """The page's address."""

    def __init__(self, bridge: Any) -> None:
        self.document = os.urandom(8).hex()
        self._bridge = bridge
        self._parse_js = bridge.parse

    def here(self) -> str:
        """Return the page's URL; in a worker, the base of the page's URLs as far as it is known."""
        return str(self._bridge.here())

    def parse(self, url: str) -> Place:
        """Parse a URL, a relative one against the page's. Raises ``ValueError``."""
        parsed = self._parse_js(url)
        if not isinstance(parsed, str):
            raise ValueError(
                f"{without_query(url)!r} is not a URL: pass a path like /api/profile or a whole https://…"
            )
        place, _, whole = parsed.partition("\n")  # which no URL has in it
        origin, _, path = place.partition(" ")
        return Place(origin, path, url=whole or None)

    def go(self, url: str) -> None:
        """Leave for ``url``, a whole one; a worker can't."""
        if IN_WORKER:
            log.warning("silent-refresh: a worker can't leave the page; pass login=None or a function.")
        else:
            js.location.assign(url)

    def came_from(self) -> str | None:
        """Return the URL of the page that led here, ``""`` if unknown, ``None`` if the user came back."""
        url = self._bridge.cameFrom()
        return url if isinstance(url, str) else None

    def when_stayed(self, stayed: Callable[[bool], None]) -> Stop:
        """Call ``stayed(is_back)`` when the page comes out of the bfcache, and when somebody uses it."""
        proxy = create_proxy(stayed)
        unwatch = self._bridge.whenStayed(proxy)

        def stop() -> None:
            unwatch()
            asyncio.get_event_loop().call_soon(proxy.destroy)  # it may be what is running now

        return stop


def is_http1(origin: str) -> bool:
    """Tell whether an origin is known to be spoken to by HTTP/1.1; without encryption all are."""
    return is_plain_http(origin) or (origin == js.location.origin and came_by_http1())


def came_by_http1() -> bool:
    """Tell whether this page did, from the network: https://www.w3.org/TR/navigation-timing-2/."""
    loaded = js.performance.getEntriesByType("navigation")
    return any(str(entry.nextHopProtocol).startswith("http/1") for entry in loaded)


class TabMemory:
    """What this tab remembers of a redirect transaction: its sessionStorage, which outlives the page."""

    def remember(self, key: str, text: str) -> None:
        """Keep ``text``. Raises ``OSError`` when the browser won't."""
        try:
            js.sessionStorage.setItem(key, text)
        except JsException as error:
            raise OSError(error.name) from None  # its message could quote the text

    def recall(self, key: str) -> str | None:
        """Return what was remembered, or ``None``."""
        try:
            text = js.sessionStorage.getItem(key)
        except JsException:
            return None
        return text if isinstance(text, str) else None

    def forget(self, key: str) -> None:
        """Remember it no longer."""
        try:
            js.sessionStorage.removeItem(key)
        except JsException:
            return

    def show(self, url: str) -> None:
        """Let the address line, and the history, say ``url``; nothing is loaded."""
        js.history.replaceState(js.history.state, "", url)
