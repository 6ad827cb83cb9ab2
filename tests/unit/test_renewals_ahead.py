"""A renewal ahead of time that can't be had: the request goes out with what there is; its answer counts."""

from __future__ import annotations

import asyncio
import json
from asyncio import gather

import pytest

from silent_refresh import (
    Client,
    Event,
    NotSignedIn,
    RefreshMisconfigured,
    RefreshUnavailable,
    Request,
    Response,
    SilentRefresh,
    Tokens,
)
from silent_refresh.engine.limiter import MOST
from tests.world.browser import Tab
from tests.world.loop import later, until
from tests.world.provider import NOW, jwt
from tests.world.server import Answer, Call, Server, saying, silence

CACHED = "/api/orders"


@pytest.fixture
async def ended(client: Client, server: Server) -> Client:
    """Return the client when the token's time is over, by the clock."""
    await later(server.access_ttl + 1)
    return client


async def whoever(call: Call) -> Answer:
    """Answer all, as for a public file."""
    return Answer(200, {"token": call.token})


@pytest.mark.parametrize("status", [503, 404, 429])
async def test_f63_what_needs_no_token_is_answered_while_the_refresh_endpoint_is_down(
    ended: Client, server: Server, auth: SilentRefresh, status: int
) -> None:
    """It is sent with the old token, and costs no further refresh call in the next moment (F63)."""
    server.routes["/api/words"] = whoever
    server.on_refresh = [saying(status)] * 100

    first = await (await ended.get("words")).json()
    calls = server.refresh_calls

    assert auth.tokens
    assert auth.tokens.access_token == first["token"]
    assert {200} == {(await ended.get("words")).status for _ in range(3)}
    assert calls == server.refresh_calls


@pytest.mark.parametrize(
    ("answer", "error"), [(saying(503), RefreshUnavailable), (saying(404), RefreshMisconfigured)]
)
async def test_f37_a_401_tells_that_there_is_no_new_token(
    ended: Client, server: Server, auth: SilentRefresh, tab: Tab, answer: object, error: type[Exception]
) -> None:
    """What the renewal came to is the caller's: it isn't tried a second time for one request (F37)."""
    server.on_refresh = [answer] * 100  # type: ignore[list-item]

    with pytest.raises(error):
        await ended.get("me", headers={"X-Request-ID": "1"})

    assert 1 == server.sent["1"]
    assert server.refresh_calls <= 3
    assert auth.signed_in
    assert [] == tab.gone_to


async def test_f36_offline_the_page_has_what_a_service_worker_kept(tab: Tab, server: Server) -> None:
    """The request is sent, whether or not the token's end is known (F36)."""
    send = tab.platform.transport

    async def through_service_worker(request: Request) -> Response:
        if request.url == CACHED:
            return Response(200, "", CACHED, request, text="[]")
        return await send(request)

    tab.platform = tab.platform._replace(transport=through_service_worker)
    auth, client = tab.sign()
    await auth.sign_in(server.sign_in())
    await later(server.access_ttl + 1)
    server.reachable = False

    assert 200 == (await client.get("orders")).status
    with pytest.raises(RefreshUnavailable):
        await auth.access_token()  # there's no answer that could tell
    server.reachable = True
    assert 200 == (await client.get("me")).status


async def test_f63_who_joined_a_renewal_in_vain_goes_on(client: Client, server: Server) -> None:
    """The one that was refused is told; the others ask the server by themselves (F63)."""
    server.routes["/api/words"] = whoever
    server.expire()
    server.on_refresh = [silence]
    refused = asyncio.ensure_future(client.get("me"))
    await until(lambda: server.refresh_calls > 0)

    joined = await gather(client.get("words"), client.get("me"), return_exceptions=True)

    assert [200, "RefreshUnavailable"] == [getattr(end, "status", type(end).__name__) for end in joined]
    with pytest.raises(RefreshUnavailable):
        await refused
    assert 1 == server.refresh_calls


async def test_f2_a_token_that_came_meanwhile_is_used(
    ended: Client, server: Server, auth: SilentRefresh
) -> None:
    """The renewal was in vain, and another one wasn't by the time of the 401 (F2)."""

    async def slow(call: Call) -> Answer:
        good = server.user_of(call.token)
        await later(5)
        return Answer(200, {}) if good else server.refusal()

    server.routes["/api/slow"] = slow
    server.on_refresh = [saying(404)]
    late = asyncio.ensure_future(ended.get("slow"))
    await later(2)
    await auth.refresh()

    assert 200 == (await late).status
    assert 1 == server.refreshes


async def test_f68_what_waited_is_not_sent_as_another_user(
    ended: Client, server: Server, auth: SilentRefresh, tab: Tab
) -> None:
    """Though Bob signs in, in another tab, in the very moment in which the renewal has failed (F68)."""

    def switch(event: Event) -> None:
        if event.name == "refresh-failed":
            bob = server.sign_in("bob")
            tokens = {"access_token": bob["accessToken"], "refresh_token": bob["refreshToken"]}
            tab.view["silent-refresh"] = json.dumps({"id": "bob", "generation": 9, **tokens})
            for changed in list(tab.storage_listeners):
                changed()

    auth.listen(switch)
    server.on_refresh = [saying(404)]

    with pytest.raises(RefreshMisconfigured):
        await ended.get("me")
    assert ["/refresh"] == [call.path for call in server.calls]
    assert "bob" == (await (await ended.get("me")).json())["user"]


# Requests that outlive the page


async def in_one_turn(auth: SilentRefresh, request: Request) -> list[Request]:
    """Return what is sent before the event loop turns for the first time."""
    sent: list[Request] = []

    async def send(request: Request) -> Response:
        sent.append(request)
        return Response(204, "", request.url, request, text="")

    with pytest.raises(StopIteration) as end:
        auth(request, send).__await__().send(None)  # type: ignore[attr-defined]
    assert 204 == end.value.value.status
    return sent


def beacon() -> Request:
    """Return what a page sends in its last moment."""
    return Request("POST", "/api/draft", body="{}", options={"keepalive": True})


async def test_f62_a_keepalive_request_waits_for_no_renewal(ended: Client, auth: SilentRefresh) -> None:
    """The page may be gone in the next moment: the token that there is goes with it."""
    [sent] = await in_one_turn(auth, beacon())

    assert sent.credential is not None
    assert auth.tokens
    assert auth.tokens.access_token == sent.credential.token


async def test_f62_nor_for_one_under_way_nor_for_others(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """However many requests are under way."""
    server.expire()
    server.on_refresh = [silence]
    waiting = [asyncio.ensure_future(client.get("me")) for _ in range(MOST)]
    await until(lambda: server.refresh_calls > 0)

    assert 1 == len(await in_one_turn(auth, beacon()))
    await gather(*waiting, return_exceptions=True)


async def test_f13_a_keepalive_request_of_nobody_goes_without_a_token(auth: SilentRefresh) -> None:
    """There is none."""
    [sent] = await in_one_turn(auth, beacon())

    assert sent.credential is None
    with pytest.raises(NotSignedIn):
        await auth.access_token()


async def test_a_jwt_that_says_only_when_it_ends_has_a_life(tab: Tab, server: Server) -> None:
    """Counted from its receipt: PocketBase answers a stale one 200 with nothing, so no 401 tells."""
    token = jwt({"exp": NOW + 100})
    auth, client = tab.sign()
    await auth.sign_in(Tokens(token, server.sign_in()["refreshToken"]))
    server.routes["/api/x"] = saying(200, {"items": []})
    await client.get("x")
    assert 0 == server.refresh_calls

    await later(80)
    await client.get("x")
    assert 1 == server.refresh_calls


@pytest.mark.parametrize("ends", [NOW - 100, "soon", None, 1e300])
async def test_a_clock_that_is_wrong_makes_no_life(tab: Tab, ends: object) -> None:
    """The first 401 tells then (F60)."""
    auth, _ = tab.sign()
    await auth.sign_in(Tokens(jwt({"exp": ends}), "r"))

    assert auth.tokens is not None
    assert auth.tokens.expires_in is None


async def test_f37_who_can_wait_asks_a_server_in_trouble_once(client: Client, server: Server) -> None:
    """The token is good for a while; whoever needs a new one tries again at once (F37)."""
    await later(server.access_ttl - 5)
    server.on_refresh = [saying(503)] * 2
    assert 200 == (await client.get("me")).status
    assert 1 == server.refresh_calls

    server.expire()
    assert 200 == (await client.get("me")).status
    assert (3, 1) == (server.refresh_calls, server.refreshes)


@pytest.mark.parametrize("is_first", [True, False], ids=["who can wait is first", "who can not"])
async def test_f37_who_can_not_wait_has_it_tried_again_for_both(
    client: Client, server: Server, auth: SilentRefresh, is_first: bool
) -> None:
    """Both wait for the same renewal (F37)."""

    async def slowly(call: Call) -> Answer:
        await later(2)
        return Answer(503)

    await later(server.access_ttl - 5)
    server.on_refresh = [slowly]
    both = [client.get("me"), auth.refresh()]
    if not is_first:
        both.reverse()
    first = asyncio.ensure_future(both[0])
    await until(lambda: server.refresh_calls == 1)
    await gather(first, both[1])

    assert (2, 1) == (server.refresh_calls, server.refreshes)
