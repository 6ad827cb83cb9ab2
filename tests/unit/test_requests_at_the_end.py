"""Requests while the end of a session is written down, and sign-ins: the login is told why it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from silent_refresh import Client, Event, RefreshEndpoint, SilentRefresh, SilentRefreshError
from tests.world.browser import Browser, Tab
from tests.world.loop import later
from tests.world.server import Server

LIFE = 20.0  # s

Deed = Callable[[SilentRefresh, Client, Server], Awaitable[object]]


async def sign_out(auth: SilentRefresh, client: Client, server: Server) -> None:
    await auth.sign_out()


async def reject(auth: SilentRefresh, client: Client, server: Server) -> None:
    server.revoke()
    server.expire()
    await client.get("me")


async def grow_old(auth: SilentRefresh, client: Client, server: Server) -> None:
    await later(LIFE + 10)


async def lose(auth: SilentRefresh, client: Client, server: Server) -> None:
    await auth.sign_in({"accessToken": "one that can't be renewed"})
    await client.get("me")


ENDS: dict[str, tuple[Deed, dict[str, Any]]] = {
    "sign_out": (sign_out, {}),
    "rejected": (reject, {}),
    "max_age": (grow_old, {"max_age": LIFE}),
    "idle": (grow_old, {"idle": LIFE}),
    "no_refresh_token": (lose, {}),
}


@pytest.fixture
def tab(browser: Browser, server: Server) -> Tab:
    """Return a page in whose browser, and to whose server, everything takes its time."""
    browser.delay = lambda what: 0.3
    server.delay = lambda way: 0.05
    return browser.open("/orders")


async def begin_to_end(
    tab: Tab, server: Server, reason: str
) -> tuple[SilentRefresh, Client, asyncio.Future[object]]:
    """Sign in, and begin what the session ends by."""
    deed, options = ENDS[reason]
    auth, client = tab.sign(refresh=RefreshEndpoint.article(revoke="/logout"), **options)
    await auth.sign_in(server.sign_in())
    return auth, client, asyncio.ensure_future(deed(auth, client, server))


async def until_over(auth: SilentRefresh) -> None:
    while auth.signed_in:
        await later(0.01)


async def ask(client: Client) -> None:
    with suppress(SilentRefreshError):
        await client.get("profile")


@pytest.mark.parametrize("reason", ENDS)
async def test_the_login_is_told_why_the_session_ended(tab: Tab, server: Server, reason: str) -> None:
    """And who listens, first of all: not that nobody was signed in when a request came."""
    auth, client, doing = await begin_to_end(tab, server, reason)
    told: list[Event] = []
    auth.listen(told.append, "signed-out")
    await until_over(auth)
    asking = []
    for _ in range(100):
        asking.append(asyncio.ensure_future(ask(client)))
        await later(0.05)
    await asyncio.gather(*asking)
    with suppress(SilentRefreshError):
        await doing

    assert reason == told[0].reason
    assert [reason] == [url.partition("reason=")[2] for url in tab.gone_to]


@pytest.mark.parametrize("reason", ENDS)
async def test_a_cancelled_end_leads_to_the_login(tab: Tab, server: Server, reason: str) -> None:
    """The page may cancel what runs at any time, as when a view goes."""
    auth, _, doing = await begin_to_end(tab, server, reason)
    await until_over(auth)
    doing.cancel()
    await later(10)

    assert [reason] == [url.partition("reason=")[2] for url in tab.gone_to]


@pytest.mark.parametrize("reason", ENDS)
async def test_whoever_signs_in_meanwhile_stays(tab: Tab, server: Server, reason: str) -> None:
    """The page isn't led away from the new session, nor is told that it had ended."""
    auth, client, doing = await begin_to_end(tab, server, reason)
    await until_over(auth)
    told: list[Event] = []
    auth.listen(told.append, "signed-out", "signed-in")
    await auth.sign_in(server.sign_in("grace"))
    with suppress(SilentRefreshError):
        await doing
    await later(5)

    assert auth.signed_in
    assert ["signed-in"] == [event.name for event in told]
    assert [] == tab.gone_to
    assert 200 == (await client.get("me")).status
