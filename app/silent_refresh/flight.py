"""One renewal under way, and the queue of those who wait for it, each on a future of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .errors import copy_of
from .session import Session


class Flight:
    """One renewal under way and those who wait for it, first come, first served."""

    def __init__(self, session: Session, new_future: Callable[[], asyncio.Future[Session]]) -> None:
        self.session = session
        self._new_future = new_future
        self.task: asyncio.Task[None] | None = None
        self._waiters: dict[asyncio.Future[Session], None] = {}

    async def wait(self) -> Session:
        """Join the queue."""
        waiter = self._new_future()
        self._waiters[waiter] = None
        try:
            return await waiter
        finally:
            self._waiters.pop(waiter, None)

    def release(self, outcome: Session | BaseException) -> None:
        """Let everybody go on with the new session, or each with an exception of its own."""
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            if waiter.done():  # cancelled in this very moment
                continue
            if isinstance(outcome, BaseException):
                waiter.set_exception(copy_of(outcome))
            else:
                waiter.set_result(outcome)
