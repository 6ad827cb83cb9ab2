"""A future whose task goes on in the very microtask in which the answer came.

    answer = Answer(asyncio.get_running_loop())
    start(ticket)                    # JavaScript, which calls back: answer.set_result(outcome)
    outcome = await answer

A real Future wakes its task through ``loop.call_soon``, and in Pyodide that is two trips through the
browser's event loop: one to the callback, one more before a call that may switch stacks. They are most of
what a request costs that is answered at once. Measured with a stubbed fetch, one await a request, in µs of
the page's main thread (Chromium 150, Pyodide 314):

    a real Future                                                234
    resumed after one trip, by the proxy's callPromising         125
    resumed here, entered as bridge.js does (``entering``)        55
    resumed here, by a plain call, without run_sync afterwards    53

The last is not ours to choose: after ``await client.get(…)`` a page may call ``run_sync``, or `requests`,
which does.

All else is left to ``asyncio.Future``. Its task is woken here only where the loop would do nothing else with
it; in the middle of another task (stack switching lets that happen), on a stack that is no event loop's, or
where ``run_sync`` would be lost, it is woken by the loop. A cancelled one always is.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import Future
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar

from pyodide.ffi import can_run_sync

T = TypeVar("T")
Callback = Callable[[Any], object]


class Answer(Future[T]):
    """A ``Future`` for one task, to be settled from JavaScript."""

    __slots__ = ("_cancelled", "_home", "_hooks", "_is_shared", "_may_switch", "_waiter")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, cancelled: Callable[[], object] | None = None
    ) -> None:
        """Make one; ``cancelled`` is called when it is cancelled while it waits."""
        super().__init__(loop=loop)
        self._home = loop
        self._cancelled = cancelled
        self._is_shared = False  # whether Future knows of those who wait
        self._waiter: tuple[Callback, Context] | None = None  # the task's own, which Future needn't know

    def add_done_callback(self, callback: Callback, *, context: Context | None = None) -> None:
        """Call it with this future when that is done: at once if it stays the only one, else by the loop."""
        if self._is_shared or self._waiter is not None or self.done():
            self._share()
            super().add_done_callback(callback, context=context)
            return
        self._waiter = callback, context or copy_context()
        self._may_switch = can_run_sync()  # whether the task can where it begins to wait
        self._hooks = sys.get_asyncgen_hooks()  # the thread state there may be another than the next one

    def remove_done_callback(self, callback: Callback, /) -> int:
        """Forget it; return how often it was there."""
        self._share()
        return super().remove_done_callback(callback)

    def _share(self) -> None:
        """Leave the task to Future."""
        self._is_shared = True
        if self._waiter is not None:
            callback, context = self._waiter
            self._waiter = None
            super().add_done_callback(callback, context=context)

    def set_result(self, result: T, /) -> None:
        """Settle it, and let the task go on with ``result``."""
        super().set_result(result)
        self._wake()

    def set_exception(self, exception: type | BaseException, /) -> None:
        """Settle it, and raise ``exception`` in the task."""
        super().set_exception(exception)
        self._wake()

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel it, and let the loop raise ``CancelledError`` in the task."""
        self._share()
        cancelled = super().cancel(msg)
        if cancelled and self._cancelled is not None:
            self._cancelled()
        return cancelled

    def _wake(self) -> None:
        if self._waiter is None:
            return
        callback, context = self._waiter
        if not self._may_wake_here(self._home):
            self._share()
            return
        self._waiter = None
        sys.set_asyncgen_hooks(*self._hooks)
        try:
            context.run(callback, self)
        except BaseException as error:  # SystemExit, say: the loop knows what is to be done about it
            self._home.call_soon(_raise, error)

    def _may_wake_here(self, loop: asyncio.AbstractEventLoop) -> bool:
        return (
            asyncio._get_running_loop() is loop
            and asyncio.current_task(loop) is None
            and (can_run_sync() or not self._may_switch)
        )


def _raise(error: BaseException) -> None:
    raise error
