"""Renews the access token once, however many requests need it: a single flight.

A request whose token was refused asks for ``renew(refused=session)``. The first one starts a renewal; all
wait in its queue, each on a future of its own, so that cancelling one strands nobody. The renewal owns its
task: it takes the lock among tabs, catches up with them, and then decides:

    adopt     another tab renewed already: its tokens are as good
    refresh   send the refresh call, again when that may help, and commit the answer
    give up   the server refused (the session ends), or didn't answer (the tokens stay)

No user code runs while the lock is held; the state is reset before the queue is released.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING

from ..errors import (
    RefreshError,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    SessionChanged,
    SilentRefreshError,
    copy_of,
)
from ..events import Events
from ..protocol.guard import Refresh, raise_if_within
from ..protocol.result import Misconfigured, RefreshResult, Rejected, Rotated, Unavailable
from ..session.shared import Observer, Sessions
from ..session.time_limit import time_limit
from ..session.tokens import Session
from .backoff import CoolDown, pause_before_retry
from .in_flight import InFlight, outcome_of

if TYPE_CHECKING:
    from ..platform.ports import Clock, OneTasks

log = logging.getLogger("silent_refresh")

ASKED_ANEW = 0.1  # s after which a token that was not due may be; each of the two clocks costs a request 2 µs
LOCK_MARGIN = 5.0  # s that the wait for the lock is longer than a refresh may take


class Renewal:
    """Single flight and queue over one session manager.

    ``timeout`` (s) is the deadline of a refresh, its ``retries`` included; ``leeway`` (s) is how long
    before its end a token is renewed; ``rejected`` is told, outside the lock, that the server ended it all;
    ``changed`` that ``usable_session`` may have another answer; ``new_future`` makes one for each who waits;
    ``by`` is who makes the changes.
    """

    def __init__(
        self,
        manager: Sessions,
        refresh: Refresh,
        clock: Clock,
        events: Events,
        *,
        needs_refresh_token: bool,
        begin: Callable[[], Awaitable[None]] | None,
        leeway: float,
        timeout: float,
        retries: int,
        rejected: Callable[[Session, RefreshRejected], None],
        changed: Callable[[], None],
        new_future: Callable[[], OneTasks[Session]],
        by: Observer,
    ) -> None:
        self._by = by
        self._manager = manager
        self._refresh = refresh
        self._clock = clock
        self._events = events
        self._needs_refresh_token = needs_refresh_token
        self._begin = begin
        self._leeway = leeway
        self._timeout = timeout
        self._retries = retries
        self._rejected = rejected
        self._new_future = new_future
        self._in_flight: InFlight[Session] | None = None
        self._renewing: Session | None = None  # that one
        self._refused: Session | None = None
        self._is_ahead = False  # all who wait for the renewal could do without
        self._rejection: tuple[str, RefreshRejected] | None = None  # of the session with this id
        self._cool_down = CoolDown(clock)
        self._refresh_at_once: Refresh | None = None
        self._changed = changed
        self._fresh: Session | None = None  # the last that wasn't due, and when that was found
        self._fresh_at = -inf

    @property
    def _patience(self) -> float:
        """Seconds after which a renewal is overdue: it had the lock, and its deadline is over."""
        return self.longest_wait + self._timeout + LOCK_MARGIN

    @property
    def longest_wait(self) -> float:
        """Seconds after which whoever waits for another tab goes on: longer than its refresh can take."""
        return self._timeout + LOCK_MARGIN

    def can_renew(self, session: Session) -> bool:
        """Tell whether there's a refresh token to renew it with."""
        return not self._needs_refresh_token or session.tokens.refresh_token is not None

    @property
    def is_under_way(self) -> bool:
        """Whether one is."""
        return self._in_flight is not None

    def time_until_due(self, session: Session) -> float | None:
        """Return the seconds until its token is renewed before it is sent; ``None`` for never."""
        return session.time_until_due(self._clock, self._leeway)

    def usable_session(self) -> Session | None:
        """Return the session if its token can be sent right now; ``None`` to ask ``renew_ahead``."""
        session = self._manager.session
        if self._in_flight is not None or session is None:
            return None
        now = self._clock.time()
        if session is not self._fresh or not 0 <= now - self._fresh_at < ASKED_ANEW:
            if session.is_due(self._clock, self._leeway):
                return None
            self._fresh, self._fresh_at = session, now
        return session if self._manager.is_known else None

    def is_held_back(self, session: Session) -> bool:
        """Tell whether a renewal ahead of time would fail at once: one has just failed."""
        return self._in_flight is None and self._cool_down.holds_back(session, ahead=True)

    async def renew_ahead(self) -> Session | None:
        """Return a usable session, its token renewed if it is about to end; ``None`` if nobody is signed in.

        When that fails and the token is good for a while yet, the session goes on with it.
        """
        if not self._manager.is_known and self._manager.at_once:
            raise RefreshUnavailable(
                "the stored session isn't known yet: await auth.restored(), or try again"
            )
        if self._manager.session is None or not self._manager.is_known:
            await self._manager.restored()
            usable = self.usable_session()
            if usable is not None:
                return usable
        if self._manager.session is None and self._begin is not None and not self._manager.at_once:
            await self._begin()
            return self._manager.session
        session = self._manager.session
        if session is None or not self.can_renew(session):
            return session
        try:
            if self._in_flight is None:
                self._cool_down.check(session, ahead=True)
            return await self.join(session, ahead=not self._has_ended(session))
        except (RefreshUnavailable, RefreshMisconfigured):
            if self._refused is session or self._manager.session is not session or self._has_ended(session):
                raise
            return session

    async def renew(self, refused: Session) -> Session:
        """Return a session whose token is newer than that of ``refused``.

        Raises ``SessionChanged`` when that session is over, and ``RefreshError`` when there's no new token.
        """
        current = self._manager.session
        if current is None or current.id != refused.id:
            raise SessionChanged("the session ended before the request could be sent again")
        if current.tokens.access_token == refused.tokens.access_token:
            self._refused = current
        elif self._in_flight is None:
            return current  # a late 401 of an old token: somebody renewed it in the meantime
        return await self.join(current)

    async def raise_rejection(self, session: str) -> None:
        """Raise ``RefreshRejected`` if that ended the session of this id, once every tab can know of it."""
        in_flight, renewing = self._in_flight, self._renewing
        if in_flight and renewing and renewing.id == session and not self._manager.at_once:
            await in_flight.wait()
        if self._rejection is not None and self._rejection[0] == session:
            raise copy_of(self._rejection[1])

    async def join(self, session: Session, *, ahead: bool = False) -> Session:
        """Return a newer session though nobody refused this one: wait for the renewal, or start it.

        For one that comes ``ahead``, and could do without, a server in trouble isn't asked twice.
        """
        raise_if_within(self._refresh)
        if self._manager.at_once:
            return await self._renewed_at_once(session)
        in_flight = self._under_way()
        self._is_ahead = ahead and (in_flight is None or self._is_ahead)
        return await (in_flight or self._start(session)).wait()

    @contextmanager
    def at_once(self, refresh: Refresh | None) -> Iterator[None]:
        """Wait for nothing while this lasts: renew by ``refresh``, which blocks the page, without the lock.

        ``None`` where there's no such refresh: then a renewal starts, and the caller is told to come back.
        That is for a caller that can't be suspended. Another tab may be renewing in the same moment; what it
        has stored is adopted, what it is about to store can't be known.
        """
        self._refresh_at_once, self._manager.at_once = refresh, True
        try:
            yield
        finally:
            self._refresh_at_once, self._manager.at_once = None, False

    async def _renewed_at_once(self, session: Session) -> Session:
        refresh = self._refresh_at_once
        if self._under_way() is None and refresh is None:
            self._start(session)
        if self._in_flight is not None or refresh is None:
            raise RefreshUnavailable(
                "a renewal is under way that this caller can't wait for, as in a synchronous handler, or "
                "where the browser has no stack switching (JSPI): try again"
            )
        self._cool_down.check(session, ahead=False)
        self._manager.look()
        current = _still(session, self._manager.session)
        if self._is_newer(current, session):
            return current
        if self._manager.is_behind(current):
            raise RefreshUnavailable(
                "another tab renewed the token, which isn't to be seen here yet: try again"
            )
        self._events.emit("refresh-started", generation=current.generation)
        try:
            return await self._conclude(current, await refresh(current))
        except SilentRefreshError as error:
            self._note_failure(current, error)
            if isinstance(error, RefreshRejected):
                self._rejected(current, error)
            raise

    def abandon(self, error: SessionChanged) -> None:
        """Drop the renewal because its session is over: its waiters get ``error``, its result nobody."""
        if self._in_flight is not None:
            self._in_flight.abandon(error)

    def _under_way(self) -> InFlight[Session] | None:
        """Return the renewal that there is to wait for; one that is overdue is written off."""
        if self._in_flight is not None:
            self._in_flight.write_off_if_overdue()
        return self._in_flight

    def _start(self, session: Session) -> InFlight[Session]:
        self._cool_down.check(session, ahead=False)
        over = functools.partial(self._over, session)
        self._in_flight = in_flight = InFlight(self._new_future, over, patience=self._patience)
        self._renewing = session
        in_flight.start(self._run(in_flight, session))
        self._changed()
        return in_flight

    async def _run(self, in_flight: InFlight[Session], session: Session) -> None:
        outcome = await outcome_of(self._in_lock(session))
        in_flight.land(outcome)
        if isinstance(outcome, RefreshRejected):
            self._rejected(session, outcome)

    def _over(
        self, session: Session, in_flight: InFlight[Session], outcome: Session | SilentRefreshError | None
    ) -> None:
        """Take a renewal off the books, whatever ended it."""
        if self._in_flight is in_flight:
            self._in_flight = self._renewing = None
        if isinstance(outcome, SilentRefreshError):
            self._note_failure(session, outcome)
        self._changed()

    async def _in_lock(self, session: Session) -> Session:
        async with self._manager.lock(wait=self.longest_wait) as still_held:
            return await self._renewed(session, still_held)

    def _note_failure(self, session: Session, error: SilentRefreshError) -> None:
        self._events.emit("refresh-failed", generation=session.generation, reason=type(error).__name__)
        if isinstance(error, RefreshRejected):
            self._rejection = session.id, error

    async def _renewed(self, session: Session, still_held: Callable[[], bool]) -> Session:
        deadline = asyncio.get_running_loop().time() + self._timeout
        attempt = 0
        while True:
            current = _still(session, await self._manager.catch_up())
            if self._is_newer(current, session):
                return current  # adopted
            if not still_held():
                raise RefreshUnavailable("the lock among tabs was taken away; try again")
            result = await self._ask(current, deadline)
            is_last = attempt >= self._retries
            pause = None if is_last else pause_before_retry(attempt, result, ahead=self._is_ahead)
            if pause is None or asyncio.get_running_loop().time() + pause >= deadline:
                return await self._conclude(current, result)
            await asyncio.sleep(pause)
            attempt += 1

    def _is_newer(self, current: Session, session: Session) -> bool:
        return current.tokens.access_token != session.tokens.access_token and not self._has_ended(current)

    def _has_ended(self, session: Session) -> bool:
        remaining = session.remaining(self._clock)
        return remaining is not None and remaining <= 0

    async def _ask(self, session: Session, deadline: float) -> RefreshResult:
        self._events.emit("refresh-started", generation=session.generation)
        try:
            async with time_limit(deadline - asyncio.get_running_loop().time()):
                return await self._refresh(session)
        except TimeoutError as error:
            return Unavailable(f"it did not answer within {self._timeout:g} s", None, error)

    async def _conclude(self, session: Session, result: RefreshResult) -> Session:
        error: RefreshError
        if isinstance(result, Rotated):
            renewed = session.renewed(result.tokens, clock=self._clock)
            kept = await self._manager.commit(renewed, self._by)
            if kept is None:
                raise SessionChanged(
                    "the session ended while its token was renewed; the new one is discarded"
                )
            self._events.emit("refresh-done", generation=kept.generation)
            return kept
        if isinstance(result, Rejected):
            if not await self._manager.reject(session):
                raise SessionChanged("the session ended while its token was renewed")
            told = result.detail or f"the server refused the refresh token ({result.reason})"
            told += ": sign in again"
            raise RefreshRejected(told, reason=result.reason)
        if isinstance(result, Misconfigured):
            if result.refresh_token is not None:  # the old one may be used up
                kept = await self._manager.commit(
                    session.with_refresh_token(result.refresh_token, clock=self._clock), self._by
                )
                session = kept or session
            error = RefreshMisconfigured(
                f"the refresh endpoint can't be used: {result.detail}. The tokens are kept."
            )
            log.error("silent-refresh: %s", error)
        else:
            told = f"the token could not be renewed for now: {result.detail}. The tokens are kept; try again."
            error = RefreshUnavailable(told, retry_after=result.retry_after)
            error.__cause__ = result.cause
        self._cool_down.add(session, error)
        raise error


def _still(session: Session, current: Session | None) -> Session:
    if current is None or current.id != session.id:
        raise SessionChanged("the session ended while the request waited for a new token")
    return current
