"""Who refuses tokens that are new: what keeps a page from renewing again and again for nothing.

A 401 to a token that has just been renewed says nothing about its age. One resource gives that answer for
want of a permission; an API whose clock is behind, until the token is some seconds old; one that knows
another key, always. A new token each time would help none of them, and the second's would never grow old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http.messages import Request, without_query
from ..session.tokens import Session

if TYPE_CHECKING:
    from ..platform.ports import Clock

MOST_RESOURCES = 1000  # more than that refuse everything: forget them all rather than grow
AT_ONCE = 2  # renewals in vain after each other, before there is a pause
FIRST_PAUSE = 5.0  # s; doubled with each further one
LONGEST_PAUSE = 60.0  # s
AGAIN = 60.0  # s after which one that refused a new token is asked anew; doubled while that is in vain
SOON = 5.0  # s, where it was the first that it refused: it may have been revoked as soon as it was renewed
LONGEST_AGAIN = 3600.0  # s


class Refusals:
    """Remembers resources that refused a new token, and how often in a row a renewal was in vain.

    A resource gets another chance when the token changes; a change that one of them asked for is no news to
    the others: else two would renew by turns for ever. It gets one after a while, too: a token whose life
    nobody has told may have ended on its way, and then a new one helps. Where it is ever another resource
    that refuses, there is no renewal until the token has reached some age.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._resources: set[tuple[str, str]] = set()
        self._session: str | None = None  # its id
        self._token: str | None = None  # the newest that was refused when it was new
        self._in_vain = 0
        self._until = 0.0  # monotonic
        self._again_at = 0.0

    def add(self, request: Request, session: Session, *, before: Session, both: bool) -> None:
        """Note that the resource refused the new token of ``session``, which replaced that of ``before``.

        ``both`` tells whether it had refused that one, too.
        """
        token = session.tokens.access_token
        if self._token not in (token, before.tokens.access_token) or len(self._resources) >= MOST_RESOURCES:
            self._resources.clear()
        if session.id != self._session:
            self._session, self._in_vain = session.id, 0
        if token != self._token:
            self._token = token
            self._in_vain += 1
            pause = FIRST_PAUSE * 2.0 ** (self._in_vain - AT_ONCE - 1) if self._in_vain > AT_ONCE else 0.0
            self._until = self._clock.monotonic() + min(pause, LONGEST_PAUSE)
            again = min(AGAIN * 2.0 ** min(self._in_vain - 1, 20), LONGEST_AGAIN)
            self._again_at = self._clock.monotonic() + (again if both or self._in_vain > 1 else SOON)
        self._resources.add(_resource(request))

    def forget(self) -> None:
        """Note that a renewal helped: what was refused has been accepted with the new token."""
        self._in_vain = 0

    def knows(self, request: Request, session: Session) -> bool:
        """Tell whether a 401 of that resource says nothing about this session's token."""
        if session.tokens.access_token != self._token:
            return False
        now = self._clock.monotonic()
        return now < self._until or (now < self._again_at and _resource(request) in self._resources)


def _resource(request: Request) -> tuple[str, str]:
    return request.method, without_query(request.url)
