"""Sign-in, sign-out, cancellation and user switches in the middle of it all: F67–F74, F43, F44."""

from __future__ import annotations

import asyncio
import json
from asyncio import gather

import pytest

from silent_refresh import (
    Client,
    NetworkError,
    RefreshEndpoint,
    RequestTimeout,
    SessionChanged,
    SilentRefresh,
)
from tests.world.browser import Browser, Tab
from tests.world.loop import later, until
from tests.world.server import Answer, Call, Server, saying, silence


@pytest.fixture
async def waiting(client: Client, server: Server) -> asyncio.Task[object]:
    """Return a request that waits for a refresh which takes ten seconds."""

    async def slow(call: Call) -> Answer:
        answer = await server.refresh(call)
        await later(5)
        return answer

    server.expire()
    server.on_refresh = [slow]
    task = asyncio.ensure_future(client.get("me"))
    await until(lambda: server.refresh_calls > 0)
    return task


async def test_f67_a_sign_out_during_a_refresh_discards_its_result(
    auth: SilentRefresh, waiting: asyncio.Task[object], tab: Tab
) -> None:
    """The session never comes back to life, and who waited is told."""
    await auth.sign_out()

    with pytest.raises(SessionChanged):
        await waiting
    await later(20)
    assert not auth.signed_in
    assert {} == tab.view
    assert ["/login?reason=sign_out"] == tab.gone_to


async def test_f68_a_user_switch_rejects_the_requests_of_the_one_before(
    auth: SilentRefresh, waiting: asyncio.Task[object], server: Server
) -> None:
    """Ada's request is never replayed as Bob, and Bob's session stays Bob's."""
    bob = server.sign_in("bob")
    await auth.sign_in(bob)

    with pytest.raises(SessionChanged):
        await waiting
    await later(20)
    assert auth.tokens
    assert bob["accessToken"] == auth.tokens.access_token
    assert {"ada"} == {
        call.token.split("-")[1] for call in server.calls if call.path == "/api/me" and call.token
    }


async def test_f69_a_late_401_of_the_user_before_is_returned_as_it_is(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """It says nothing about Bob's token."""

    async def slow(call: Call) -> Answer:
        await later(5)
        return server.refusal()

    server.routes["/api/slow"] = slow
    late = asyncio.ensure_future(client.get("slow"))
    await until(lambda: bool(server.calls))
    await auth.sign_in(server.sign_in("bob"))

    assert 401 == (await late).status
    assert 0 == server.refresh_calls
    assert auth.signed_in


async def test_f70_a_cancelled_waiter_ends_alone(client: Client, server: Server) -> None:
    """Nobody else notices."""
    server.expire()
    tasks = [asyncio.ensure_future(client.get("me")) for _ in range(5)]
    await until(lambda: server.refresh_calls > 0)

    tasks[2].cancel()
    results = await gather(*tasks, return_exceptions=True)

    assert isinstance(results.pop(2), asyncio.CancelledError)
    assert [200] * 4 == [getattr(result, "status", result) for result in results]
    assert 1 == server.refreshes


async def test_f71_the_refresh_survives_the_request_that_started_it(client: Client, server: Server) -> None:
    """The renewal owns its task."""
    server.expire()
    first = asyncio.ensure_future(client.get("me"))
    await until(lambda: server.refresh_calls > 0)
    second = asyncio.ensure_future(client.get("me"))
    await later(0.001)

    first.cancel()

    assert 200 == (await second).status
    assert 1 == server.refreshes


async def test_f72_a_wrong_password_is_passed_through(browser: Browser, server: Server) -> None:
    """On the login page a 401 with nobody signed in is the form's business."""
    tab = browser.open("/login?next=/orders")
    auth, _ = tab.sign()
    server.routes["/api/session"] = server.routes["/login"] = saying(401, {"error": "invalid_credentials"})

    for url in ("/login", "/api/session"):
        assert 401 == (await Client(auth=auth).post(url, json={"password": "x"})).status

    assert 2 == len(server.calls)
    assert [] == tab.gone_to


async def test_f72_a_sign_in_call_never_carries_a_token(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """The login URL is the way in, whoever is signed in still."""
    server.routes["/login"] = saying(401, {"error": "invalid_credentials"})

    assert 401 == (await Client(auth=auth).post("/login", json={})).status
    assert [None] == [call.token for call in server.calls]


async def test_f73_a_sign_out_offline_clears_the_tokens(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab
) -> None:
    """Revocation is best effort; what's here is gone always."""
    server.reachable = False

    await auth.sign_out()

    assert not auth.signed_in
    assert {} == tab.view
    assert 1 == len(tab.gone_to)


async def test_f74_the_login_page_does_not_redirect_to_itself(browser: Browser, server: Server) -> None:
    """A session that ends there ends quietly."""
    tab = browser.open("/login?reason=rejected")
    auth, client = tab.sign()
    await auth.sign_in(server.sign_in())
    server.expire()
    server.revoke()

    await gather(client.get("me"), return_exceptions=True)

    assert [] == tab.gone_to


async def test_f44_a_post_answered_401_is_replayed_once_with_its_body(client: Client, server: Server) -> None:
    """The server refused it before it did anything."""
    server.expire()

    response = await client.post("notes", json={"text": "hello"}, headers={"X-Request-ID": "1"})

    assert 200 == response.status
    assert 2 == server.sent["1"]
    assert [{"text": "hello"}] * 2 == [call.body for call in server.calls if call.path == "/api/notes"]


async def test_f44_a_post_that_met_a_network_error_is_not_resent(client: Client, server: Server) -> None:
    """It may have had its effect."""
    sent = []

    async def cut(call: Call) -> Answer:
        sent.append(call)
        server.reachable = False
        await later(1)
        raise TimeoutError

    server.routes["/api/notes"] = cut

    with pytest.raises(NetworkError):
        await client.post("notes", json={"text": "hello"})
    assert 1 == len(sent)


async def test_a_request_times_out_on_its_own(client: Client, server: Server) -> None:
    """``timeout`` bounds the wait for the answer."""
    server.routes["/api/slow"] = silence

    with pytest.raises(RequestTimeout) as caught:
        await client.get("slow", timeout=2)
    assert "authorization" not in caught.value.request.headers


async def test_sign_out_revokes_at_the_server(tab: Tab, server: Server) -> None:
    """RFC 7009, where the endpoint names a URL for it."""
    auth, _ = tab.sign(refresh=RefreshEndpoint.article(revoke="/logout"))
    answer = server.sign_in()
    await auth.sign_in(answer)

    await auth.sign_out()

    assert [answer["refreshToken"]] == server.revoked


async def test_after_sign_in_the_next_end_redirects_again(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab
) -> None:
    """One redirect a session, not one a page."""
    for _ in range(2):
        server.expire()
        server.revoke()
        await gather(client.get("me"), return_exceptions=True)
        await auth.sign_in(server.sign_in())

    assert 2 == len(tab.gone_to)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/login?next=/orders%3Fpage%3D2", "/orders?page=2"),
        ("/login?next=https://evil.example/", "/"),
        ("/login?next=//evil.example/", "/"),
        ("/login?next=https://app.example//evil.example/", "/"),
        ("/login?next=javascript:alert(1)", "/"),
        ("/login?next=/login", "/"),
        ("/login", "/"),
    ],
)
async def test_f78_next_is_a_path_of_this_origin(browser: Browser, url: str, path: str) -> None:
    """Anybody can make a link to the login page."""
    auth, _ = browser.open(url).sign()

    assert path == auth.next_path()


async def test_a_record_that_shows_up_after_the_sign_out_is_not_believed(
    auth: SilentRefresh, client: Client, tab: Tab
) -> None:
    """A tab that was renewing in that moment may have stored its result once more."""
    record = json.loads(tab.view["silent-refresh"])
    await auth.sign_out()

    tab.view["silent-refresh"] = json.dumps({**record, "generation": record["generation"] + 1})
    for changed in tab.storage_listeners:
        changed()

    assert not auth.signed_in
