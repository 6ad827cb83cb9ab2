"""A session out of the HttpOnly cookie: how a page in cookie mode signs in unseen when it's loaded.

    auth = SilentRefresh(RefreshEndpoint.cookie("/session/refresh"), store=MemoryStorage())
    await auth.refresh()  # signed in, or RefreshRejected: there's no good cookie

One call at a time in a page, and one tab at a time: the cookie is everybody's, and rotates. Another tab's
session that turns up meanwhile is taken as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
from .outcome import Misconfigured, Outcome, Rejected, Rotated
from .ports import Coordinator, Platform, SessionStore
from .refresh import Refresh
from .stores import Alone, TakingTurns
from .vault import Vault


def coordinator_of(store: SessionStore, endpoint: object, platform: Platform) -> Coordinator:
    """Return what lets tabs take turns: those that share the store, and those that share the cookie."""
    if store.shared:
        return platform.coordinator(store.key)
    shares_cookie = getattr(endpoint, "credentials", "omit") != "omit"
    return TakingTurns(platform.coordinator(store.key)) if shares_cookie else Alone()


class CookieSignIn:
    """Begins a session; ``began`` is told. ``timeout`` (s) is for the answer, ``wait`` (s) for other tabs."""

    def __init__(
        self,
        vault: Vault,
        refresh: Refresh,
        events: Events,
        *,
        timeout: float,
        wait: float,
        began: Callable[[], None],
    ) -> None:
        self._vault = vault
        self._refresh = refresh
        self._events = events
        self._timeout = timeout
        self._wait = wait
        self._began = began
        self._task: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Begin a session, or wait until that is done. Raises ``SessionChanged`` or a ``RefreshError``."""
        task = self._task
        if task is None or task.done():
            task = self._task = asyncio.ensure_future(self._run())
        await asyncio.wait({task})  # whoever is cancelled here strands nobody
        error = SessionChanged("signed out meanwhile") if task.cancelled() else task.exception()
        if error is not None:
            raise copy_of(error)

    def abandon(self) -> None:
        """Drop what is under way: the user signed out, or the page goes."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with self._vault.turn(wait=self._wait):
                if await self._vault.catch_up() is None:
                    await self._begin(await self._ask())
        except Exception as error:
            self._events.emit("refresh-failed", reason=type(error).__name__)
            if isinstance(error, SilentRefreshError):
                raise
            raise RefreshError(f"the refresh failed with {type(error).__name__}") from error

    async def _ask(self) -> Outcome:
        self._events.emit("refresh-started")
        try:
            async with asyncio.timeout(self._timeout):
                return await self._refresh(None)
        except TimeoutError as error:
            raise RefreshUnavailable(f"no answer came within {self._timeout:g} s: try again") from error

    async def _begin(self, outcome: Outcome) -> None:
        if isinstance(outcome, Rejected):
            told = f"the server knows no session of this browser's ({outcome.reason}): sign in"
            raise RefreshRejected(told, reason=outcome.reason)
        if isinstance(outcome, Misconfigured):
            raise RefreshMisconfigured(f"the refresh endpoint can't be used: {outcome.detail}")
        if not isinstance(outcome, Rotated):
            told = f"no session could be had for now: {outcome.detail}. Try again."
            raise RefreshUnavailable(told, retry_after=outcome.retry_after) from outcome.cause
        if self._vault.session is not None:
            return  # the user was faster
        session = await self._vault.begin_in_turn(outcome.tokens)
        self._began()
        self._events.emit("refresh-done", generation=session.generation)
        self._events.emit("signed-in", generation=session.generation)
