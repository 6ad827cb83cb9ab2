"""The same storm twice: through the recipe of the articles (static/recipe.js), then through this library.

Each has a session of its own, in memory; the page's own session is left in peace. Requests and
refreshes are counted at the server. A request hangs when nothing is under way any more and it has no end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from pyscript import js_import

from demo.lab import Lab
from silent_refresh import Client, MemoryStorage, SilentRefresh

CREDENTIALS = {"username": "demo", "password": "demo-password"}
COUNT = 20  # requests
LATE = (0.4, 0.8, 1.2)  # s that some refusals of the old token come after the others
LOOK = 0.5  # s between two looks at whether anything is under way

# What the server is asked to do, after the access token expired: where, and which fault.
STORMS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "late": tuple(
        ("api", fault) for delay in LATE for fault in ({"delay": 0}, {"delay": delay, "after": True})
    ),
    "together": (),
    "refused": (("refresh", {"status": 401, "body": '{"error": "invalid_grant"}'}),),
    "busy": (("refresh", {"status": 503, "times": 2}),),
}


class Result(NamedTuple):
    """One side of the table; `seconds` is None when it never came to an end."""

    sent: int
    refreshes: int
    answered: int
    errors: int
    hung: int
    signed_in: bool
    seconds: float | None


class Compare:
    """Runs storms."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._server = Client(auth=None)

    async def run(self, storm: str) -> tuple[Result, Result]:
        """Run a storm through both: the recipe's result, and this library's."""
        return await self._through_recipe(storm), await self._through_library(storm)

    async def _through_recipe(self, storm: str) -> Result:
        (module,) = await js_import("/static/recipe.js")
        tokens = await self._sign_in()
        page = module.recipe(tokens["accessToken"], tokens["refreshToken"])
        await self._prepare(storm)
        start = time.monotonic()
        tasks = [asyncio.ensure_future(page.get(url)) for url in urls()]
        idle = 0
        while idle < 2 and not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=LOOK)
            idle = 0 if page.underWay else idle + 1
        result = await self._result(tasks, start, signed_in=not page.isSignedOut)
        for task in tasks:
            task.cancel()
        await self._server.post("/logout", json={"refreshToken": page.refreshToken()})
        return result

    async def _through_library(self, storm: str) -> Result:
        auth = SilentRefresh(login=None, store=MemoryStorage())
        await auth.sign_in(await self._sign_in())
        api = Client(auth=auth)
        await self._prepare(storm)
        start = time.monotonic()
        tasks = [asyncio.ensure_future(api.get(url)) for url in urls()]
        await asyncio.wait(tasks)
        result = await self._result(tasks, start, signed_in=auth.signed_in)
        await auth.sign_out()
        auth.close()
        return result

    async def _sign_in(self) -> dict[str, Any]:
        response = await self._server.post("/login", json=CREDENTIALS)
        answer: dict[str, Any] = await response.raise_for_status().json()
        return answer

    async def _prepare(self, storm: str) -> None:
        await self._lab.expire()
        await self._lab.reset()
        for where, fault in STORMS[storm]:
            await self._lab.order(where, **fault)

    async def _result(self, tasks: Sequence[asyncio.Future[Any]], start: float, *, signed_in: bool) -> Result:
        seconds = time.monotonic() - start
        counted = await self._lab.counters()
        await self._lab.reset()  # the faults that were not met
        done = [task for task in tasks if task.done()]
        errors = sum(task.exception() is not None for task in done)
        hung = len(tasks) - len(done)
        return Result(
            counted["api"],
            counted["refresh"],
            len(done) - errors,
            errors,
            hung,
            signed_in,
            None if hung else seconds,
        )


def urls() -> list[str]:
    """Return what a storm asks for."""
    return [f"/api/items/{number}" for number in range(1, COUNT + 1)]
