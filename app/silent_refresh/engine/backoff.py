"""When a token server that failed is asked again: pauses between tries, and a cool-down after them.

So that many requests, and many browsers, are no storm on a server in trouble.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import NetworkError, RefreshError, RefreshUnavailable, RequestTimeout, copy_of
from ..protocol.result import LONGEST_PAUSE, RefreshResult, Unavailable
from ..session.tokens import Session

if TYPE_CHECKING:
    from ..platform.ports import Clock

FIRST_PAUSE = 0.5  # s before the first retry, doubled at each further one
OFFLINE_PAUSE = 1.0  # s, at most, after a call that never reached the server, and so was no load to it
PROMPT_PAUSE = 0.2  # s before the one retry after a broken connection


def pause_before_retry(attempt: int, result: RefreshResult, *, ahead: bool) -> float | None:
    """Return the seconds to wait before the next try, ``None`` for no other try; ``attempt`` counts from 0.

    After a broken connection the server may have rotated: one prompt retry, which its grace period
    covers; a later one would look like the use of a stolen token. A renewal that comes ``ahead`` of its
    time can wait until the next request.
    """
    if not isinstance(result, Unavailable) or not result.again:
        return None
    if isinstance(result.cause, NetworkError | TimeoutError):
        return PROMPT_PAUSE * _jitter() if attempt == 0 else None
    if ahead:
        return None
    if result.retry_after is not None:
        return result.retry_after
    return FIRST_PAUSE * 2.0**attempt * _jitter()


def _jitter() -> float:
    """Return a number in [0.5, 1), so that a thousand browsers don't come back in one moment."""
    return 0.5 + os.urandom(1)[0] / 512


class CoolDown:
    """Remembers failures of one refresh token; any other token, a new sign-in's say, isn't held back.

    The first failure holds back only those who could do without (``ahead``): the next request whose
    token is refused tries again. From the second on it's 2 s, 4 s … for all, or what the server asked for;
    while there is no network only a moment, so that who comes back is not refused for what was before.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: Session | None = None
        self._error: RefreshError | None = None
        self._failures = 0
        self._until = 0.0

    def holds_back(self, session: Session, *, ahead: bool) -> bool:
        """Tell whether its cool-down lasts."""
        if self._error is None or not self._is_of(session) or self._clock.monotonic() >= self._until:
            return False
        asked = isinstance(self._error, RefreshUnavailable) and self._error.retry_after is not None
        return ahead or asked or self._failures > 1

    def check(self, session: Session, *, ahead: bool) -> None:
        """Raise the last error again while its cool-down lasts."""
        if self._error is not None and self.holds_back(session, ahead=ahead):
            error = copy_of(self._error)
            if isinstance(error, RefreshUnavailable):
                error.retry_after = self._until - self._clock.monotonic()
            raise error

    def add(self, session: Session, error: RefreshError) -> None:
        """Count a failure."""
        self._failures = self._failures + 1 if self._is_of(session) else 1
        self._session, self._error = session, error
        pause = min(2.0 ** (self._failures - 1), LONGEST_PAUSE)
        if isinstance(error, RefreshUnavailable) and error.retry_after is not None:
            pause = error.retry_after
        elif isinstance(error.__cause__, NetworkError) and not isinstance(error.__cause__, RequestTimeout):
            pause = min(pause, OFFLINE_PAUSE)
        self._until = self._clock.monotonic() + pause

    def _is_of(self, session: Session) -> bool:
        return (
            self._session is not None and self._session.tokens.refresh_token == session.tokens.refresh_token
        )
