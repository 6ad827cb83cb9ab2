"""A page that stands still for a while, and whose timers go off before it sees what came meanwhile: F65."""

from __future__ import annotations

import asyncio

import pytest

from silent_refresh import Client, RefreshUnavailable
from silent_refresh.engine.in_flight import InFlight
from silent_refresh.session.time_limit import time_limit
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


@pytest.mark.parametrize("late", [0, 20], ids=["in time", "after a standstill"])
@pytest.mark.parametrize("early", [0, 0.0005], ids=["its timers are exact", "they go off early"])
async def test_f9_what_never_ends_is_written_off(
    monkeypatch: pytest.MonkeyPatch, late: float, early: float
) -> None:
    """A browser's timers go off a little before their time, and time passes between two looks at it (F9)."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    plain = loop.call_later
    monkeypatch.setattr(
        loop,
        "call_later",
        lambda delay, *what, **more: plain(max(delay - early, min(delay, 0)), *what, **more),
    )
    flight = InFlight[None](loop.create_future, lambda flight, outcome: None, patience=10)

    async def hang() -> None:
        await loop.create_future()

    flight.start(hang())
    if late:
        stand_still(5, late)
    loop.tick = 0.0001

    with pytest.raises(RefreshUnavailable, match="did not end in time"):
        await flight.wait()


async def test_a_limit_that_is_over_before_it_begins() -> None:
    """It took all the time to get there."""
    with pytest.raises(TimeoutError):
        async with time_limit(-0.5):
            await later(1)
