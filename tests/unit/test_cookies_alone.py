"""Sessions whose tokens no script can read, and cookie modes that begin by themselves."""

from __future__ import annotations

import asyncio
from asyncio import gather
from typing import Any

import pytest

from silent_refresh import (
    Client,
    MemoryStorage,
    NotSignedIn,
    RefreshEndpoint,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    SilentRefresh,
    Tokens,
)
from tests.world.browser import Tab
from tests.world.server import Answer, Call, Server, saying

URL = "/session/refresh"


class Jar:
    """Both tokens in the browser's cookies: ``good`` tells whether the access cookie is."""

    def __init__(self, server: Server, answer: Answer) -> None:
        self.good = False
        self.alive = True
        self.calls = 0
        self.sent: list[Call] = []
        self._answer = answer
        server.routes[URL] = self._refresh
        server.routes["/api/me"] = self._me

    async def _refresh(self, call: Call) -> Answer:
        self.calls += 1
        await asyncio.sleep(0.1)
        if not self.alive:
            return Answer(401, {})
        self.good = True
        return self._answer

    async def _me(self, call: Call) -> Answer:
        self.sent.append(call)
        return Answer(200 if self.good else 401, {})


ANSWERS = {
    "dj-rest-auth": Answer(200, {"detail": "refreshed"}),
    "no content": Answer(204, ""),
    "an empty object": Answer(200, {}),
    "an empty body": Answer(200, ""),
}


def page(tab: Tab, **options: Any) -> tuple[SilentRefresh, Client]:
    endpoint = RefreshEndpoint.cookie(URL, **options)
    return tab.sign(refresh=endpoint, store=MemoryStorage())


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_401_renews_by_the_cookie_and_replays(tab: Tab, server: Server, name: str) -> None:
    """No token is in the page, and none is sent."""
    jar = Jar(server, ANSWERS[name])
    auth, client = page(tab)

    await auth.refresh()
    for _ in range(3):
        jar.good = False
        statuses = [answer.status for answer in await gather(*(client.get("me") for _ in range(5)))]
        assert [200] * 5 == statuses

    assert 4 == jar.calls
    assert {None} == {call.token for call in jar.sent}
    with pytest.raises(NotSignedIn, match="in a cookie"):
        await auth.access_token()


async def test_a_sign_in_whose_answer_has_no_token(tab: Tab, server: Server) -> None:
    """With ``access_path=None`` the answer needn't have one; without an answer there's ``in_cookies``."""
    jar = Jar(server, Answer(204, ""))
    auth, client = page(tab, access_path=None)
    await auth.sign_in({"user": {"name": "ada"}})
    assert [200, 1] == [(await client.get("me")).status, jar.calls]

    await auth.sign_in(Tokens.in_cookies())
    assert [200, 1] == [(await client.get("me")).status, jar.calls]
    assert auth.claims is None


async def test_a_dead_cookie_ends_it(tab: Tab, server: Server) -> None:
    """As any refresh token."""
    jar = Jar(server, Answer(204, ""))
    auth, client = page(tab)
    await auth.refresh()
    jar.good = jar.alive = False

    with pytest.raises(RefreshRejected):
        await client.get("me")
    assert [False, 1] == [auth.signed_in, len(tab.gone_to)]


@pytest.mark.parametrize("body", [{"access": "x"}, {"data": {"token": "x"}}, {"jwt": "x"}, [], None])
async def test_f48_a_token_under_another_name_is_not_taken_for_a_cookie(
    tab: Tab, server: Server, body: Any
) -> None:
    """It's loud: the page meant to send it (F48)."""
    Jar(server, Answer(200, body) if body is not None else Answer(200, "<html>"))
    auth, _ = page(tab)

    with pytest.raises(RefreshMisconfigured if body is not None else RefreshUnavailable):
        await auth.refresh()
    assert not auth.signed_in


async def test_f48_outside_of_a_cookie_mode_it_is_a_mistake_as_ever(tab: Tab, server: Server) -> None:
    """Who must hold the refresh token must hold the access token (F48)."""
    auth, _ = tab.sign(retries=0)
    await auth.sign_in(server.sign_in())
    server.on_refresh = [saying(200, {})]

    with pytest.raises(RefreshMisconfigured):
        await auth.refresh()


async def test_an_own_function_may_have_it_so(tab: Tab, server: Server) -> None:
    """It returns nothing, for there is nothing that it could return."""
    jar = Jar(server, Answer(204, ""))

    async def renew(tokens: Tokens | None, send: Any) -> None:
        assert (await send(Request("POST", URL))).ok

    endpoint = RefreshEndpoint(renew, refresh_field=None, credentials="include")
    auth, client = tab.sign(refresh=endpoint, store=MemoryStorage())

    assert 200 == (await client.get("me")).status
    assert [True, 1] == [auth.signed_in, jar.calls]


# By itself


async def test_the_first_request_signs_in_with_the_cookie(tab: Tab, server: Server) -> None:
    """One call, however many requests a page starts with."""
    jar = Jar(server, Answer(204, ""))
    auth, client = page(tab)

    assert {200} == {answer.status for answer in await gather(*(client.get("me") for _ in range(9)))}
    assert [True, 1, []] == [auth.signed_in, jar.calls, tab.gone_to]


async def test_so_does_asking_who_is_signed_in(tab: Tab, server: Server) -> None:
    """``restored()`` knows for certain, and says so when it's nobody."""
    jar = Jar(server, Answer(204, ""))
    auth, _ = page(tab)
    await auth.restored()
    assert auth.signed_in

    jar.alive = False
    nobody, client = page(tab.browser.open("/other"))
    await nobody.restored()
    assert not nobody.signed_in
    jar.good = False
    with pytest.raises(NotSignedIn):
        await client.get("me")
    assert 2 == jar.calls


async def test_a_server_that_is_down_is_no_login(tab: Tab, server: Server) -> None:
    """Public places answer meanwhile; what needs a session is told to come back, and the cookie is good."""
    jar = Jar(server, Answer(204, ""))
    auth, client = page(tab)
    server.routes[URL] = saying(503)
    server.routes["/api/public"] = saying(200, {})

    assert 200 == (await client.get("public")).status
    with pytest.raises(RefreshUnavailable):
        await client.get("me")
    assert [] == tab.gone_to

    server.routes[URL] = jar._refresh
    await asyncio.sleep(3)
    assert 200 == (await client.get("me")).status
    assert auth.signed_in


async def test_f9_who_signed_out_stays_signed_out(tab: Tab, server: Server) -> None:
    """Should the server leave the cookie where it is."""
    jar = Jar(server, Answer(204, ""))
    auth, client = page(tab)
    await auth.restored()
    await auth.sign_out()
    jar.good = False

    with pytest.raises(NotSignedIn):
        await client.get("me")
    assert [False, 1] == [auth.signed_in, jar.calls]


async def test_f14_tabs_begin_one_at_a_time(tab: Tab, server: Server) -> None:
    """The cookie is everybody's, and rotates (F14)."""
    under_way = [0]
    most = [0]

    async def refresh(call: Call) -> Answer:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0.5)
        under_way[0] -= 1
        return Answer(200, {"accessToken": server.sign_in()["accessToken"]})

    server.routes[URL] = refresh
    pages = [page(tab.browser.open(f"/{n}"))[0] for n in range(4)]
    await gather(*(auth.restored() for auth in pages))

    assert [True] * 4 == [auth.signed_in for auth in pages]
    assert [1] == most
