"""One task under way, and those who wait for what comes of it: they are told, however it ends.

A task may end, or never go on, in ways that its own code doesn't see. The page cancels all tasks, this one
before it has run a line; ``SystemExit`` or ``CancelledError`` comes out of a function of the page's;
``KeyboardInterrupt``, which Pyodide's interrupt buffer raises anywhere, strikes the event loop, and a
callback is lost. So nobody waits for the task itself, and it is written off when it is overdue.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import RefreshError, RefreshUnavailable, SilentRefreshError, copy_of
from ..session.time_limit import after_a_standstill, call_at

if TYPE_CHECKING:
    from ..platform.ports import OneTasks

GRACE = 1.0  # s that a task has to end in when it is cancelled

T = TypeVar("T")


async def outcome_of(job: Awaitable[T]) -> T | SilentRefreshError:
    """Return what a job returns, or the error to tell those who wait for it."""
    try:
        return await job
    except SilentRefreshError as error:
        return error
    except Exception as error:
        failure = RefreshError(f"the refresh failed with {type(error).__name__}; the tokens are kept")
        failure.__cause__ = error
        return failure


def _put_down(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        asyncio.get_running_loop().call_later(GRACE, _close, task)


def _close(task: asyncio.Task[None]) -> None:
    """End a task that hears of no cancelling, for the event loop has lost it: it may hold the lock."""
    coroutine = task.get_coro()
    if not task.done() and coroutine is not None:
        with contextlib.suppress(
            Exception
        ):  # it is in the middle of something, or doesn't let itself be ended
            coroutine.close()


class InFlight(Generic[T]):
    """A task, and the queue of those who wait for it, first come, first served.

    ``over(it, outcome)`` is called once, or again if something struck it, before anybody goes on;
    ``outcome`` is ``None`` when it was abandoned. It is overdue after ``patience`` seconds. ``new_future``
    makes one for each who waits.
    """

    def __init__(
        self,
        new_future: Callable[[], OneTasks[T]],
        over: Callable[[InFlight[T], T | SilentRefreshError | None], None],
        *,
        patience: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._new_future = new_future
        self._over: Callable[[InFlight[T], T | SilentRefreshError | None], None] | None = over
        self._due = loop.time() + patience
        self._alarm = call_at(self._due, self._ring)
        self._waiters: dict[OneTasks[T], None] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, job: Coroutine[Any, Any, None]) -> None:
        """Run ``job``, which ends with ``land``."""
        self._task = asyncio.ensure_future(job)
        self._task.add_done_callback(self._ended)

    async def wait(self) -> T:
        """Join the queue."""
        waiter = self._new_future()
        self._waiters[waiter] = None
        if self._over is None:  # there are loops that run a task as soon as it is made
            self._release()
        try:
            return await waiter
        finally:
            self._waiters.pop(waiter, None)

    def land(self, outcome: T | SilentRefreshError) -> None:
        """Let everybody go on with the outcome, or each with an exception of its own."""
        if self._over is not None:
            self._outcome = outcome
        self._end(outcome)
        task, self._task = self._task, None
        if task is not None:  # nobody is left to be told: a turn of the loop less, in a browser
            task.remove_done_callback(self._ended)

    def abandon(self, error: SilentRefreshError) -> None:
        """Drop it: those who wait get ``error``, what would come of it nobody."""
        if self._over is not None:
            self._outcome, task = error, self._task
            self._end(None)
            _put_down(task)

    def write_off_if_overdue(self) -> None:
        """Drop it when it should have ended long ago: it hangs, or the event loop has lost it."""
        if asyncio.get_running_loop().time() >= self._due:
            self._write_off()

    def _write_off(self) -> None:
        if self._over is not None:
            task = self._task
            self.land(RefreshUnavailable("the renewal did not end in time and is given up; try again"))
            _put_down(task)

    def _ring(self) -> None:
        self._due = asyncio.get_running_loop().time() + after_a_standstill(self._due)
        # Whatever the clock says then: a browser's timers go off a little before their time, too.
        self._alarm = call_at(self._due, self._write_off)

    def _ended(self, task: asyncio.Task[None]) -> None:
        how = "CancelledError" if task.cancelled() else type(task.exception()).__name__
        self.land(RefreshUnavailable(f"the renewal was ended before it was done ({how}); try again"))

    def _end(self, outcome: T | SilentRefreshError | None) -> None:
        try:
            if self._over is not None:
                self._over(self, outcome)
                # Now: had that been struck, the end of the task would do it again, or the alarm.
                self._over = None
                self._alarm.cancel()
        finally:
            self._release()

    def _release(self) -> None:
        for waiter in list(self._waiters):
            if waiter.done():  # released already, or cancelled in this very moment
                continue
            if isinstance(self._outcome, SilentRefreshError):
                waiter.set_exception(copy_of(self._outcome))
            else:
                waiter.set_result(self._outcome)
