"""Where a page goes when its session is over, and where it goes back to after the next sign-in.

    /login?next=%2Forders%3Fpage%3D2&reason=rejected

``next`` is believed only when it parses to a path of this very origin: anybody can make a link.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from .events import Event
from .ports import Navigation

log = logging.getLogger("silent_refresh")

Login: TypeAlias = str | Callable[[Event], object] | None


class LoginPage:
    """Sends the page to ``login`` once a session: a URL, a callable that gets the event, or ``None``."""

    def __init__(self, login: Login, navigation: Navigation) -> None:
        self._login = login
        self._navigation = navigation
        self._gone = False

    def arm(self) -> None:
        """Allow the next redirect: somebody signed in."""
        self._gone = False

    def is_here(self) -> bool:
        """Tell whether the page is the sign-in already."""
        return isinstance(self._login, str) and self.is_login(self._navigation.here())

    def is_login(self, url: str) -> bool:
        """Tell whether ``url`` is the sign-in's, query aside."""
        if not isinstance(self._login, str):
            return False
        return self._navigation.parse(url).resource == self._navigation.parse(self._login).resource

    def show(self, event: Event) -> None:
        """Go there, unless this session's end was told already or the page is there."""
        if self._gone or self._login is None:
            return
        self._gone = True
        if callable(self._login):
            try:
                self._login(event)
            except Exception:
                log.exception("silent-refresh: the login callable failed")
        elif not self.is_here():
            self._navigation.go(self._address(event))

    def _address(self, event: Event) -> str:
        from urllib.parse import urlencode  # costly to load in a browser; the page is about to be left anyway

        assert isinstance(self._login, str)
        query = {"reason": event.reason or ""}
        if event.reason != "sign_out":  # whoever leaves on purpose wants to be at the start next time
            query = {"next": self._navigation.parse(self._navigation.here()).path, **query}
        return self._login + ("&" if "?" in self._login else "?") + urlencode(query)

    def next_path(self) -> str:
        """Return the path in this page's ``?next=`` when it is one of this origin, else ``"/"``."""
        from urllib.parse import parse_qs

        query = self._navigation.here().partition("#")[0].partition("?")[2]
        wanted = own_path(parse_qs(query).get("next", ["/"])[0], self._navigation)
        return "/" if self.is_login(wanted) else wanted


def own_path(wanted: str, navigation: Navigation) -> str:
    """Return the path of ``wanted`` when it is one of this origin, else ``"/"``."""
    try:
        place = navigation.parse(wanted)
    except ValueError:
        return "/"
    same_origin = place.origin == navigation.parse(navigation.here()).origin and place.origin != "null"
    # The path of http://this.example//evil.example is a URL of another origin, a blob's is a whole URL.
    is_path = place.path.startswith("/") and not place.path.startswith("//")
    return place.path if same_origin and is_path else "/"
