"""An event loop whose time passes only when nothing else is left to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

TICK = 0.001  # s


class Stuck(Exception):
    """Nothing is ready and no timer runs, yet somebody waits: a deadlock."""


class _TimeLapse(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  # chosen at run time
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise Stuck("nothing will ever happen again, and somebody still waits")
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Counts ``now`` in virtual seconds; who sleeps for an hour wakes at once, an hour later.

    As Pyodide's does, it refuses what is to be called in the past; ``tick`` (s) passes at each look at it.
    """

    def __init__(self) -> None:
        selector = _TimeLapse()
        selector.loop = self
        self.now = self.tick = 0.0
        super().__init__(selector)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        self.now += self.tick
        return self.now

    def call_later(self, delay: float, callback: Any, *arguments: Any, context: Any = None) -> Any:
        """Call it after so many virtual seconds."""
        if delay < 0:
            raise ValueError("Can't schedule in the past")
        return super().call_at(self.now + delay, callback, *arguments, context=context)

    def call_at(self, when: float, callback: Any, *arguments: Any, context: Any = None) -> Any:
        """Call it then."""
        return self.call_later(when - self.time(), callback, *arguments, context=context)

    def step(self) -> None:
        """Run what is ready, or else what is due next; no more than one turn."""
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and scheduled:
            self.now = max(self.now, scheduled[0].when())
        self.call_soon(self.stop)
        self.run_forever()


async def later(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


async def until(happened: Callable[[], bool]) -> None:
    """Let virtual time pass until something happened, an hour at most."""
    async with asyncio.timeout(3600):
        while not happened():  # noqa: ASYNC110  time is virtual, and no event tells of it
            await asyncio.sleep(TICK)


class VirtualClock:
    """The two clocks of the ``time`` module over the virtual loop; ``skew`` (s) sets the wall clock wrong."""

    def __init__(self, skew: float = 0.0) -> None:
        self.skew = skew

    def monotonic(self) -> float:
        """Return seconds since the world began."""
        return asyncio.get_running_loop().time()

    def time(self) -> float:
        """Return seconds since the epoch, as far as this computer knows."""
        return 1_764_000_000.0 + self.skew + self.monotonic()
