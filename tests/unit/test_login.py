"""The way to the sign-in and back, wherever it is and whatever the server makes of it; rows F74, F78."""

from __future__ import annotations

import json
import logging
from asyncio import gather
from typing import Any

import pytest

from silent_refresh import Client, LoginLoop, NotSignedIn, SilentRefresh
from silent_refresh.engine.login import PATIENCE
from tests.world.browser import ORIGIN, Browser, Tab
from tests.world.loop import later
from tests.world.server import Server, saying


async def need(tab: Tab, **options: object) -> type[BaseException] | None:
    """Open a page that asks who is signed in, when nobody is; return the error that it gets."""
    _, client = tab.sign(**options)
    return await again(client)


async def again(client: Client) -> type[BaseException] | None:
    """Ask once more."""
    try:
        await client.get("me")
    except NotSignedIn as error:
        return type(error)
    return None


def arrive(tab: Tab, url: str, *, from_: str | None) -> Tab:
    """Load another page in this tab; ``from_`` is the one that led there."""
    page = tab.browser.open(url)
    page.memory = tab.memory
    page.referrer = from_ and ORIGIN + from_
    return page


# The start of a page or a route


async def test_a_page_for_who_is_signed_in_asks_before_it_shows_anything(
    auth: SilentRefresh, client: Client, tab: Tab, server: Server
) -> None:
    """It goes to the login if nobody is, once, and sends nothing."""
    calls = len(server.calls)
    assert await auth.ensure_signed_in()
    assert [] == tab.gone_to

    await auth.sign_out()
    tab.gone_to.clear()
    another = tab.browser.open("/orders")
    again, _ = another.sign()
    assert [False, False] == [await again.ensure_signed_in(), await again.ensure_signed_in()]
    assert ["/login?next=%2Forders&reason=not_signed_in"] == another.gone_to
    assert {"/logout"} >= {call.path for call in server.calls[calls:]}


async def test_a_session_whose_time_is_up_is_none(tab: Tab, server: Server) -> None:
    """Though no request found that out (ASVS 7.3.1)."""
    auth, _ = tab.sign(max_age=60)
    await auth.sign_in(server.sign_in())
    await later(61)

    assert not await auth.ensure_signed_in()
    assert 1 == len(tab.gone_to)


async def test_the_login_asks_nobody_to_go_there(browser: Browser) -> None:
    """It is there already."""
    tab = browser.open("/login")

    assert not await tab.sign()[0].ensure_signed_in()
    assert [] == tab.gone_to


# Which page is the sign-in


@pytest.mark.parametrize(
    ("login", "at"),
    [
        ("/login", "/login"),
        ("/login", "/login/?next=%2F#top"),
        ("/#/login", "/#/login"),
        ("/#/login", "/?x=1#/login?next=%2F"),
        ("#/login", "/any/page#/login/"),
        ("/?view=login", "/?view=login"),
        ("/a?view=login", "/a?x=1&view=login&next=%2F"),
        ("/a#/login?tab=1", "/a#/login?next=%2F&tab=1"),
    ],
)
async def test_f74_the_sign_in_knows_itself(browser: Browser, login: str, at: str) -> None:
    """By its path, its query or its fragment, whatever else its address says (F74)."""
    tab = browser.open(at)

    assert await need(tab, login=login) is None
    assert [] == tab.gone_to


@pytest.mark.parametrize(
    ("login", "at", "to"),
    [
        ("/login", "/", "/login?next=%2F&reason=not_signed_in"),
        ("/login", "/login/help", "/login?next=%2Flogin%2Fhelp&reason=not_signed_in"),
        ("/#/login", "/#/orders", "/#/login?next=%2F%23%2Forders&reason=not_signed_in"),
        ("#/login", "/a?x#/orders", "/a?x#/login?next=%2Fa%3Fx%23%2Forders&reason=not_signed_in"),
        ("/#/login", "/", "/#/login?next=%2F&reason=not_signed_in"),
        ("/?view=login", "/?view=orders", "/?view=login&next=%2F%3Fview%3Dorders&reason=not_signed_in"),
        ("/?view=login", "/?view=login2", "/?view=login&next=%2F%3Fview%3Dlogin2&reason=not_signed_in"),
        ("./login.html", "/a/b", "/a/login.html?next=%2Fa%2Fb&reason=not_signed_in"),
    ],
)
async def test_another_page_is_not_taken_for_the_sign_in(
    browser: Browser, login: str, at: str, to: str
) -> None:
    """It leaves, and its requests are told that nobody is signed in."""
    tab = browser.open(at)

    assert await need(tab, login=login) is NotSignedIn
    assert [to] == tab.gone_to


@pytest.mark.parametrize("login", ["/#/login", "/?view=login"])
async def test_the_way_back_leads_where_the_page_was(browser: Browser, login: str) -> None:
    """Also where a hash router keeps its routes in the fragment."""
    at = "/#/orders?page=2" if "#" in login else "/?view=orders"
    tab = browser.open(at)
    await need(tab, login=login)
    auth, _ = arrive(tab, tab.gone_to[-1], from_=at).sign(login=login)

    assert at == auth.next_path()


@pytest.mark.parametrize("login", ["/#/login", "/?view=login"])
async def test_the_page_of_the_sign_in_is_no_way_back(browser: Browser, login: str) -> None:
    """``?next=`` that leads to the sign-in leads to the start."""
    mark = "&" if "?" in login else "?"
    auth, _ = browser.open(f"{login}{mark}next={login.replace('#', '%23')}").sign(login=login)

    assert "/" == auth.next_path()


# What isn't told


async def test_a_fragment_stays_in_the_tab(browser: Browser) -> None:
    """A magic link's secret doesn't get to the server in ``?next=``; the way back has it all the same."""
    tab = browser.open("/welcome?x=1#token=secret")
    await need(tab)

    assert ["/login?next=%2Fwelcome%3Fx%3D1&reason=not_signed_in"] == tab.gone_to
    auth, _ = arrive(tab, tab.gone_to[0], from_="/welcome").sign()
    await auth.sign_in(tab.browser.server.sign_in())
    assert "/welcome?x=1#token=secret" == auth.next_path()
    other, _ = arrive(tab, "/login?next=%2Fother", from_="/").sign()
    assert "/other" == other.next_path()


# A page that is there still


async def sign_out_of(tab: Tab, **options: object) -> tuple[SilentRefresh, Client]:
    auth, client = tab.sign(**options)
    await auth.sign_in(tab.browser.server.sign_in())
    await auth.sign_out()
    return auth, client


async def test_a_redirect_that_did_not_happen_is_asked_for_again(tab: Tab) -> None:
    """Somebody answered "stay": nothing happens by itself, and at the next click the page leaves."""
    _, client = await sign_out_of(tab)
    assert [NotSignedIn] * 3 == await gather(*(again(client) for _ in range(3)))
    assert 1 == len(tab.gone_to)

    tab.stayed[-1](False)

    assert 1 == len(tab.gone_to)
    assert [NotSignedIn] * 3 == await gather(*(again(client) for _ in range(3)))
    assert 2 == len(tab.gone_to)


async def test_a_redirect_that_nobody_saw_is_asked_for_again(tab: Tab) -> None:
    """A page that only polls leaves at last, however its redirect got lost."""
    _, client = await sign_out_of(tab)
    await later(PATIENCE)

    await again(client)

    assert 2 == len(tab.gone_to)


async def test_a_page_from_the_bfcache_leaves_at_once(tab: Tab, server: Server) -> None:
    """Back from the sign-in, it would show the data of somebody who left."""
    auth, client = await sign_out_of(tab)

    tab.stayed[-1](True)

    assert ["/login?reason=sign_out"] * 2 == tab.gone_to
    await auth.sign_in(server.sign_in())
    assert [] == tab.stayed
    assert 200 == (await client.get("me")).status
    assert 2 == len(tab.gone_to)


async def test_a_callable_is_called_again_when_the_page_comes_back(tab: Tab) -> None:
    """Not while somebody uses the page: it may have shown a form."""
    calls: list[Any] = []
    _, client = await sign_out_of(tab, login=calls.append)
    tab.stayed[-1](False)
    await again(client)
    assert 1 == len(calls)

    tab.stayed[-1](True)
    await gather(again(client), again(client))

    assert ["sign_out", "not_signed_in"] == [event.reason for event in calls]


async def test_a_closed_one_asks_for_nothing(tab: Tab) -> None:
    """Its page may have another."""
    auth, _ = await sign_out_of(tab)

    auth.close()

    assert [] == tab.stayed


# A server that shows the sign-in at another address


async def test_a_sign_in_that_the_server_moved_knows_itself(tab: Tab, server: Server) -> None:
    """``./login.html``, served at ``/login``: it is what the redirect said; a wrong password is its own."""
    await need(tab, login="./login.html")
    page = arrive(tab, tab.gone_to[-1].replace("login.html", "login"), from_=tab.url)
    auth, client = page.sign(login="./login.html")
    server.routes["/api/session"] = saying(401, {"error": "invalid_credentials"})

    assert 401 == (await client.post("session", json={})).status
    assert await need(page, login="./login.html") is None
    assert [] == page.gone_to
    assert "/orders?page=2" == auth.next_path()


async def test_anybody_can_make_a_link_that_looks_like_it(browser: Browser) -> None:
    """What no redirect of this tab said isn't believed."""
    tab = browser.open("/orders?next=%2F&reason=rejected")

    assert await need(tab) is NotSignedIn
    assert 1 == len(tab.gone_to)


@pytest.mark.parametrize("tells", [True, False], ids=["referrer", "no-referrer"])
async def test_a_loop_ends_with_what_to_do(
    browser: Browser, caplog: pytest.LogCaptureFixture, tells: bool
) -> None:
    """The server drops the query, too: after one turn the page stays, and caller and console are told why."""
    tab, errors = browser.open("/a"), []
    while len(errors) < 9 and LoginLoop not in errors:
        errors.append(await need(tab, login="./login.html"))
        tab = arrive(tab, "/login", from_=tab.url.removeprefix(ORIGIN) if tells else "")

    assert [NotSignedIn, NotSignedIn] + [NotSignedIn] * (not tells) + [LoginLoop] == errors
    (told,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "login='https://app.example/login.html' led to /login, which isn't that address" in told


async def test_a_loop_that_grows_ends(browser: Browser) -> None:
    """Whatever the server makes of the query."""
    tab, url = browser.open("/a"), "/a"
    for _ in range(2):
        assert await need(tab, login="/auth") is NotSignedIn
        url = "/sso?return_to=" + tab.gone_to[-1].replace("&", "%26")
        tab = arrive(tab, url, from_=tab.url.removeprefix(ORIGIN))

    assert await need(tab, login="/auth") is LoginLoop


async def test_every_request_of_a_loop_is_told(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    """And the console once; somebody who uses the page doesn't set it going again."""
    tab = browser.open("/login")
    tab.referrer = tab.url
    tab.memory["silent-refresh:login"] = json.dumps([f"{ORIGIN}/auth", {"next": "/x"}, tab.url, "", 1])
    _, client = tab.sign(login="/auth")

    assert [LoginLoop] * 3 == await gather(*(again(client) for _ in range(3)))
    assert ([], []) == (tab.gone_to, tab.stayed)
    assert 1 == len(caplog.records)


async def test_who_comes_back_without_having_signed_in_is_sent_again(browser: Browser) -> None:
    """By a link, by the history, from a sign-in that doesn't use this library: as often as it takes."""
    tab = browser.open("/a")
    for from_ in ("/login", None, "/login", None, "/login"):
        assert await need(tab) is NotSignedIn
        tab = arrive(tab, "/a", from_=from_)

    assert await need(tab) is NotSignedIn


async def test_what_a_page_makes_anew_goes_on(tab: Tab) -> None:
    """Several of a page are no loop, nor is the one that takes the place of another."""
    assert [NotSignedIn] * 9 == [await need(tab) for _ in range(9)]
    assert 9 == len(tab.gone_to)


async def test_after_a_sign_in_the_count_begins_anew(tab: Tab, server: Server) -> None:
    """Sessions may end one after the other, each with its redirect; pages don't tell whence they come."""
    for _ in range(4):
        assert await need(tab) is NotSignedIn
        page = arrive(tab, tab.gone_to[-1], from_="")
        auth, _ = page.sign()
        await auth.sign_in(server.sign_in())
        await auth.sign_out()
        tab = arrive(page, "/orders", from_="")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[1,2,3,4,5]",
        '["", {}, "", "", 1e999]',
        "[" * 5000,
        '["u", {"next": []}, "x", 1, 9]',
    ],
)
async def test_whatever_is_remembered_the_page_leaves(tab: Tab, text: str) -> None:
    """Garbage in the tab's storage is no redirect."""
    tab.memory["silent-refresh:login"] = text.replace("u", f"{ORIGIN}/login")

    assert await need(tab) is NotSignedIn
    assert 1 == len(tab.gone_to)


async def test_without_a_memory_the_page_leaves(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage that is blocked keeps nobody from the sign-in."""

    def refuse(key: str, text: str) -> None:
        raise OSError("SecurityError")

    monkeypatch.setattr(tab, "remember", refuse)

    assert await need(tab) is NotSignedIn
    assert 1 == len(tab.gone_to)


# Endpoints


@pytest.mark.parametrize(
    ("refresh", "url"),
    [
        ("/api/rpc?method=auth.refresh", "rpc?method=orders.list"),
        ("/api/index.php?rest_route=/jwt/refresh", "index.php?rest_route=/wp/v2/posts"),
    ],
)
async def test_endpoints_that_differ_by_their_query_get_their_tokens(
    tab: Tab, server: Server, refresh: str, url: str
) -> None:
    """The refresh URL itself gets none, with or without a fragment."""
    auth, client = tab.sign(refresh=refresh)
    await auth.sign_in(server.sign_in())

    assert 200 == (await client.get(url)).status
    assert 401 == (await Client(auth=auth).post(refresh + "#x")).status
    assert [True, False] == [call.token is not None for call in server.calls]


async def test_a_sign_in_by_fragment_exempts_nothing(tab: Tab, server: Server) -> None:
    """``/#/login`` is a page; an API at ``/`` gets its tokens."""
    auth, _ = tab.sign(login="/#/login")
    await auth.sign_in(server.sign_in())

    assert 200 == (await Client(auth=auth).get("/")).status
