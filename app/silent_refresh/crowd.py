"""How many requests may be under way at a time, and the queue of those whose turn has not come.

What is more than a connection takes waits in the browser, each with the token that it was given. When that
has run out they are refused one by one, and nothing calls them back: 200 requests are 400. So no more leave
here than a server of HTTP/2 takes as a rule; the others wait, and are given a token when their turn has come.

https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Any

from .errors import RequestTimeout
from .messages import Request

MOST = 100  # requests


class Crowd:
    """The requests of one session: how many are ``inside``, and who is ``held``.

    A request counts itself in and out, and as it goes lets one in of those that are held. Now and then a few
    more than ``MOST`` are inside: who was let in counts from when it goes on.
    """

    __slots__ = ("_alarm", "_due", "_new_future", "held", "inside")

    def __init__(self, new_future: Callable[[], asyncio.Future[Any]]) -> None:
        self._new_future = new_future
        # One for all, at the earliest end: in a browser a timer costs as much as a turn.
        self._alarm: asyncio.TimerHandle | None = None
        self._due = inf
        self.inside = 0
        self.held: OrderedDict[asyncio.Future[Any], float] = OrderedDict()  # until when, by the loop's time

    async def wait(self, request: Request) -> None:
        """Return when it is this request's turn. Raises ``RequestTimeout`` after its own ``timeout``."""
        turn = self._new_future()
        self.held[turn] = until = asyncio.get_running_loop().time() + (request.timeout or inf)
        self._watch(until)
        try:
            await turn
        except TimeoutError:
            raise RequestTimeout(
                f"{request!r} was not sent within {request.timeout:g} s: {MOST} others were under way",
                request=request,
            ) from None
        except BaseException:
            self.held.pop(turn, None)
            if not turn.cancelled():  # it was let in, and doesn't go
                self.let_in()
            raise

    def let_in(self) -> None:
        """Let the next one go on, if any is held."""
        while self.held:
            turn, _ = self.held.popitem(last=False)
            if not turn.done():  # else it was cancelled in this very moment
                turn.set_result(None)
                return

    def let_all_in(self) -> None:
        """Let all go on: the session is over, as they will see."""
        while self.held:
            self.let_in()

    def _watch(self, until: float) -> None:
        if until < self._due:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm, self._due = asyncio.get_running_loop().call_at(until, self._ring), until

    def _ring(self) -> None:
        self._alarm, self._due = None, inf
        now = asyncio.get_running_loop().time()
        for turn in [turn for turn, until in self.held.items() if until <= now]:
            del self.held[turn]
            if not turn.done():
                turn.set_exception(TimeoutError())
        self._watch(min(self.held.values(), default=inf))
