"""Tokens go to listed origins, in one header, and into no message: F75–F80, F46.

The browser's own parser gets its share of nasty URLs in tests/e2e.
"""

from __future__ import annotations

import logging
from asyncio import gather
from collections import Counter

import pytest

from silent_refresh import (
    Client,
    HTTPStatusError,
    NetworkError,
    NotJSON,
    RefreshEndpoint,
    RefreshError,
    RefreshUnavailable,
    Request,
    SilentRefresh,
)
from silent_refresh.http.messages import without_query
from tests.unit.frames import locals_of
from tests.world.browser import ORIGIN, Browser, Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server, saying


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


@pytest.mark.parametrize("base", ["https://evil.example/", "https://app.example/evil/"])
async def test_a_base_that_comes_later_moves_nothing(browser: Browser, server: Server, base: str) -> None:
    """Refresh, API, revocation and login are where they were when the page's Python named them."""
    tab = browser.open("/shop/orders")
    endpoint = RefreshEndpoint.article("../refresh", revoke="../logout")
    auth, _ = tab.sign(refresh=endpoint, login="login.html")
    clients = [Client(url, auth=auth) for url in ("/api", "../api", "https://app.example/api", "")]
    await auth.sign_in(server.sign_in())
    tab.base = base
    server.expire()

    for client, url in zip(clients, ("me", "/me", "me?x=1", "/api/me"), strict=True):
        assert 200 == (await client.get(url)).status
    await auth.sign_out()

    assert {"/api/me", "/refresh", "/logout"} == {call.path for call in server.calls}
    assert ["/shop/login.html?reason=sign_out"] == tab.gone_to


async def test_what_is_judged_is_what_is_sent(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab
) -> None:
    """A request that waits for a renewal goes where it would have gone, with its token."""

    async def put_in(call: Call) -> Answer:
        tab.base = "https://evil.example/"
        return await server.refresh(call)

    async def rewrite(request, send):  # type: ignore[no-untyped-def]
        return await send(request.with_url("/api/other"))

    rewriting = Client("/api", auth=auth, interceptors=[rewrite])
    server.expire()
    server.on_refresh = [put_in]
    waiting = [auth(Request("GET", "/api/me"), tab.platform.transport), rewriting.get("me")]
    assert [200, 200] == [response.status for response in await gather(*waiting)]
    paths = [call.path for call in server.calls]
    assert {"/api/me": 2, "/api/other": 2, "/refresh": 1} == Counter(paths)
    assert 401 == (await auth(Request("GET", "/api/me"), tab.platform.transport)).status
    assert 401 == (await rewriting.get("me")).status
    assert [("https://evil.example/api/me", None), ("https://evil.example/api/other", None)] == [
        (call.path, call.token) for call in server.calls[5:]
    ]


async def test_a_relative_url_is_of_this_origin(auth: SilentRefresh, tab: Tab) -> None:
    """What is made when there's a foreign ``<base>`` already says so, and trusts nobody by it."""
    tab.base = "https://evil.example/"

    for options in ({}, {"login": "login"}, {"refresh": RefreshEndpoint.article(revoke="/logout")}):
        with pytest.raises(ValueError, match=r"leads to https://evil\.example by this page's <base>"):
            tab.sign(**options)
    with pytest.raises(ValueError, match="pass a whole URL"):
        Client("/api", auth=auth)
    assert auth._session.access().origins == {ORIGIN}  # type: ignore[attr-defined]


@pytest.mark.parametrize("signs", [True, False], ids=["with auth", "bare"])
@pytest.mark.parametrize("to", ["/other", "https://elsewhere.example/other"])
async def test_an_interceptor_that_changes_the_url_is_heeded(
    auth: SilentRefresh, server: Server, tab: Tab, to: str, signs: bool
) -> None:
    """In a copy or in place, within the origin or out of it: there it goes, and is judged by that."""

    async def copy(request, send):  # type: ignore[no-untyped-def]
        return await send(request.with_url(to))

    async def in_place(request, send):  # type: ignore[no-untyped-def]
        request.url = to
        return await send(request)

    await auth.sign_in(server.sign_in())
    for interceptor in (copy, in_place):
        client = Client(
            "/api", auth=auth if signs else None, interceptors=[interceptor], platform=tab.platform
        )
        assert to == (await client.get("me")).request.url
    assert {(to, signs and to.startswith("/"))} == {
        (call.path, call.token is not None) for call in server.calls
    }


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


async def test_f80_no_frame_holds_a_token(auth: SilentRefresh, server: Server, tab: Tab) -> None:
    """Error reporters write down local variables: those of a refresh and a request that fail."""
    await auth.sign_in(server.sign_in())
    client = Client("/api", auth=auth)
    server.reachable = False
    with pytest.raises(NetworkError) as request:
        await client.get("me")
    with pytest.raises(RefreshUnavailable) as refresh:
        await auth.refresh()

    told = locals_of(request.value) + locals_of(refresh.value)
    assert "<Request POST https://app.example/refresh>" in told
    assert "access-ada" not in told
    assert "refresh-ada" not in told


async def test_a_revocation_outlives_the_page(tab: Tab, server: Server) -> None:
    """Whoever signs out may leave at once: the browser goes on with it (``keepalive``)."""
    sent: list[Request] = []
    tab.browser.sent = lambda tab, request: sent.append(request)
    auth, _ = tab.sign(refresh=RefreshEndpoint.article(revoke="/logout"))
    await auth.sign_in(server.sign_in())

    await auth.sign_out()

    assert [("https://app.example/logout", True)] == [
        (request.url, (request.options or {}).get("keepalive", False)) for request in sent
    ]


@pytest.mark.parametrize(
    "url",
    ["https://ada:hush@api.example/me", "//ada:hush@api.example/me", r"https:\\ada:hu@sh@api.example/me"],
)
def test_no_password_of_a_url_is_told(url: str) -> None:
    """Nor the name; what comes behind the host is left as it is."""
    assert "ada" not in without_query(url)
    assert "sh@" not in without_query(url)
    assert without_query(url).endswith("api.example/me")
    assert "/@ada/notes" == without_query("/@ada/notes?page=2")
