"""Holds refresh calls back after they failed, so that many requests are no storm on a server in trouble."""

from __future__ import annotations

from .errors import RefreshError, RefreshUnavailable, copy_of
from .session import Clock, Session

LONGEST = 30.0  # s


class CoolDown:
    """Remembers failures of one refresh token; any other token, a new sign-in's say, isn't held back.

    The first failure holds back only those who could do without (``ahead``): the next request whose
    token is refused tries again. From the second on it's 2 s, 4 s … for all, or what the server asked for.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: Session | None = None
        self._error: RefreshError | None = None
        self._failures = 0
        self._until = 0.0

    def check(self, session: Session, *, ahead: bool) -> None:
        """Raise the last error again while its cool-down lasts."""
        if self._error is None or not self._is_of(session):
            return
        left = self._until - self._clock.monotonic()
        asked = isinstance(self._error, RefreshUnavailable) and self._error.retry_after is not None
        if left > 0 and (ahead or asked or self._failures > 1):
            error = copy_of(self._error)
            if isinstance(error, RefreshUnavailable):
                error.retry_after = left
            raise error

    def add(self, session: Session, error: RefreshError) -> None:
        """Count a failure."""
        self._failures = self._failures + 1 if self._is_of(session) else 1
        self._session, self._error = session, error
        pause = min(2.0 ** (self._failures - 1), LONGEST)
        if isinstance(error, RefreshUnavailable) and error.retry_after is not None:
            pause = error.retry_after
        self._until = self._clock.monotonic() + pause

    def _is_of(self, session: Session) -> bool:
        return (
            self._session is not None and self._session.tokens.refresh_token == session.tokens.refresh_token
        )
