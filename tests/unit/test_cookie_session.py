"""A page in cookie mode that has no session yet gets one from the cookie, and tabs don't trip each other."""

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
    Response,
    SessionChanged,
    SilentRefresh,
    Tokens,
)
from tests.world.browser import ORIGIN, Browser, Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server, saying

URL = "/session/refresh"
RENEWS = 0.5  # s that the server takes


class CookieServer:
    """Rotates the browser's one cookie, which the answer brings; an old one that comes again is a theft."""

    def __init__(self, server: Server) -> None:
        self.calls = 0
        self.thefts = 0
        self._server = server
        self._good = self._jar = 1
        server.routes[URL] = self._refresh

    async def _refresh(self, call: Call) -> Answer:
        self.calls += 1
        if self._jar != self._good:
            self.thefts += 1
            return Answer(401, {"error": "session_over"})
        self._good += 1
        renewed = self._good
        await asyncio.sleep(RENEWS)
        self._jar = renewed
        granted = self._server.sign_in()
        return Answer(200, {name: granted[name] for name in ("accessToken", "expiresIn")})


@pytest.fixture
def cookies(server: Server) -> CookieServer:
    """Return the server's side of the cookie mode; the browser has a good cookie."""
    return CookieServer(server)


def open_page(tab: Tab, **options: Any) -> SilentRefresh:
    return tab.sign(refresh=RefreshEndpoint.cookie(URL), **options)[0]


@pytest.fixture
async def auth(tab: Tab) -> SilentRefresh:
    """Return a page that keeps its tokens in memory; nobody is signed in."""
    return open_page(tab, store=MemoryStorage())


async def test_a_page_signs_in_with_the_cookie(auth: SilentRefresh, cookies: CookieServer) -> None:
    """One refresh, and there's a session that requests go out with."""
    events: list[str] = []
    auth.listen(lambda event: events.append(event.name))

    await auth.refresh()
    response = await Client("/api", auth=auth).get("profile")

    assert 200 == response.status
    assert 1 == cookies.calls
    assert ["refresh-started", "refresh-done", "signed-in", "sent"] == events[:4]


async def test_f1_all_who_ask_share_one_refresh(auth: SilentRefresh, cookies: CookieServer) -> None:
    """Ten callers at once cost one call, and later ones renew the session that there is (F1)."""
    await gather(*(auth.refresh() for _ in range(10)))

    assert 1 == cookies.calls

    await auth.refresh()

    assert 2 == cookies.calls


@pytest.mark.parametrize("count", [2, 5])
async def test_f14_tabs_with_memories_of_their_own_take_turns(
    browser: Browser, cookies: CookieServer, count: int
) -> None:
    """They share the cookie, so none presents one that another is about to rotate (F14)."""
    pages = [open_page(browser.open(), store=MemoryStorage()) for _ in range(count)]

    await gather(*(auth.refresh() for auth in pages))
    await gather(*(auth.refresh() for auth in pages))

    assert [True] * count == [auth.signed_in for auth in pages]
    assert (2 * count, 0) == (cookies.calls, cookies.thefts)


async def test_f14_tabs_that_share_a_store_share_the_session(browser: Browser, cookies: CookieServer) -> None:
    """One of them asks, the others take over what it got (F14)."""
    pages = [open_page(browser.open()) for _ in range(4)]

    await gather(*(auth.refresh() for auth in pages))

    assert 1 == cookies.calls
    assert 1 == len({auth.tokens for auth in pages})


async def test_f74_without_a_good_cookie_nobody_is_signed_in_and_nothing_moves(
    auth: SilentRefresh, server: Server, tab: Tab
) -> None:
    """Each who asked gets an error of their own; the page stays where it is, it may be the login (F74)."""
    server.routes[URL] = saying(401)

    ends = await gather(*(auth.refresh() for _ in range(3)), return_exceptions=True)

    assert [RefreshRejected] * 3 == [type(end) for end in ends]
    assert 3 == len({id(end) for end in ends})
    assert not auth.signed_in
    assert [] == tab.gone_to


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (saying(503, Retry_After="7"), RefreshUnavailable),
        (saying(200, "<html>"), RefreshUnavailable),
        (saying(403, {"error": "csrf_header_missing"}), RefreshMisconfigured),
        (saying(404), RefreshMisconfigured),
    ],
)
async def test_what_is_no_refusal_can_be_tried_again(
    auth: SilentRefresh, server: Server, tab: Tab, answer: Any, error: type[Exception]
) -> None:
    """A server that is down, or misunderstood, says nothing about the cookie."""
    server.routes[URL] = answer
    with pytest.raises(error):
        await auth.refresh()
    CookieServer(server)

    await auth.refresh()

    assert auth.signed_in
    assert [] == tab.gone_to


async def test_f39_a_server_that_never_answers_is_given_up(
    auth: SilentRefresh, server: Server, cookies: CookieServer
) -> None:
    """The deadline is that of any refresh (F39)."""

    async def silence(call: Call) -> Answer:
        return await asyncio.get_running_loop().create_future()

    server.routes[URL] = silence

    with pytest.raises(RefreshUnavailable, match="within 10 s"):
        await auth.refresh()


async def test_f67_a_sign_out_meanwhile_counts(auth: SilentRefresh, cookies: CookieServer) -> None:
    """No session comes to life behind the back of whoever signed out (F67)."""
    asked = asyncio.ensure_future(auth.refresh())
    await later(RENEWS / 2)
    await auth.sign_out()

    with pytest.raises(SessionChanged):
        await asked
    await later(RENEWS)
    assert not auth.signed_in


async def test_f68_a_sign_in_meanwhile_counts(
    auth: SilentRefresh, server: Server, cookies: CookieServer
) -> None:
    """The session that the user began is not replaced by the cookie's (F68)."""
    asked = asyncio.ensure_future(auth.refresh())
    await later(RENEWS / 2)
    signing_in = asyncio.ensure_future(auth.sign_in(server.sign_in("grace")))
    await later(0.01)
    tokens = auth.tokens

    await gather(asked, signing_in)

    assert tokens is not None
    assert tokens == auth.tokens


async def test_f68_after_its_end_no_request_begins_a_session_with_whoevers_cookie_it_is(
    browser: Browser, cookies: CookieServer, server: Server
) -> None:
    """A page whose session ended in another tab goes to the login, and sends nothing as who came after."""
    first, second = (open_page(browser.open(), store=MemoryStorage()) for _ in range(2))
    await first.refresh()
    await second.refresh()
    await second.sign_out()
    await later(1)
    await second.sign_in(server.sign_in("bob"))
    await later(1)

    assert not first.signed_in
    with pytest.raises((NotSignedIn, SessionChanged)):
        await Client("/api", auth=first).post("transfers", headers={"X-Request-ID": "7"})
    assert 2 == cookies.calls
    assert ["/api/transfers"] == [call.path for call in server.calls if call.id == "7"]
    assert [None] == [call.token for call in server.calls if call.id == "7"]


async def test_f70_a_caller_that_is_cancelled_strands_nobody(
    auth: SilentRefresh, cookies: CookieServer
) -> None:
    """The first who asked goes away, the second is signed in by the same call (F70)."""
    first, second = (asyncio.ensure_future(auth.refresh()) for _ in range(2))
    await later(RENEWS / 2)
    first.cancel()

    await second

    assert auth.signed_in
    assert 1 == cookies.calls


async def test_f83_cookies_go_with_the_refresh_call_alone(tab: Tab, cookies: CookieServer) -> None:
    """It has the header that a form can't send, and asks for cookies; no other request does (F83)."""
    sent: list[Request] = []
    send = tab.platform.transport

    async def transport(request: Request) -> Response:
        sent.append(request)
        return await send(request)

    tab.platform = tab.platform._replace(transport=transport)
    endpoint = RefreshEndpoint.cookie(URL, ("X-CSRF", "a-value"))
    auth, client = tab.sign(refresh=endpoint, store=MemoryStorage())

    await auth.refresh()
    await client.get("profile")
    await auth.refresh()

    refreshes = [request for request in sent if request.url == ORIGIN + URL]
    assert ["a-value"] * 2 == [request.headers.get("x-csrf") for request in refreshes]
    assert ["include"] * 2 == [(request.options or {})["credentials"] for request in refreshes]
    [other] = [request for request in sent if request.url != ORIGIN + URL]
    assert "x-csrf" not in other.headers
    assert "include" != (other.options or {}).get("credentials")


@pytest.mark.parametrize(
    ("endpoint", "outlives"),
    [
        (RefreshEndpoint.cookie(URL), True),
        (RefreshEndpoint.article(URL, refresh_field=None, credentials="include"), True),
        (RefreshEndpoint.article(URL), False),
        (RefreshEndpoint.article(URL, credentials="include"), False),
    ],
)
def test_a_renewal_by_a_cookie_outlives_the_page(endpoint: RefreshEndpoint, outlives: bool) -> None:
    """The browser takes the next cookie, though nobody reads the answer; of a token in a body it can't."""
    call = endpoint.request(Tokens("access", "refresh"))

    assert outlives is (call.options or {}).get("keepalive", False)


async def test_a_page_that_holds_refresh_tokens_asks_nobody_without_one(tab: Tab, server: Server) -> None:
    """Outside the cookie mode there's nothing to begin a session with."""
    auth, _ = tab.sign()

    with pytest.raises(NotSignedIn):
        await auth.refresh()

    assert [] == server.calls
