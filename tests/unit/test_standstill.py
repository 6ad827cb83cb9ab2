"""A page that stands still for a while, and whose timers go off before it sees what came meanwhile: F65."""

from __future__ import annotations

import asyncio

import pytest

from silent_refresh import Client, RefreshUnavailable
from silent_refresh.engine.in_flight import InFlight
from tests.world.browser import Browser
from tests.world.loop import VirtualLoop, later
from tests.world.server import Answer, Call, Server


def stand_still(begin: float, end: float) -> None:
    """Let nothing run in between, in seconds from now."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.call_later(begin, setattr, loop, "now", loop.time() + end)


async def test_f65_the_lock_came_meanwhile(client: Client, server: Server, browser: Browser) -> None:
    """The renewal goes on with it: no other tab had it for too long."""
    browser.delay = lambda what: 14.0 if what == "lock" else 0.0
    server.expire()
    stand_still(5, 40)

    assert 200 == (await client.get("me")).status
    assert 1 == server.refresh_calls


async def test_f65_the_answer_came_meanwhile(client: Client, server: Server) -> None:
    """It holds the new tokens, and the old refresh token is used up."""

    async def slowly(call: Call) -> Answer:
        await later(9)
        return await server.refresh(call)

    server.on_refresh = [slowly]
    server.expire()
    stand_still(5, 40)

    assert 200 == (await client.get("me")).status
    assert 1 == server.refresh_calls


async def test_f65_what_does_not_come_is_given_up(client: Client, server: Server, browser: Browser) -> None:
    """Once more is enough."""
    browser.delay = lambda what: 1e6 if what == "lock" else 0.0
    server.expire()
    stand_still(5, 20)

    with pytest.raises(RefreshUnavailable, match="could not be had"):
        await client.get("me")
    assert 22 > asyncio.get_running_loop().time()


async def test_f65_timers_that_go_off_a_little_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser's do; what is never going to end is written off all the same (F9, F65)."""
    loop = asyncio.get_running_loop()
    plain = loop.call_at
    monkeypatch.setattr(loop, "call_at", lambda when, *what, **more: plain(when - 0.0005, *what, **more))
    flight = InFlight[None](loop.create_future, lambda flight, outcome: None, patience=10)

    async def hang() -> None:
        await loop.create_future()

    flight.start(hang())
    stand_still(5, 20)

    with pytest.raises(RefreshUnavailable, match="did not end in time"):
        await flight.wait()
