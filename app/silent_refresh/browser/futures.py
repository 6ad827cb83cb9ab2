"""Futures whose tasks go on without trips through the browser's event loop: in microtasks.

``Answer``: a future whose task goes on in the very microtask in which the answer came.

    answer = Answer(asyncio.get_running_loop())
    start(ticket)                    # JavaScript, which calls back: answer.go_on_with(outcome)
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

It is no ``asyncio.Future``, which asks its loop for the debug mode as it is made, and is asked for its
result: calls that cost 1 µs each. It has what a Task wants of what it waits for, and no more. Its task is
woken here only where the loop would do nothing else with it; in the middle of another task (stack switching
lets that happen), on a stack that is no event loop's, or where ``run_sync`` would be lost, it is woken by the
loop. A cancelled one always is.

``QueueFutures``: futures for tasks that wait on another task; what the queue of a renewal is made of. Who
renews settles them all in the middle of its own task. The loop would wake each by two trips, 100 µs and more
a waiter; here each goes on in a microtask of its own, right after that task. Of its own, since what wakes up
may call ``run_sync``, which would hold the others up.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from asyncio import CancelledError, InvalidStateError, _get_running_loop, current_task
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, Generic, TypeVar

import pyodide_js
from pyodide.ffi import can_run_sync, create_proxy

from .bridge import load_bridge

T = TypeVar("T")
Callback = Callable[[Any], object]


class LoopDetails:
    """An event loop, and what its tasks need to go on without it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at a loop."""
        self.loop = loop
        # A loop gives its own to the thread that it runs in; in Pyodide each stack has a thread state.
        self.firstiter = getattr(loop, "_asyncgen_firstiter_hook", None)
        self.finalizer = getattr(loop, "_asyncgen_finalizer_hook", None)
        # A Task that is woken asks how it went; of a real Future it knows that without a call.
        self.go_on = asyncio.Future[None](loop=loop)
        self.go_on.set_result(None)
        probe = create_proxy(_raise)
        self.always_switches = bool(load_bridge().canSwitch(probe, pyodide_js))
        probe.destroy()


_details: LoopDetails | None = None


def details_of(loop: asyncio.AbstractEventLoop) -> LoopDetails:
    """Return what there is of this loop; a page has one."""
    global _details
    if _details is None or _details.loop is not loop:
        _details = LoopDetails(loop)
    return _details


class Answer(Generic[T]):
    """What one task awaits, to be settled from JavaScript; see this module's prologue."""

    __slots__ = (
        "_abort",
        "_asyncio_future_blocking",
        "_context",
        "_details",
        "_error",
        "_is_settled",
        "_loop",
        "_may_switch",
        "_result",
        "_ticket",
        "_waiter",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        abort: Callable[[int], object] | None = None,
        ticket: int = 0,
    ) -> None:
        """Make one. ``abort(ticket)`` is called when it is cancelled while it waits."""
        self._loop = loop  # a Task looks whether that is its own
        self._abort = abort
        self._ticket = ticket
        self._is_settled = False
        self._error: BaseException | None = None
        self._waiter: Callback | None = None

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._is_settled:
            self._asyncio_future_blocking = True  # as asyncio.Future tells a Task that it is to wait
            yield self
        if self._error is not None:
            raise self._error
        return self._result

    def add_done_callback(self, callback: Callback, *, context: Context) -> None:
        """Let the task, which begins to wait, go on by ``callback``."""
        self._waiter = callback
        self._context = context
        loop = self._loop  # asked as details_of() does, which would cost a call for each request
        details = _details if _details is not None and _details.loop is loop else details_of(loop)
        self._details = details
        # Whether the task can where it begins to wait; to ask costs 1 µs.
        self._may_switch = not details.always_switches and can_run_sync()

    def done(self) -> bool:
        """Whether it is settled."""
        return self._is_settled

    def cancelled(self) -> bool:
        """Whether its task was cancelled while it waited."""
        return isinstance(self._error, CancelledError)

    def set_result(self, result: T) -> None:
        """Settle it, and let the task go on with ``result``."""
        self._refuse_if_settled()
        self.go_on_with(result)

    def set_exception(self, error: BaseException) -> None:
        """Settle it, and let the loop raise ``error`` in the task."""
        self._refuse_if_settled()
        self._error = error
        self._wake_by_loop()
        self._is_settled = True  # last: whoever an interrupt struck before may do it again

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel it, and let the loop raise ``CancelledError`` in the task."""
        if self._is_settled:
            return False
        self.set_exception(CancelledError() if msg is None else CancelledError(msg))
        if self._abort is not None:
            self._abort(self._ticket)
        return True

    def _refuse_if_settled(self) -> None:
        if self._is_settled:
            raise InvalidStateError("it is settled already")

    def go_on_with(self, result: T) -> None:
        """Let the task go on with ``result``, if it hasn't yet: here, else by the loop.

        For whoever bridge.js has called, as its ``entering`` does.
        """
        self._is_settled = True
        self._result = result
        waiter, loop = self._waiter, self._loop
        if waiter is None:
            return
        details = self._details
        if not (
            _get_running_loop() is loop
            and current_task(loop) is None
            and (not self._may_switch or can_run_sync())
        ):
            self._wake_by_loop()
            return
        sys.set_asyncgen_hooks(details.firstiter, details.finalizer)
        try:
            self._waiter = None  # not sooner: whom an interrupt strikes before is called once more
            self._context.run(waiter, details.go_on)
        except BaseException as error:  # SystemExit, say: the loop knows what is to be done about it
            loop.call_soon(_raise, error)

    def _wake_by_loop(self) -> None:
        if self._waiter is not None:
            self._loop.call_soon(self._woken_by_loop, context=self._context)

    def _woken_by_loop(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter(self._details.go_on)


def _raise(error: BaseException) -> None:
    raise error


class QueueFuture(Answer[T]):
    """One that Python settles, in the middle of another task: its own goes on in the next microtask."""

    __slots__ = ("_later",)

    def __init__(self, loop: asyncio.AbstractEventLoop, later: Callable[[QueueFuture[T]], object]) -> None:
        """Make one. ``later(future)`` is to lead to ``wake()``."""
        super().__init__(loop)
        self._later = later

    def set_result(self, result: T) -> None:
        """Settle it, and let the task go on with ``result`` soon."""
        self._refuse_if_settled()
        self._result = result
        self._later(self)
        self._is_settled = True  # last, as above

    def wake(self) -> None:
        """Let the task go on, if it hasn't yet."""
        self.go_on_with(self._result)


class QueueFutures:
    """Source of the futures of a page; there's one."""

    def __init__(self, bridge: Any) -> None:
        self._next_number = itertools.count(1).__next__
        self._settled: dict[int, QueueFuture[Any]] = {}
        # Never destroyed: it lives as long as the page.
        self._soon = bridge.soon(create_proxy(self._wake), pyodide_js)

    def future(self) -> QueueFuture[Any]:
        """Return a future for one task."""
        return QueueFuture(asyncio.get_running_loop(), self._later)

    def _later(self, future: QueueFuture[Any]) -> None:
        number = self._next_number()
        self._settled[number] = future
        self._soon(number)

    def _wake(self, number: int) -> None:
        future = self._settled.get(number)
        if future is not None:  # kept until it went on: an interrupt may strike before
            future.wake()
            self._settled.pop(number, None)
