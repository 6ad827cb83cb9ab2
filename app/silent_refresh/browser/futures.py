"""Futures whose tasks go on without trips through the browser's event loop: in microtasks.

``Answer``: a future whose task goes on in the very microtask in which the answer came.

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

``QueueFutures``: futures for tasks that wait on another task; what the queue of a renewal is made of. Who
renews settles them all in the middle of its own task. The loop would wake each by two trips, 100 µs and more
a waiter; here each goes on in a microtask of its own, right after that task. Of its own, since what wakes up
may call ``run_sync``, which would hold the others up.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from asyncio import Future, _get_running_loop, current_task
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar

import pyodide_js
from pyodide.ffi import can_run_sync, create_proxy

T = TypeVar("T")
Callback = Callable[[Any], object]


class Answer(Future[T]):
    """A ``Future`` for one task, to be settled from JavaScript."""

    __slots__ = (
        "_abort",
        "_context",
        "_home",
        "_hooks",
        "_is_shared",
        "_later",
        "_may_switch",
        "_ticket",
        "_waiter",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        abort: Callable[[int], object] | None = None,
        ticket: int = 0,
        *,
        later: Callable[[Answer[T]], object] | None = None,
    ) -> None:
        """Make one.

        ``abort(ticket)`` is called when it is cancelled while it waits; ``later(answer)`` when it was settled
        where its task can't go on, and is to lead to ``wake()`` where it can.
        """
        Future.__init__(self, loop=loop)
        self._home = loop
        self._abort = abort
        self._ticket = ticket
        self._later = later
        self._is_shared = False  # whether Future knows of those who wait
        self._waiter: Callback | None = None  # the task's own, which Future needn't know

    def add_done_callback(self, callback: Callback, *, context: Context | None = None) -> None:
        """Call it with this future when that is done: at once if it stays the only one, else by the loop."""
        if self._is_shared or self._waiter is not None or self.done():
            self._share()
            super().add_done_callback(callback, context=context)
            return
        self._waiter = callback
        self._context = context or copy_context()
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
            callback, self._waiter = self._waiter, None
            super().add_done_callback(callback, context=self._context)

    def set_result(self, result: T, /) -> None:
        """Settle it, and let the task go on with ``result``."""
        Future.set_result(self, result)
        if self._waiter is None:
            return
        if self._later is not None:
            self._later(self)
        else:
            self.wake()

    def wake(self) -> None:
        """Let the task go on, if it hasn't yet: here, or by the loop where it can't be here."""
        waiter, loop = self._waiter, self._home
        if waiter is None:
            return
        if not (
            _get_running_loop() is loop
            and current_task(loop) is None
            and (can_run_sync() or not self._may_switch)
        ):
            self._share()
            return
        self._waiter = None
        sys.set_asyncgen_hooks(*self._hooks)
        try:
            self._context.run(waiter, self)
        except BaseException as error:  # SystemExit, say: the loop knows what is to be done about it
            loop.call_soon(_raise, error)

    def set_exception(self, exception: type | BaseException, /) -> None:
        """Settle it, and let the loop raise ``exception`` in the task."""
        self._share()
        super().set_exception(exception)

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel it, and let the loop raise ``CancelledError`` in the task."""
        self._share()
        cancelled = super().cancel(msg)
        if cancelled and self._abort is not None:
            self._abort(self._ticket)
        return cancelled


def _raise(error: BaseException) -> None:
    raise error


class QueueFutures:
    """Source of the futures of a page; there's one."""

    def __init__(self, bridge: Any) -> None:
        self._next_number = itertools.count(1).__next__
        self._settled: dict[int, Answer[Any]] = {}
        # Never destroyed: it lives as long as the page.
        self._soon = bridge.soon(create_proxy(self._wake), pyodide_js)

    def future(self) -> asyncio.Future[Any]:
        """Return a future for one task."""
        return Answer(asyncio.get_running_loop(), later=self._later)

    def _later(self, answer: Answer[Any]) -> None:
        number = self._next_number()
        self._settled[number] = answer
        self._soon(number)

    def _wake(self, number: int) -> None:
        answer = self._settled.get(number)
        if answer is not None:  # kept until it went on: an interrupt may strike before
            answer.wake()
            self._settled.pop(number, None)
