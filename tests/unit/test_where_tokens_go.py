"""Tokens go to listed origins, in one header, and into no message: F75–F80, F46.

The browser's own parser gets its share of nasty URLs in tests/e2e.
"""

from __future__ import annotations

import logging

import pytest

from silent_refresh import Client, HTTPStatusError, NotJSON, RefreshError, Request, SilentRefresh
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.server import Server, saying


async def test_f75_f76_a_foreign_origin_gets_no_token_and_its_401_no_refresh(
    client: Client, server: Server
) -> None:
    """What isn't listed is nobody's business."""
    for url in ("https://elsewhere.example/api", "http://app.example/api/me", "https://app.example:8443/api"):
        assert 401 == (await client.get(url)).status

    assert {None} == {call.token for call in server.calls}
    assert 0 == server.refreshes


async def test_a_clients_base_is_trusted(auth: SilentRefresh, server: Server) -> None:
    """Whoever writes ``Client("https://api…", auth=auth)`` means it."""
    await auth.sign_in(server.sign_in())
    await Client("https://api.example/v1", auth=auth).get("me")

    assert [True] == [call.token is not None for call in server.calls]


async def test_origins_that_are_given_are_all_there_are(tab: Tab, server: Server) -> None:
    """A base URL doesn't widen them."""
    auth, _ = tab.sign(origins=["https://api.example"])
    await auth.sign_in(server.sign_in())

    await Client("https://other.example", auth=auth).get("me")
    await Client(auth=auth).get("/api/me")
    await Client(auth=auth).get("https://api.example/me")

    assert [False, False, True] == [call.token is not None for call in server.calls]


async def test_f79_the_callers_own_authorization_is_left_alone(client: Client, server: Server) -> None:
    """And its 401 refreshes nothing."""
    response = await client.get("me", headers={"authorization": "Basic YTpi"})

    assert 401 == response.status
    assert ["Basic YTpi"] == [call.token for call in server.calls]
    assert 0 == server.refreshes


async def test_auth_none_sends_this_one_bare(client: Client, server: Server) -> None:
    """For the one public call among many."""
    await client.get("public", auth=None)

    assert [None] == [call.token for call in server.calls]


async def test_f46_no_cors_is_refused_with_the_reason(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """The browser would drop the header in silence."""
    with pytest.raises(ValueError, match="no-cors"):
        await auth(Request("GET", "/api/me", options={"mode": "no-cors"}), server.transport)


async def test_f80_no_secret_is_told(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab, caplog: pytest.LogCaptureFixture
) -> None:
    """In no repr, event, log line, error, or URL, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    told: list[object] = []
    auth.listen(told.append)
    server.expire()
    response = await client.get("me?secret=hush#hush")
    told += [response, response.headers, response.request, response.request.headers, auth, auth.tokens]
    for answer in (saying(404), saying(200, {}), saying(200, "x"), saying(401)):
        server.expire()
        server.on_refresh = [answer] * 3
        with pytest.raises(RefreshError) as refused:
            await client.get("me")
        told += [refused.value, refused.value.args, vars(refused.value), refused.value.__cause__]
        await later(60)
    server.routes["/api/fails"] = saying(500, "<html>")
    answered = await client.get("fails", auth=None)
    with pytest.raises(NotJSON) as not_json:
        await answered.json()
    with pytest.raises(HTTPStatusError) as bad_status:
        answered.raise_for_status()
    told += [not_json.value, bad_status.value]

    text = " ".join(map(repr, told)) + caplog.text + " ".join(tab.gone_to)
    assert "refresh-failed" in text
    assert "the refresh endpoint can't be used" in text
    for secret in ("access-ada", "refresh-ada", "hush"):
        assert secret not in text


async def test_the_response_names_the_callers_request(client: Client, server: Server) -> None:
    """Not the copy with the token."""
    response = await client.get("me")

    assert "authorization" not in response.request.headers


async def test_what_an_interceptor_adds_is_sent_again(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """Interceptors stand outside of ``auth``: they see one request and one answer."""
    seen: list[int] = []

    async def trace(request, send):  # type: ignore[no-untyped-def]
        response = await send(request.with_header("X-Request-ID", "7"))
        seen.append(response.status)
        return response

    server.expire()
    await Client("/api", auth=auth, interceptors=[trace]).get("me")

    assert [200] == seen
    assert 2 == server.sent["7"]


async def test_headers_of_the_client_and_the_call_are_merged(
    client: Client, auth: SilentRefresh, server: Server
) -> None:
    """The call's win, in any case of letters."""
    got: list[Request] = []

    async def spy(request, send):  # type: ignore[no-untyped-def]
        got.append(request)
        return await send(request)

    made = Client("/api", auth=auth, headers={"Accept": "text/plain", "X-A": "1"}, interceptors=[spy])
    await made.post("me", json={}, headers={"accept": "application/json"})

    assert {"accept": "application/json", "X-A": "1", "Content-Type": "application/json"} == dict(
        got[0].headers
    )


@pytest.mark.parametrize(
    ("base", "url", "path"),
    [
        ("/api", "me", "/api/me"),
        ("/api/", "/me", "/api/me"),
        ("/api", "", "/api"),
        ("", "/api/me", "/api/me"),
        ("/api", "https://app.example/other", "/other"),
    ],
)
async def test_base_and_url_are_joined(
    auth: SilentRefresh, server: Server, base: str, url: str, path: str
) -> None:
    """A base is what goes before; an absolute URL stays as it is."""
    await auth.sign_in(server.sign_in())

    response = await Client(base, auth=auth).get(url)

    assert path == (await response.json())["path"]
