"""Futures for tasks that wait on another task: what the queue of a renewal is made of.

Who renews settles them all in the middle of its own task. The loop would wake each by two trips through the
browser's event loop, 100 µs and more a waiter; here each goes on in a microtask of its own, right after that
task. Of its own, since what wakes up may call ``run_sync``, which would hold the others up.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pyodide_js
from pyodide.ffi import create_proxy

from .answer import Answer


class Waiting:
    """Makes them."""

    def __init__(self, bridge: Any) -> None:
        self._next_number = itertools.count(1).__next__
        self._settled: dict[int, Answer[Any]] = {}
        # Never destroyed: there's one in a page.
        self._soon = bridge.soon(create_proxy(self._wake), getattr(pyodide_js, "_api", None))

    def future(self) -> asyncio.Future[Any]:
        """Return a future for one task."""
        return Answer(asyncio.get_running_loop(), later=self._later)

    def _later(self, answer: Answer[Any]) -> None:
        number = self._next_number()
        self._settled[number] = answer
        self._soon(number)

    def _wake(self, number: int) -> None:
        self._settled.pop(number).wake()
