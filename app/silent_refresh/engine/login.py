"""Sends the page to the sign-in when its session is over, and back after the next one.

A redirect needn't arrive: a ``beforeunload`` question is answered with "stay", the page goes elsewhere, or
comes back out of the bfcache with a user's data on it who left. So it is asked for again at the next need.

This tab remembers whence it left, for the way back and to see a loop:

    [login, {"next": "/orders", "reason": "rejected"}, "https://…/orders#top", document, 0]   # … in a row

``next`` has no fragment: servers don't see one otherwise, and a magic link's is a secret.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..errors import LoginLoop
from ..events import Callbacks, Event
from ..http.json import parse_json
from ..http.messages import without_query
from ..platform.platform import Platform, own_path
from .login_address import LoginAddress, said_at

if TYPE_CHECKING:
    from ..platform.ports import Stop

log = logging.getLogger("silent_refresh")

Login: TypeAlias = str | Callable[[Event], object] | None

KEY = "silent-refresh:login"
PATIENCE = 30.0  # s that a redirect, or what leads to it, may take; asked for meanwhile, it would begin anew
MOST_IN_A_ROW = 2  # redirects that end at another page than the sign-in


class Left(NamedTuple):
    """What this tab remembers of the last redirect; nothing is ``said`` any more once somebody signed in."""

    login: str = ""
    said: dict[str, str] = {}  # noqa: RUF012  # never changed
    here: str = ""
    document: str = ""
    in_a_row: int = 0


class LoginPage:
    """Sends the page to ``login``: a URL, a callable that gets the event (once a session), or ``None``.

    ``loop`` is the error of whoever needs the sign-in while that can't be reached.
    """

    def __init__(self, login: Login, platform: Platform) -> None:
        self._navigation = platform.navigation
        self._memory = platform.redirect_memory
        self._now = platform.clock.monotonic
        self._call = login if callable(login) else None
        self._callbacks = Callbacks()
        self._address = LoginAddress(login, platform.navigation) if isinstance(login, str) else None
        self._stop: Stop | None = None
        self._begin()

    def _begin(self) -> None:
        self.loop: LoginLoop | None = None
        self._event: Event | None = None
        self._is_told = False
        self._asked_at: float | None = None
        self._expected_at: float | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether there is one."""
        return self._call is not None or self._address is not None

    def arm(self) -> None:
        """Forget the last session's end: somebody signed in."""
        self.close()
        self._begin()
        left = self._left()
        if left.said:
            self._remember(left._replace(said={}))

    def is_here(self) -> bool:
        """Tell whether the page is the sign-in already."""
        return self._address is not None and (
            self._address.is_at(self._navigation.here()) or self._is_where_it_led()
        )

    def _is_where_it_led(self) -> bool:
        """Tell whether the last redirect ended here, at another address: the server may have chosen that."""
        said = self._left().said
        if not said:
            return False
        here = said_at(self._navigation.here())
        return here.get("next") == said["next"] if "next" in said else said.items() <= here.items()

    def expect(self) -> None:
        """Wait for whoever ends the session: they show it, with their reason, once that is written down."""
        self._expected_at = self._now()

    def expect_no_more(self) -> None:
        """Forget that: it is written down."""
        self._expected_at = None

    def is_expected(self) -> bool:
        """Tell whether somebody else is about to show it."""
        return self._expected_at is not None and self._now() - self._expected_at < PATIENCE

    def show(self, event: Event) -> None:
        """Go there, unless the page is there, or on its way."""
        self._event = event
        if self._call is not None:
            if not self._is_told:
                self._is_told = True
                self._watch()
                self._callbacks.call(self._call, event, "the login callable")
        elif self._address is not None and not (self.loop or self._is_under_way() or self.is_here()):
            self._go(self._address, event)

    def leave_for(self, url: str, event: Event) -> None:
        """Leave for ``url`` in place of the sign-in, to which the page goes should it be there still."""
        self._event = event
        self._is_told = True
        self._asked_at = self._now()
        self._watch()
        self._navigation.go(url)

    def _is_under_way(self) -> bool:
        return self._asked_at is not None and self._now() - self._asked_at < PATIENCE

    def _go(self, address: LoginAddress, event: Event) -> None:
        here = self._navigation.here()
        in_a_row = self._count(here)
        if in_a_row >= MOST_IN_A_ROW:
            self._give_up(address, here)
            return
        said = {"reason": event.reason or ""}
        if event.reason != "sign_out":  # whoever leaves on purpose wants to be at the start next time
            path = self._navigation.parse(here).path
            said = {"next": path if address.has_route else path.partition("#")[0], **said}
        self._remember(Left(address.url, said, here, self._navigation.document, in_a_row))
        self._asked_at = self._now()
        self._watch()
        self._navigation.go(address.saying(said))

    def _count(self, here: str) -> int:
        """Return how many redirects in a row ended at another page than the sign-in, this one the last."""
        left, came_from = self._left(), self._navigation.came_from()
        if left.said and left.document == self._navigation.document:
            return left.in_a_row
        if not left.said or came_from is None:
            return 0
        # Where pages don't tell whence they come, those that look alike are taken for one.
        led_here = left.here == here if came_from == "" else _same_page(left.here, came_from)
        return left.in_a_row + 1 if led_here else 0

    def _give_up(self, address: LoginAddress, here: str) -> None:
        path = without_query(self._navigation.parse(here).path)
        self.loop = LoginLoop(
            f"login={address.url!r} led to {path}, which isn't that address, and would again: "
            "pass SilentRefresh the address at which the sign-in is shown"
        )
        log.error("silent-refresh: %s", self.loop)

    def _watch(self) -> None:
        if self._stop is None:
            self._stop = self._navigation.when_stayed(self._stayed)

    def _stayed(self, is_back: bool) -> None:
        """Hear that the page is there still, though it was to be left."""
        self._asked_at = None
        if is_back:
            self._is_told = False
            if self._address is not None and self._event is not None:
                self.show(self._event)  # at once: a user's data may stand here who left

    def next_path(self) -> str:
        """Return the path in this page's ``?next=`` when it is one of this origin, else ``"/"``."""
        wanted = own_path(said_at(self._navigation.here()).get("next", "/"), self._navigation)
        address, _, fragment = self._left().here.partition("#")
        if fragment and "#" not in wanted and wanted == own_path(address, self._navigation):
            wanted = own_path(f"{wanted}#{fragment}", self._navigation)
        return "/" if self._address is not None and self._address.is_at(wanted) else wanted

    def close(self) -> None:
        """Ask for nothing more."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    # What this tab remembers

    def _remember(self, left: Left) -> None:
        if self._memory is not None and self._address is not None:
            try:
                self._memory.remember(KEY, json.dumps(left))
            except OSError:
                return  # the redirect alone counts

    def _left(self) -> Left:
        if self._memory is None or self._address is None:
            return Left()
        try:
            login, said, here, document, in_a_row = parse_json(self._memory.recall(KEY) or "[]")
        except (ValueError, TypeError):
            return Left()
        is_ours = login == self._address.url and isinstance(said, dict) and isinstance(here, str)
        return Left(login, said, here, document, in_a_row) if is_ours and type(in_a_row) is int else Left()


def _same_page(one: str, other: str) -> bool:
    return one.partition("#")[0] == other.partition("#")[0]
