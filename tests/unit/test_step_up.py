"""An API that wants a stronger sign-in says so in a 401: nothing to renew, the page is told (RFC 9470)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from silent_refresh import Client, Headers, Request, Response, SilentRefresh, StepUpRequired
from silent_refresh.auth import session_of
from silent_refresh.engine.access import Refused
from tests.world.browser import Tab
from tests.world.provider import Provider, come_back, discovered
from tests.world.server import Answer, Call, Server, saying

ERROR = 'Bearer error="insufficient_user_authentication"'


def wants(server: Server, *more: str) -> None:
    """Let the API want a stronger sign-in for ``/api/pay``."""
    server.routes["/api/pay"] = saying(401, {}, WWW_Authenticate=", ".join((ERROR, *more)))


@pytest.mark.parametrize(
    ("more", "acr_values", "max_age", "parameters"),
    [
        ((), None, None, {}),
        (('acr_values="myACR other"',), "myACR other", None, {"acr_values": "myACR other"}),
        (('max_age="5"',), None, 5, {"max_age": "5"}),
        (("max_age=0",), None, 0, {"max_age": "0"}),
        (('acr_values="a"', "max_age=300"), "a", 300, {"acr_values": "a", "max_age": "300"}),
        (('max_age="-1"', 'acr_values=""'), None, None, {}),
        (('max_age="1e9"', f'acr_values="{"a" * 501}"'), None, None, {}),
        ((f'max_age="{"9" * 4000}"',), None, None, {}),
    ],
)
async def test_the_caller_is_told_what_to_ask_for(
    client: Client,
    server: Server,
    more: tuple[str, ...],
    acr_values: str | None,
    max_age: int | None,
    parameters: dict[str, str],
) -> None:
    """The session goes on, nothing is renewed, and it was sent once."""
    wants(server, *more)

    with pytest.raises(StepUpRequired, match="POST /api/pay wants a stronger") as caught:
        await client.post("pay?secret=hush", json={})

    error = caught.value
    assert (acr_values, max_age, parameters) == (error.acr_values, error.max_age, error.parameters)
    assert 401 == error.response.status
    assert error.response.request.credential is None
    assert "hush" not in str(error)
    assert (1, 0) == (len(server.calls), server.refresh_calls)
    assert 200 == (await client.get("me")).status


async def test_what_it_asks_for_is_what_authorize_takes(tab: Tab, provider: Provider) -> None:
    """The provider is asked for just that."""
    auth = await discovered(tab)
    await come_back(auth, tab, provider)
    wants(provider.server, 'acr_values="mfa"', "max_age=0")

    with pytest.raises(StepUpRequired) as caught:
        await Client("/api", auth=auth).post("pay")
    await auth.authorize(scope="openid", **caught.value.parameters)

    said = parse_qs(urlsplit(tab.gone_to[-1]).query)
    assert (["mfa"], ["0"]) == (said["acr_values"], said["max_age"])


async def test_it_is_told_after_a_renewal_too(client: Client, server: Server) -> None:
    """The first answer refused the token, the second the sign-in."""

    async def refuse_then_want(call: Call) -> Answer:
        if server.user_of(call.token) is None:
            return server.refusal()
        return Answer(401, {}, {"WWW-Authenticate": ERROR})

    server.routes["/api/pay"] = refuse_then_want
    server.expire()

    with pytest.raises(StepUpRequired):
        await client.post("pay")

    assert (1, 3) == (server.refreshes, len(server.calls))


async def test_a_foreign_server_asks_for_nothing(client: Client, server: Server) -> None:
    """Where no token may go, an answer is just an answer: of another origin, or where a redirect led."""

    async def redirected(call: Call) -> Answer:
        return Answer(401, {}, {"WWW-Authenticate": ERROR}, url="https://elsewhere.example/")

    server.routes["https://elsewhere.example/pay"] = saying(401, {}, WWW_Authenticate=ERROR)
    server.routes["/api/away"] = redirected

    assert 401 == (await client.get("https://elsewhere.example/pay")).status
    assert 401 == (await client.get("away")).status


@pytest.mark.parametrize("status", [400, 403])
async def test_another_status_is_the_callers(client: Client, tab: Tab, server: Server, status: int) -> None:
    """RFC 9470 §3 says 401, whatever the page's own rule looks at."""
    server.routes["/api/pay"] = saying(status, {}, WWW_Authenticate=ERROR)
    _, with_rule = tab.sign(is_refused=lambda response: False)

    assert [status] * 2 == [(await each.get("pay")).status for each in (client, with_rule)]


@pytest.mark.parametrize("error", ["insufficient_user_authentication", "insufficient_scope"])
async def test_what_a_way_in_has_sent_is_not_renewed_either(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab, error: str
) -> None:
    """``install`` hands on each 401: one that no new token would help costs no refresh."""
    access = session_of(auth).access()
    assert access.credential is not None
    request = Request("GET", "https://app.example/api/pay")
    headers = Headers({"WWW-Authenticate": f'Bearer error="{error}"'})
    refused = Refused(Response(401, headers, request.url, request), access.credential.token, access.session)
    ends: list[Any] = []

    try:
        ends.append(await session_of(auth).send(request, tab.send, refused))
    except StepUpRequired as told:
        ends.append(told.response)

    assert [refused.response] == ends
    assert [] == server.calls
