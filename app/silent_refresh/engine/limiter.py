"""How many requests may be under way at a time, and the queue of those that have to wait.

What is more than a connection takes waits in the browser, each with the token that it was given. When that
has run out they are refused one by one, and nothing calls them back: 200 requests are 400. And the refresh
call waits behind them. So no more leave here than a server of HTTP/2 takes as a rule, or, over HTTP/1.1,
than a browser's six connections have carried after four turns: the refresh call is the next. Six alone would
be slower where nothing is refused, and a failing renewal would meet the others again and again. Those that
wait here are given a token when there's room for them.

https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from ..errors import RequestTimeout
from ..http.messages import Request
from ..session.time_limit import call_at

if TYPE_CHECKING:
    from ..platform.ports import OneTasks

MOST = 100  # requests
MOST_OVER_HTTP1 = 20
LOOK = 1.0  # s until somebody looks whether there is room: an interrupt may have struck who was to admit


class Limiter:
    """The requests of one session: how many are ``active``, the ``most`` that may be, and who is ``waiting``.

    A request counts itself in and out, and as it ends admits one of those that wait. Now and then a few more
    than ``most`` are active: who was admitted counts from when it goes on.
    """

    __slots__ = ("_alarm", "_due", "_new_future", "active", "most", "waiting")

    def __init__(self, new_future: Callable[[], OneTasks[Any]]) -> None:
        self._new_future = new_future
        self.most = MOST
        # One for all, at the earliest end: in a browser a timer costs as much as the wait itself.
        self._alarm: asyncio.TimerHandle | None = None
        self._due = inf
        self.active = 0
        self.waiting: OrderedDict[OneTasks[Any], float] = OrderedDict()  # until when (loop time)

    async def wait(self, request: Request) -> None:
        """Return when there is room for this request. Raises ``RequestTimeout`` after its own ``timeout``."""
        admission = self._new_future()
        now = asyncio.get_running_loop().time()
        self.waiting[admission] = until = now + (request.timeout or inf)
        try:
            self._watch(min(until, now + LOOK))
            await admission
        except TimeoutError:
            raise RequestTimeout(
                f"{request!r} was not sent within {request.timeout:g} s: {self.most} others were under way",
                request=request,
            ) from None
        except BaseException:
            self.waiting.pop(admission, None)
            if not admission.cancelled():  # it was admitted, and doesn't go
                self.admit_next()
            raise

    def admit_next(self) -> None:
        """Let the next one go on, if any waits."""
        while self.waiting:
            admission = next(iter(self.waiting))
            is_over = admission.done()  # it was cancelled in this very moment
            if not is_over:
                admission.set_result(None)
            self.waiting.pop(admission, None)
            if not is_over:
                return

    def admit_all(self) -> None:
        """Let all go on: the session is over, as they will see."""
        while self.waiting:
            self.admit_next()

    def _watch(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        if until < self._due or self._due < loop.time():  # or it should have rung: the loop has lost it
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm, self._due = call_at(until, self._ring), until

    def _ring(self) -> None:
        self._alarm, self._due = None, inf
        now = asyncio.get_running_loop().time()
        for admission in [admission for admission, until in self.waiting.items() if until <= now]:
            del self.waiting[admission]
            if not admission.done():
                admission.set_exception(TimeoutError())
        for _ in range(self.most - self.active):
            self.admit_next()
        if self.waiting:
            self._watch(min(now + LOOK, *self.waiting.values()))
