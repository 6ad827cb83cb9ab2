"""Renews the access token once, however many requests need it.

A request whose token was refused asks for ``renew(refused=session)``. The first one starts a flight;
all wait in its queue, each on a future of its own, so that cancelling one strands nobody. The flight
owns its task: it takes the lock among tabs, catches up with them, and then decides:

    adopt     another tab renewed already: its tokens are as good
    refresh   send the refresh call, again when that may help, and commit the answer
    give up   the server refused (the session ends), or didn't answer (the tokens stay)

No user code runs while the lock is held; the state is reset before the queue is released.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .cooldown import CoolDown
from .errors import (
    RefreshError,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    SessionChanged,
    SilentRefreshError,
    copy_of,
)
from .events import Events
from .flight import Flight
from .outcome import Misconfigured, Outcome, Rejected, Rotated, Unavailable
from .refresh import Refresh
from .session import Clock, Session
from .vault import Vault

log = logging.getLogger("silent_refresh")

LOCK_MARGIN = 5.0  # s that the wait for the lock is longer than a refresh may take
FIRST_PAUSE = 0.5  # s before the first retry, doubled at each further one
PROMPT_PAUSE = 0.2  # s before the one retry after a broken connection


class Renewal:
    """Single flight and queue over one vault.

    ``timeout`` (s) is the deadline of a refresh, its ``retries`` included; ``leeway`` (s) is how long
    before its end a token is renewed; ``rejected`` is told, outside the lock, that the server ended it all;
    ``changed`` that ``usable_session`` may have another answer; ``new_future`` makes one for each who waits.
    """

    def __init__(
        self,
        vault: Vault,
        refresh: Refresh,
        clock: Clock,
        events: Events,
        *,
        needs_refresh_token: bool,
        leeway: float,
        timeout: float,
        retries: int,
        rejected: Callable[[Session, RefreshRejected], None],
        changed: Callable[[], None],
        new_future: Callable[[], asyncio.Future[Session]],
    ) -> None:
        self._vault = vault
        self._refresh = refresh
        self._clock = clock
        self._events = events
        self._needs_refresh_token = needs_refresh_token
        self._leeway = leeway
        self._timeout = timeout
        self._retries = retries
        self._rejected = rejected
        self._new_future = new_future
        self._flight: Flight | None = None
        self._refused: Session | None = None
        self._rejection: tuple[str, RefreshRejected] | None = None  # of the session with this id
        self._cool_down = CoolDown(clock)
        self._refresh_at_once: Refresh | None = None
        self._changed = vault.on_change = changed

    @property
    def longest_wait(self) -> float:
        """Seconds after which whoever waits for another tab goes on: longer than its refresh can take."""
        return self._timeout + LOCK_MARGIN

    def can_renew(self, session: Session) -> bool:
        """Tell whether there's a refresh token to renew it with."""
        return not self._needs_refresh_token or session.tokens.refresh_token is not None

    def time_until_due(self, session: Session) -> float | None:
        """Return the seconds until its token is renewed before it is sent; ``None`` for never."""
        return session.time_until_due(self._clock, self._leeway)

    def usable_session(self) -> Session | None:
        """Return the session if its token can be sent right now; ``None`` to ask ``renew_ahead``."""
        session = self._vault.session
        if self._flight is not None or session is None or session.is_due(self._clock, self._leeway):
            return None
        return session

    async def renew_ahead(self) -> Session | None:
        """Return a usable session, its token renewed if it is about to end; ``None`` if nobody is signed in.

        When that fails and the token is good for a while yet, the session goes on with it.
        """
        session = self._vault.session
        if session is None or not self.can_renew(session):
            return session
        try:
            if self._flight is None:
                self._cool_down.check(session, ahead=True)
            return await self.join(session)
        except (RefreshUnavailable, RefreshMisconfigured):
            if self._refused is session or self._vault.session is not session or self._has_ended(session):
                raise
            return session

    async def renew(self, refused: Session) -> Session:
        """Return a session whose token is newer than that of ``refused``.

        Raises ``SessionChanged`` when that session is over, and ``RefreshError`` when there's no new token.
        """
        current = self._vault.session
        if current is None or current.id != refused.id:
            raise SessionChanged("the session ended before the request could be sent again")
        if current.tokens.access_token == refused.tokens.access_token:
            self._refused = current
        elif self._flight is None:
            return current  # a late 401 of an old token: somebody renewed it in the meantime
        return await self.join(current)

    async def raise_rejection(self, session: str) -> None:
        """Raise ``RefreshRejected`` if that ended the session of this id, once every tab can know of it."""
        flight = self._flight
        if flight is not None and flight.session.id == session and not self._vault.at_once:
            await flight.wait()
        if self._rejection is not None and self._rejection[0] == session:
            raise copy_of(self._rejection[1])

    async def join(self, session: Session) -> Session:
        """Return a newer session though nobody refused this one: wait for the flight, or start it."""
        if self._vault.at_once:
            return await self._renewed_at_once(session)
        return await (self._flight or self._take_off(session)).wait()

    @contextmanager
    def at_once(self, refresh: Refresh | None) -> Iterator[None]:
        """Wait for nothing while this lasts: renew by ``refresh``, which blocks the page, without the lock.

        ``None`` where there's no such refresh: then a flight takes off, and the caller is told to come back.
        That is for a caller that can't be suspended. Another tab may be renewing in the same moment; what it
        has stored is adopted, what it is about to store can't be known.
        """
        self._refresh_at_once, self._vault.at_once = refresh, True
        try:
            yield
        finally:
            self._refresh_at_once, self._vault.at_once = None, False

    async def _renewed_at_once(self, session: Session) -> Session:
        refresh = self._refresh_at_once
        if self._flight is None and refresh is None:
            self._take_off(session)
        if self._flight is not None or refresh is None:
            raise RefreshUnavailable("a renewal is under way that this caller can't wait for: try again")
        self._cool_down.check(session, ahead=False)
        self._vault.look()
        current = _still(session, self._vault.session)
        if self._is_newer(current, session):
            return current
        if self._vault.is_behind(current):
            raise RefreshUnavailable(
                "another tab renewed the token, which isn't to be seen here yet: try again"
            )
        self._events.emit("refresh-started", generation=current.generation)
        try:
            return await self._conclude(current, await refresh(current.tokens))
        except SilentRefreshError as error:
            self._note_failure(current, error)
            if isinstance(error, RefreshRejected):
                self._rejected(current, error)
            raise

    def abandon(self, error: SessionChanged) -> None:
        """Drop the flight because its session is over: its result is discarded, its waiters get ``error``."""
        flight, self._flight = self._flight, None
        if flight is not None:
            if flight.task is not None:
                flight.task.cancel()
            flight.release(error)
            self._changed()

    def _take_off(self, session: Session) -> Flight:
        self._cool_down.check(session, ahead=False)
        flight = self._flight = Flight(session, self._new_future)
        flight.task = asyncio.ensure_future(self._run(flight))
        self._changed()
        return flight

    async def _run(self, flight: Flight) -> None:
        outcome: Session | SilentRefreshError
        try:
            async with self._vault.turn(wait=self.longest_wait) as still_held:
                outcome = await self._renewed(flight.session, still_held)
        except SilentRefreshError as error:
            outcome = error
        except Exception as error:
            outcome = RefreshError(f"the refresh failed with {type(error).__name__}; the tokens are kept")
            outcome.__cause__ = error
        if self._flight is flight:
            self._flight = None
            self._changed()
        if isinstance(outcome, SilentRefreshError):
            self._note_failure(flight.session, outcome)
        flight.release(outcome)
        if isinstance(outcome, RefreshRejected):
            self._rejected(flight.session, outcome)

    def _note_failure(self, session: Session, error: SilentRefreshError) -> None:
        self._events.emit("refresh-failed", generation=session.generation, reason=type(error).__name__)
        if isinstance(error, RefreshRejected):
            self._rejection = session.id, error

    async def _renewed(self, session: Session, still_held: Callable[[], bool]) -> Session:
        deadline = asyncio.get_running_loop().time() + self._timeout
        attempt = 0
        while True:
            current = _still(session, await self._vault.catch_up())
            if self._is_newer(current, session):
                return current  # adopted
            if not still_held():
                raise RefreshUnavailable("the lock among tabs was taken away; try again")
            outcome = await self._ask(current, deadline)
            pause = self._pause(attempt, outcome)
            if pause is None or asyncio.get_running_loop().time() + pause >= deadline:
                return await self._conclude(current, outcome)
            await asyncio.sleep(pause)
            attempt += 1

    def _is_newer(self, current: Session, session: Session) -> bool:
        return current.tokens.access_token != session.tokens.access_token and not self._has_ended(current)

    def _has_ended(self, session: Session) -> bool:
        remaining = session.remaining(self._clock)
        return remaining is not None and remaining <= 0

    async def _ask(self, session: Session, deadline: float) -> Outcome:
        self._events.emit("refresh-started", generation=session.generation)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._refresh(session.tokens)
        except TimeoutError as error:
            return Unavailable(f"it did not answer within {self._timeout:g} s", None, error)

    def _pause(self, attempt: int, outcome: Outcome) -> float | None:
        """Return the seconds to wait before another try, ``None`` for no other try.

        After a broken connection the server may have rotated: one prompt retry, which its grace period
        covers; a later one would look like the use of a stolen token.
        """
        if not isinstance(outcome, Unavailable) or attempt >= self._retries:
            return None
        if outcome.cause is not None:
            return PROMPT_PAUSE * _jitter() if attempt == 0 else None
        if outcome.retry_after is not None:
            return outcome.retry_after
        return FIRST_PAUSE * 2.0**attempt * _jitter()

    async def _conclude(self, session: Session, outcome: Outcome) -> Session:
        error: RefreshError
        if isinstance(outcome, Rotated):
            renewed = session.renewed(outcome.tokens, clock=self._clock)
            if not await self._vault.commit(renewed):
                raise SessionChanged(
                    "the session ended while its token was renewed; the new one is discarded"
                )
            self._events.emit("refresh-done", generation=renewed.generation)
            return renewed
        if isinstance(outcome, Rejected):
            if not await self._vault.bury(session):
                raise SessionChanged("the session ended while its token was renewed")
            told = f"the server refused the refresh token ({outcome.reason}): sign in again"
            raise RefreshRejected(told, reason=outcome.reason)
        if isinstance(outcome, Misconfigured):
            error = RefreshMisconfigured(
                f"the refresh endpoint can't be used: {outcome.detail}. The tokens are kept."
            )
            log.error("silent-refresh: %s", error)
        else:
            told = (
                f"the token could not be renewed for now: {outcome.detail}. The tokens are kept; try again."
            )
            error = RefreshUnavailable(told, retry_after=outcome.retry_after)
            error.__cause__ = outcome.cause
        self._cool_down.add(session, error)
        raise error


def _still(session: Session, current: Session | None) -> Session:
    if current is None or current.id != session.id:
        raise SessionChanged("the session ended while the request waited for a new token")
    return current


def _jitter() -> float:
    """Return a number in [0.5, 1), so that a thousand browsers don't come back in one moment."""
    return 0.5 + os.urandom(1)[0] / 512
