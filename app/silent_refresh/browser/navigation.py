"""Where the page is and where it goes; URLs are parsed by the browser, as it will when it fetches them.

https://url.spec.whatwg.org/#url-parsing
"""

from __future__ import annotations

import logging
import re
from typing import Any

import js

from ..ports import Place
from .bridge import IN_WORKER

log = logging.getLogger("silent_refresh")

# What these parse to doesn't depend on where the page is just now.
_FIXED = re.compile(r"/(?![/\\])|https?://", re.IGNORECASE)


class Page:
    """The page's address."""

    def __init__(self, bridge: Any) -> None:
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
                f"{url.partition('?')[0]!r} is not a URL: pass a path like /api/profile or a whole https://…"
            )
        origin, _, path = parsed.partition(" ")
        return Place(origin, path, is_fixed=_FIXED.match(url) is not None)

    def go(self, url: str) -> None:
        """Leave for ``url``; a worker can't."""
        if IN_WORKER:
            log.warning("silent-refresh: a worker can't leave the page; pass login=None or a function.")
        else:
            js.location.assign(url)
