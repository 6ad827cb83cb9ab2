"""Where the page is and where it goes; URLs are parsed by the browser, as it will when it fetches them.

https://url.spec.whatwg.org/#url-parsing
"""

from __future__ import annotations

import re
from typing import Any

import js

from ..ports import Place

# What these parse to doesn't depend on where the page is just now.
_FIXED = re.compile(r"/(?![/\\])|https?://", re.IGNORECASE)
MOST = 500  # URLs that are remembered


class Page:
    """The page's address."""

    def __init__(self, bridge: Any) -> None:
        self._parse_js = bridge.parse
        self._known: dict[str, Place] = {}

    def here(self) -> str:
        """Return the page's URL."""
        return str(js.location.href)

    def parse(self, url: str) -> Place:
        """Parse a URL, a relative one against the page's. Raises ``ValueError``."""
        place = self._known.get(url)
        if place is not None:
            return place
        parsed = self._parse_js(url)
        if not isinstance(parsed, str):
            raise ValueError(
                f"{url.partition('?')[0]!r} is not a URL: pass a path like /api/profile or a whole https://…"
            )
        origin, _, path = parsed.partition(" ")
        place = Place(origin, path)
        if _FIXED.match(url):
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[url] = place
        return place

    def go(self, url: str) -> None:
        """Leave for ``url``."""
        js.location.assign(url)
