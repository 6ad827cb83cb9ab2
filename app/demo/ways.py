"""Five ways to send a request, all at once, with an access token that has run out: how often is it renewed?

``Client``, JavaScript's ``fetch`` and ``pyfetch`` under ``install(auth)``, ``requests`` over pyodide-http,
and a worker (static/ways_worker.mjs), which has an engine of its own and this origin's session. Each gets
ready first; what the server counts from then on is theirs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import js
import pyodide_js
from pyodide.ffi import JsException, to_js
from pyscript import config, js_import

from demo.lab import Lab
from silent_refresh import Client, RequestsAuth, SilentRefresh, install

log = logging.getLogger("demo")
PROFILE = "/api/profile"
HELD_UP = 0.3  # s that the renewal takes, so that each of them has been refused by then
WAYS = ("client", "fetch", "pyfetch", "requests", "worker")


class Outcome(NamedTuple):
    """What came of it: a status, or the name of an error, for each way, and what the server counted."""

    ends: tuple[int | str, ...]
    refused: int
    refreshes: int
    reuses: int

    @property
    def is_as_expected(self) -> bool:
        """Whether all were refused, one renewal served them, and all were answered."""
        return set(self.ends) == {200} and (self.refused, self.refreshes, self.reuses) == (len(WAYS), 1, 0)


class Ways:
    """Sends by all of them."""

    def __init__(self, auth: SilentRefresh, api: Client, lab: Lab) -> None:
        self._auth = auth
        self._api = api
        self._lab = lab

    async def run(self) -> Outcome:
        """Get all five ready, let the token expire, send, and ask the server what it saw."""
        requests = await load_requests()
        worker = await open_worker()
        undo = install(self._auth)
        try:
            await self._lab.expire()
            await self._lab.reset()
            await self._lab.order("refresh", delay=HELD_UP)
            from pyodide.http import pyfetch  # under install()

            sends: dict[str, Callable[[], Awaitable[Any]]] = {
                "client": lambda: self._api.get("profile"),
                "fetch": lambda: js.fetch(PROFILE),
                "pyfetch": lambda: pyfetch(PROFILE),
                "requests": lambda: self._by_requests(requests),
                "worker": lambda: worker.send(PROFILE) if worker else _no_worker(),
            }
            ends = await asyncio.gather(*(_end_of(sends[way]) for way in WAYS))
            counted = await self._lab.counters()
        finally:
            undo()
            if worker:
                worker.stop()
            await self._lab.reset()
        return Outcome(tuple(ends), counted["unauthorized"], counted["refresh"], counted["reuse"])

    async def _by_requests(self, requests: Any) -> Any:
        """Wait without ``await``, as its users do; the other tasks go on meanwhile."""
        return requests.get(js.location.origin + PROFILE, auth=RequestsAuth(self._auth))


async def _end_of(send: Callable[[], Awaitable[Any]]) -> int | str:
    """Return a status; a worker's answer is that already."""
    try:
        answer = await send()
    except Exception as error:
        return type(error).__name__
    if isinstance(answer, int):
        return answer
    return int(getattr(answer, "status_code", None) or answer.status)


async def _no_worker() -> None:
    raise RuntimeError("the worker did not start")


async def open_worker() -> Any:
    """Return a worker that knows the session; ``None`` where none starts."""
    (workers,) = await js_import("/static/ways.js")
    try:
        return await workers.openWorker()
    except JsException as error:
        log.warning("the worker did not start: %s", error.message)
        return None


async def load_requests() -> Any:
    """Return ``requests``, sending by pyodide-http; its wheels are loaded now, the first time."""
    await pyodide_js.loadPackage(to_js(list(config["later"]["requests"])), checkIntegrity=False)
    import pyodide_http
    import requests

    pyodide_http.patch_all()
    return requests
