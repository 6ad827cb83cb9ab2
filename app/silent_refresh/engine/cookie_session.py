"""A session out of the HttpOnly cookie: how a page in cookie mode signs in unseen when it's loaded.

    auth = SilentRefresh(RefreshEndpoint.cookie("/session/refresh"), store=MemoryStorage())
    await auth.refresh()  # signed in, or RefreshRejected: there's no good cookie

One call at a time in a page, and one tab at a time: the cookie is everybody's, and rotates. Another tab's
session that turns up meanwhile is taken as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import (
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    SessionChanged,
    SilentRefreshError,
    copy_of,
)
from ..events import Events
from ..protocol.guard import Refresh, raise_if_within
from ..protocol.result import Misconfigured, RefreshResult, Rejected, Rotated
from ..session.manager import SessionManager
from ..session.shared import Observer
from ..session.time_limit import time_limit
from .in_flight import InFlight, outcome_of

if TYPE_CHECKING:
    from ..platform.ports import Clock, OneTasks

log = logging.getLogger("silent_refresh")

ASK_AGAIN = 2.0  # s until the server is asked again by itself, after no answer


class CookieSignIn:
    """Begins a session; ``began`` is told. ``timeout`` (s) is for the answer, ``wait`` (s) for other tabs."""

    def __init__(
        self,
        manager: SessionManager,
        refresh: Refresh,
        events: Events,
        clock: Clock,
        *,
        timeout: float,
        wait: float,
        began: Callable[[], None],
        new_future: Callable[[], OneTasks[None]],
        by: Observer,
    ) -> None:
        self._by = by
        self._manager = manager
        self._refresh = refresh
        self._events = events
        self._now = clock.monotonic
        self._timeout = timeout
        self._wait = wait
        self._began = began
        self._new_future = new_future
        self._in_flight: InFlight[None] | None = None
        self._is_asked = False  # by itself
        self._unanswered: RefreshUnavailable | None = None
        self._ask_again_at = 0.0

    async def __call__(self) -> None:
        """Begin a session, or wait until that is done. Raises ``SessionChanged`` or a ``RefreshError``."""
        raise_if_within(self._refresh)
        if self._in_flight is not None:
            self._in_flight.write_off_if_overdue()
        await (self._in_flight or self._start()).wait()

    async def by_itself(self) -> None:
        """Begin one for a page that hasn't asked for it: once, and again while the server doesn't answer."""
        if self._is_asked:
            return
        if self._unanswered is not None and self._now() < self._ask_again_at:
            raise copy_of(self._unanswered)
        try:
            await self()
        except RefreshUnavailable as error:
            self._unanswered = error
            self._ask_again_at = self._now() + (error.retry_after or ASK_AGAIN)
            raise
        except (RefreshRejected, SessionChanged):
            self._is_asked = True  # there's no good cookie, until somebody signs in
        except RefreshMisconfigured as error:
            self._is_asked = True
            log.error("silent-refresh: %s", error)

    def ask_no_more(self) -> None:
        """Begin none by itself from now on."""
        self._is_asked = True

    def abandon(self) -> None:
        """Drop what is under way: the user signed out, or the page goes."""
        if self._in_flight is not None:
            self._in_flight.abandon(SessionChanged("signed out meanwhile"))

    def _start(self) -> InFlight[None]:
        self._in_flight = in_flight = InFlight(self._new_future, self._over, patience=2 * self._wait)
        in_flight.start(self._run(in_flight))
        return in_flight

    async def _run(self, in_flight: InFlight[None]) -> None:
        in_flight.land(await outcome_of(self._in_lock()))

    def _over(self, in_flight: InFlight[None], outcome: SilentRefreshError | None) -> None:
        if self._in_flight is in_flight:
            self._in_flight = None
        if outcome is not None:
            self._events.emit("refresh-failed", reason=type(outcome).__name__)

    async def _in_lock(self) -> None:
        async with self._manager.lock(wait=self._wait):
            if await self._manager.catch_up() is None:
                await self._begin(await self._ask())

    async def _ask(self) -> RefreshResult:
        self._events.emit("refresh-started")
        try:
            async with time_limit(self._timeout):
                return await self._refresh(None)
        except TimeoutError as error:
            raise RefreshUnavailable(f"no answer came within {self._timeout:g} s: try again") from error

    async def _begin(self, result: RefreshResult) -> None:
        if isinstance(result, Rejected):
            told = f"the server knows no session of this browser's ({result.reason}): sign in"
            raise RefreshRejected(told, reason=result.reason)
        if isinstance(result, Misconfigured):
            raise RefreshMisconfigured(f"the refresh endpoint can't be used: {result.detail}")
        if not isinstance(result, Rotated):
            told = f"no session could be had for now: {result.detail}. Try again."
            raise RefreshUnavailable(told, retry_after=result.retry_after) from result.cause
        if self._manager.session is not None:
            return  # the user was faster
        session = await self._manager.begin_in_lock(result.tokens, self._by)
        self._began()
        self._events.emit("refresh-done", generation=session.generation)
        self._events.emit("signed-in", generation=session.generation)
