"""A time limit that isn't over because the page itself stood still.

Where much else runs, or the computer slept, timers go off long after their time. What was waited for, the
lock or an answer, may have come meanwhile, and be behind them in the queue: so it is looked at once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

LATE = 0.5  # s after its time that a timer goes off where the page stood still
ONCE_MORE = 1.0  # s for what is in the queue then


def after_a_standstill(due: float) -> float:
    """Return the seconds from now on until a limit that was ``due`` is over; 0 if it went off in time."""
    return ONCE_MORE if asyncio.get_running_loop().time() - due > LATE else 0.0


def call_at(when: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Call it then, by the loop's clock, or at once: Pyodide's ``call_at`` refuses what has just passed."""
    loop = asyncio.get_running_loop()
    return loop.call_later(max(0.0, when - loop.time()), callback)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Raise ``TimeoutError`` when what is inside takes longer."""
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    async with asyncio.timeout(None) as timeout:
        alarm = call_at(due, lambda: timeout.reschedule(loop.time() + after_a_standstill(due)))
        try:
            yield
        finally:
            alarm.cancel()
