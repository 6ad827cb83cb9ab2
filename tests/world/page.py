"""A page in a simulated browser whose event loop goes on after whatever ends a task, as Pyodide's does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from silent_refresh import Client, MemoryStorage, RefreshEndpoint, Response, SilentRefresh, Tokens
from tests.world.browser import Browser, Tab
from tests.world.loop import VirtualLoop
from tests.world.server import Answer, Call, Server

LONGEST = 60.0  # s that anything may take


class PagesLoop(VirtualLoop):
    """Goes on after ``SystemExit`` and ``KeyboardInterrupt``, as Pyodide's does.

    ``strikes`` is the number of the callback that a keyboard interrupt takes the place of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strikes = 0
        self.called = 0

    def _run_once(self) -> None:
        with suppress(SystemExit, KeyboardInterrupt):
            super()._run_once()  # type: ignore[misc]

    def call_soon(self, callback: Any, *arguments: Any, context: Any = None) -> asyncio.Handle:
        return super().call_soon(self._call, callback, *arguments, context=context)

    def call_later(self, delay: float, callback: Any, *arguments: Any, context: Any = None) -> Any:
        return super().call_later(delay, self._call, callback, *arguments, context=context)

    def _call(self, callback: Any, *arguments: Any) -> None:
        self.called += 1
        if self.called == self.strikes:
            raise KeyboardInterrupt
        callback(*arguments)

    def run(self, job: Coroutine[Any, Any, Any]) -> Any:
        """Return what a job returns, or its error."""
        task = self.create_task(job)
        self.run_for(LONGEST)
        assert task.done(), "it waits for ever"
        return end_of(task)

    def run_for(self, seconds: float) -> None:
        """Let virtual time pass, whatever happens meanwhile."""
        super().call_later(seconds, self.stop)
        self.run_forever()


def end_of(task: asyncio.Task[Any]) -> Any:
    """Return what a task came to: a status, what it returned, or the error."""
    if task.cancelled():
        return asyncio.CancelledError()
    result = task.exception() or task.result()
    return result.status if isinstance(result, Response) else result


class SimulatedPage:
    """A page with one session, in a world of its own."""

    def __init__(self, loop: PagesLoop) -> None:
        self.loop = loop
        self.server = Server()
        self.browser = Browser(self.server)
        self.tab: Tab = self.browser.open()
        self.auth: SilentRefresh
        self.client: Client

    def sign(self, **options: Any) -> None:
        """Make ``auth`` and sign in; the token has expired."""

        async def make() -> None:
            self.auth, self.client = self.tab.sign(**options)

        self.loop.run(make())
        self.sign_in()

    def sign_by_cookie(self, *, takes: float = 0.0) -> None:
        """Make ``auth``; there's a cookie, and no token yet. The call that renews takes so many seconds."""

        async def renew(call: Call) -> Answer:
            await asyncio.sleep(takes)
            return Answer(200, {"accessToken": self.server.sign_in()["accessToken"]})

        async def make() -> None:
            endpoint = RefreshEndpoint.cookie("/session/refresh")
            self.auth, self.client = self.tab.sign(refresh=endpoint, store=MemoryStorage())

        self.server.routes["/session/refresh"] = renew
        self.loop.run(make())

    def sign_in(self) -> None:
        """Sign in, with a token that has expired."""

        async def sign_in() -> None:
            await self.auth.sign_in(self.server.sign_in())

        assert self.loop.run(sign_in()) is None
        self.server.expire()

    def ask(self, count: int = 5) -> list[asyncio.Task[Any]]:
        """Send so many requests at once."""
        return [self.loop.create_task(self.client.get(f"things/{number}")) for number in range(count)]

    def ends(self, count: int = 5, *, within: float = LONGEST) -> list[Any]:
        """Send them, and return what each came to; none may wait for longer than so many seconds."""
        tasks = self.ask(count)
        self.loop.run_for(within)
        assert all(task.done() for task in tasks), "somebody waits for ever"
        return [end_of(task) for task in tasks]

    def is_at_rest(self) -> bool:
        """Whether nothing is under way: no renewal, no request, no lock."""
        session: Any = self.auth._session
        return not (session._renewal._in_flight or session._limiter.active or self.browser.holder)

    async def refresh(self, tokens: Tokens) -> Tokens:
        """Renew, as a page's own function would."""
        answer = await self.server.refresh(
            Call("POST", "/refresh", None, {"refreshToken": tokens.refresh_token})
        )
        return Tokens(answer.body["accessToken"], answer.body["refreshToken"])
