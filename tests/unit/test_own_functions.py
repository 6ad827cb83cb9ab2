"""A refresh function of the page's is an endpoint too: its errors, what it gets, what it may return."""

from __future__ import annotations

import json
from asyncio import gather
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from silent_refresh import (
    Client,
    MemoryStorage,
    RefreshEndpoint,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    Response,
    SilentRefresh,
    Tokens,
)
from silent_refresh.auth import session_of
from silent_refresh.http.messages import Send
from tests.world.browser import Tab
from tests.world.server import Answer, Call, Server, saying


async def opened(tab: Tab, server: Server, renew: Any, **options: Any) -> tuple[SilentRefresh, Client]:
    """Return a page that renews by this function; ``ada``'s token has ended."""
    auth, client = tab.sign(refresh=renew, **options)
    await auth.sign_in(server.sign_in())
    server.expire()
    return auth, client


def by(plain: Client) -> Callable[[Tokens], Awaitable[Tokens]]:
    """Return the recipe's function."""

    async def renew(tokens: Tokens) -> Tokens:
        response = await plain.post("/refresh", json={"refreshToken": tokens.refresh_token})
        if response.status == 401:
            raise RefreshRejected("the server refused the refresh token", reason="status 401")
        answer = await response.raise_for_status().json()
        return Tokens(answer["accessToken"], answer["refreshToken"])

    return renew


@pytest.fixture
def plain(tab: Tab) -> Client:
    """Return a client without auth."""
    return Client(platform=tab.platform)


async def test_f37_a_503_that_it_meets_is_tried_again(tab: Tab, server: Server, plain: Client) -> None:
    """As with an endpoint (F37)."""
    _, client = await opened(tab, server, by(plain))
    server.on_refresh = [saying(503), saying(503)]

    assert 200 == (await client.get("me")).status
    assert 3 == server.refresh_calls


async def test_f12_one_that_stays_is_no_storm(tab: Tab, server: Server, plain: Client) -> None:
    """Twenty callers get RefreshUnavailable, its cause told, and there is a cool-down (F12)."""
    auth, client = await opened(tab, server, by(plain))
    server.on_refresh = [saying(503, {}, Retry_After="60")] * 9

    for _ in range(2):
        ends = await gather(*(client.get(f"items/{n}") for n in range(20)), return_exceptions=True)
        assert {RefreshUnavailable} == {type(end) for end in ends}
        assert "HTTPStatusError" == type(ends[0].__cause__).__name__ or ends[0].retry_after  # type: ignore[union-attr]
    assert server.refresh_calls <= 2
    assert auth.signed_in


@pytest.mark.parametrize("status", [400, 404])
async def test_another_status_keeps_the_session_and_is_told(
    tab: Tab, server: Server, plain: Client, status: int
) -> None:
    """Once: what the server did with the token nobody knows."""
    auth, client = await opened(tab, server, by(plain))
    server.on_refresh = [saying(status, {})] * 3

    with pytest.raises(RefreshUnavailable, match=f"it answered {status}") as told:
        await client.get("me")
    assert "HTTPStatusError" == type(told.value.__cause__).__name__
    assert 1 == server.refresh_calls
    assert auth.signed_in


async def test_any_other_error_of_its_own_is_told_with_its_cause(tab: Tab, server: Server) -> None:
    """Whatever it says stays there: it may be a secret."""

    async def renew(tokens: Tokens) -> Tokens:
        raise KeyError(tokens.refresh_token)

    auth, client = await opened(tab, server, renew)

    with pytest.raises(RefreshUnavailable, match="the refresh function raised KeyError") as told:
        await client.get("me")
    assert isinstance(told.value.__cause__, KeyError)
    assert "refresh-ada" not in str(told.value)
    assert auth.signed_in


async def renew_by_sending(tokens: Tokens, send: Send) -> Response:
    """Leave the answer's meaning to the endpoint."""
    body = json.dumps({"refreshToken": tokens.refresh_token})
    return await send(Request("POST", "/refresh", body=body))


async def test_it_may_return_the_response_itself(tab: Tab, server: Server) -> None:
    """Then the endpoint's rules judge it: renewed, down, dead."""
    auth, client = await opened(tab, server, renew_by_sending)
    server.on_refresh = [saying(503)]
    assert 200 == (await client.get("me")).status

    server.expire()
    server.revoke()
    with pytest.raises(RefreshRejected, match="invalid_grant"):
        await client.get("me")
    assert not auth.signed_in


async def test_f40_what_it_sends_with_follows_no_redirect(tab: Tab, server: Server) -> None:
    """Its body is the secret, wherever a redirect leads (F40)."""
    sent: list[Request] = []
    auth, client = await opened(tab, server, renew_by_sending, retries=0)
    server.on_refresh = [saying(307)]
    tab.browser.sent = lambda _, request: sent.append(request)

    with pytest.raises(RefreshUnavailable, match="redirect"):
        await client.get("me")
    options = next(request for request in sent if request.url == "/refresh").options
    assert {"cache": "no-store", "credentials": "omit", "redirect": "manual"} == options
    assert auth.signed_in


@pytest.mark.parametrize(
    "shape",
    [
        lambda a, r: Tokens(a, r),
        lambda a, r: {"accessToken": a, "refreshToken": r},
        lambda a, r: {"access_token": a, "refresh_token": r, "expires_in": 60},
    ],
)
async def test_it_may_return_whatever_holds_tokens(tab: Tab, server: Server, shape: Any) -> None:
    """Tokens, or the server's JSON."""

    def renew(tokens: Tokens) -> Any:  # a plain function will do
        granted = server.sign_in()
        return shape(granted["accessToken"], granted["refreshToken"])

    _, client = await opened(tab, server, renew)

    assert 200 == (await client.get("me")).status


@pytest.mark.parametrize("nothing", [None, {}, "token", 7])
async def test_what_holds_none_is_a_mistake(tab: Tab, server: Server, nothing: Any) -> None:
    """It's loud, and keeps the session."""
    auth, client = await opened(tab, server, lambda tokens: nothing)

    with pytest.raises(RefreshMisconfigured, match="the refresh function returned"):
        await client.get("me")
    assert auth.signed_in


@pytest.mark.parametrize("how", ["get", "access_token", "refresh"])
async def test_f8_it_cannot_wait_for_itself(tab: Tab, server: Server, how: str) -> None:
    """Sending with the client that it serves is told at once, not after ten seconds (F8)."""
    made: list[Any] = []

    async def renew(tokens: Tokens) -> Any:
        auth, client = made
        if how == "get":
            return await (await client.post("/refresh-by-api", json={})).json()
        return await getattr(auth, how)()

    auth, client = await opened(tab, server, renew)
    made += [auth, client]
    began = tab.clock.monotonic()

    with pytest.raises((RefreshUnavailable, RefreshMisconfigured)) as told:
        await client.get("me")
    assert tab.clock.monotonic() - began < 5
    assert "waits for itself" in f"{told.value} {told.value.__cause__}"


async def test_another_client_is_no_such_wait(tab: Tab, server: Server) -> None:
    """One that has a session of its own, renewed within."""
    inner, inner_client = tab.sign(store=MemoryStorage())
    await inner.sign_in(server.sign_in("bob"))

    async def renew(tokens: Tokens) -> Any:
        assert 200 == (await inner_client.get("me")).status
        return server.sign_in()

    _, client = await opened(tab, server, renew, store=MemoryStorage())

    assert 200 == (await client.get("me")).status
    assert 1 == server.refreshes


async def test_it_keeps_the_way_of_the_token_and_the_revocation(tab: Tab, server: Server) -> None:
    """Every option that makes sense for it."""
    revoked: list[str | None] = []

    async def end(tokens: Tokens) -> None:
        revoked.append(tokens.refresh_token)

    endpoint = RefreshEndpoint(renew_by_sending, header="X-Session-Token", revoke=end)
    auth, client = tab.sign(refresh=endpoint)
    await auth.sign_in(Tokens("a", "r"))
    assert ("X-Session-Token", "a") == session_of(auth).access().credential[::2]  # type: ignore[index]

    await auth.sign_out()

    assert ["r"] == revoked
    assert client is not None


async def test_a_revocation_that_fails_holds_nobody_up(
    tab: Tab, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """F73: the tokens are gone here."""

    async def end(tokens: Tokens) -> None:
        raise OSError("offline")

    auth, _ = tab.sign(refresh=RefreshEndpoint("/refresh", revoke=end))
    await auth.sign_in(Tokens("a", "r"))
    await auth.sign_out()

    assert not auth.signed_in
    assert "the revocation failed" in caplog.text


async def test_a_sign_out_that_is_answered_401_is_no_theft(tab: Tab, server: Server) -> None:
    """django-allauth's DELETE of the session, with the session's token: 401 says that it worked."""
    calls: list[Request] = []
    endpoint = RefreshEndpoint(
        "/refresh", header="X-Session-Token", revoke="/session", revoke_method="DELETE", revoke_signed=True
    )
    server.routes["/session"] = saying(401, {"meta": {"is_authenticated": False}})
    auth, _ = tab.sign(refresh=endpoint)
    await auth.sign_in(Tokens("a"))
    tab.browser.sent = lambda _, request: calls.append(request)
    await auth.sign_out()

    assert [("DELETE", "a")] == [(call.method, call.sent_headers().get("x-session-token")) for call in calls]
    assert ["/login?reason=sign_out"] == tab.gone_to


async def test_without_a_refresh_token_it_knows_better(tab: Tab, server: Server) -> None:
    """That may be in a cookie, which a function can have sent."""
    cookie: list[str] = []

    async def renew(tokens: Tokens | None) -> Tokens:
        granted = await server.refresh(Call("POST", "/refresh", None, {"refreshToken": cookie[-1]}))
        if granted.status != 200:
            raise RefreshRejected("over", reason="over")
        cookie.append(granted.body["refreshToken"])
        return Tokens(granted.body["accessToken"])

    auth, client = tab.sign(refresh=renew, store=MemoryStorage())
    cookie.append(server.sign_in()["refreshToken"])
    await auth.refresh()  # nobody is signed in: out of the cookie
    for _ in range(2):
        server.expire()
        assert 200 == (await client.get("me")).status

    assert 3 == server.refreshes
    assert isinstance(Answer(200), Answer)
