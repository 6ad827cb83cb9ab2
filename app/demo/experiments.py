"""The experiments: what each button does, and what it claims.

Each returns what was observed; `claims.py` judges it. Trouble is made by the server's lab, for real:
a refresh that hangs does hang, a broken connection is broken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from demo.lab import Lab
from demo.observed import Observed, names_of
from demo.second_tab import SecondTab
from silent_refresh import Client, Event, RefreshUnavailable, SilentRefresh

STORM = 20  # requests
FOR_ALL = 200  # times that a fault is ordered when it is to meet every call
HANGS = 15  # s, longer than the library waits
TRIES = 5  # to send a request when the trouble is over: the library may ask to wait for a moment


class Bench:
    """The tools of an experiment: the page's session, a client for it, and the lab if there's one."""

    def __init__(self, auth: SilentRefresh, api: Client, lab: Lab, tab: SecondTab) -> None:
        self.lab = lab
        self.has_lab = False
        self.tab = tab
        self._auth = auth
        self._api = api

    async def sign_out(self) -> Observed:
        """Sign out; the page is left."""
        await self._auth.sign_out()
        return Observed()

    async def send(self, count: int) -> Observed:
        """Send so many requests at once, and see what becomes of them."""
        events: list[Event] = []
        before = await self._counters()
        session = self._auth.tokens
        stop = self._auth.listen(events.append)
        start = time.monotonic()
        requests = (self._api.get(f"items/{number}") for number in range(1, count + 1))
        ends = names_of(await asyncio.gather(*requests, return_exceptions=True))
        seconds = time.monotonic() - start
        await asyncio.sleep(0)  # the last events are told now
        stop()
        after = await self._counters()
        calls = sum(event.name == "refresh-started" for event in events)
        return Observed(
            ends,
            tuple(events),
            after["refresh"] - before["refresh"] if self.has_lab else calls,
            after["reuse"] - before["reuse"],
            session is not None and self._auth.signed_in,
            seconds=seconds,
        )

    async def send_later(self) -> int | str:
        """Send one request more, when the trouble is over."""
        await self.lab.reset()
        for _ in range(TRIES):
            try:
                return (await self._api.get("items/1")).status
            except RefreshUnavailable as error:
                await asyncio.sleep(error.retry_after or 0.5)
        return "RefreshUnavailable"

    async def probe(self) -> Observed:
        """Show the access token to the server, without anybody who would renew it."""
        if self._auth.tokens is None:
            return Observed()
        headers = {"Authorization": f"Bearer {self._auth.tokens.access_token}"}
        response = await self._api.get("profile", headers=headers, auth=None)
        return Observed((response.status,))

    async def _counters(self) -> dict[str, int]:
        return await self.lab.counters() if self.has_lab else {"refresh": 0, "reuse": 0}


Run = Callable[[Bench], Awaitable[Observed]]


class Experiment(NamedTuple):
    """One button: its name, what it claims, what it does, and whether that takes the server's lab."""

    name: str
    claims: tuple[str, ...]
    run: Run
    needs_lab: bool = True


def _send(count: int) -> Run:
    return lambda bench: bench.send(count)


async def _unnoticed(bench: Bench) -> Observed:
    await bench.lab.reset()
    await bench.lab.expire()
    return await bench.send(STORM)


async def _expire(bench: Bench) -> Observed:
    await bench.lab.expire()
    return await bench.probe()


async def _revoke(bench: Bench) -> Observed:
    await bench.lab.revoke()
    return await bench.probe()


def _storm(**fault: object) -> Run:
    """Let requests meet an expired token, and their refresh a fault that passes."""

    async def run(bench: Bench) -> Observed:
        await bench.lab.reset()
        await bench.lab.order("refresh", **fault)
        await bench.lab.expire()
        return await bench.send(STORM)

    return run


def _trouble(**fault: object) -> Run:
    """Let requests meet an expired token, and their refresh a fault that lasts until it's taken away."""

    async def run(bench: Bench) -> Observed:
        observed = await _storm(**fault)(bench)
        return observed._replace(later=await bench.send_later())

    return run


async def _second_tab(bench: Bench) -> Observed:
    await bench.tab.open()
    await bench.lab.reset()
    await bench.lab.expire()
    ours, theirs = await asyncio.gather(bench.send(1), bench.tab.ask_to_send())
    counted = await bench.lab.counters()
    return ours._replace(
        refreshes=counted["refresh"],
        reuse=counted["reuse"],
        elsewhere=theirs.end,
        adoptions=int(theirs.adopted) + int(ours.generation == bench.tab.last_adopted),
    )


SEND = ("all-answered", "refresh-if-needed", "sent-twice-at-most")
WELL = ("all-answered", "one-refresh", "sent-twice-at-most")
BADLY = ("own-errors", "tokens-kept", "works-later")

# What the page is about, in one step; it stands beside the picture, the others in a panel of their own.
FIRST = Experiment("unnoticed", WELL, _unnoticed)
EXPERIMENTS = {
    "send": (
        Experiment("send-1", SEND, _send(1), needs_lab=False),
        Experiment("send-20", SEND, _send(20), needs_lab=False),
        Experiment("send-200", SEND, _send(200), needs_lab=False),
    ),
    "tokens": (
        Experiment("expire", ("refused-now",), _expire),
        Experiment("revoke", ("good-for-now",), _revoke),
        Experiment("sign-out", (), Bench.sign_out, needs_lab=False),
    ),
    "trouble": (
        Experiment("slow", WELL, _storm(delay=2)),
        Experiment("flaky", ("all-answered", "three-calls"), _storm(status=503, times=2)),
        Experiment("failing", BADLY, _trouble(status=503, times=FOR_ALL)),
        Experiment("hanging", BADLY, _trouble(delay=HANGS, drop=True, times=FOR_ALL)),
        Experiment("offline", BADLY, _trouble(drop=True, times=FOR_ALL)),
        Experiment("second-tab", ("one-refresh", "other-answered", "one-adopted", "no-reuse"), _second_tab),
    ),
}
