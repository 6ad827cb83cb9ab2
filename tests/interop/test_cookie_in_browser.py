"""Cookie mode in a real browser: a page that was loaded anew gets its session from the HttpOnly cookie."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Request as PageRequest

from silent_refresh import (
    Client,
    Headers,
    MemoryStorage,
    RefreshEndpoint,
    RefreshRejected,
    Request,
    SilentRefresh,
)
from tests.e2e.page_python import PagePython
from tests.interop.conftest import ServerOf
from tests.interop.presets import COOKIE
from tests.interop.running import InteropServer


async def sign_in(call):
    from silent_refresh.platform.current import current_platform

    headers = Headers(call["headers"])
    options = {"credentials": "include"}
    request = Request("POST", call["url"], headers=headers, body=call["body"], options=options)
    (await current_platform().transport(request)).raise_for_status()


async def begin(arguments, url):
    import asyncio

    auths = [SilentRefresh(RefreshEndpoint.cookie(**arguments), store=MemoryStorage()) for _ in range(3)]
    try:
        await asyncio.gather(*(auth.refresh() for auth in auths))
        told = [(await Client(url, auth=auth).get("")).status for auth in auths]
    except RefreshRejected as error:
        told = error.reason
    for auth in auths:
        auth.close()
    return {"told": told, "signed in": [auth.signed_in for auth in auths]}


@pytest.fixture
def server_with_cookies(server_of: ServerOf, base_url: str) -> InteropServer:
    """Return the server, which lets pages of the tests' origin send cookies."""
    return server_of(COOKIE, "--allow-origin", base_url)


@pytest.fixture
def seen(page_python: PagePython, server_with_cookies: InteropServer) -> Any:
    """Return the requests that the page sends, with a cookie at hand for every path of the server."""
    page = page_python.page
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "any", "value": "path", "url": server_with_cookies.url}])
    seen: list[PageRequest] = []

    def see(request: PageRequest) -> None:
        seen.append(request)

    page.on("request", see)
    yield seen
    page.remove_listener("request", see)
    page.context.clear_cookies()


def test_f83_cookies_and_the_csrf_header_go_with_the_refresh_call_alone(
    page_python: PagePython, server_with_cookies: InteropServer, seen: list[PageRequest]
) -> None:
    """Three stores, one cookie: each signs in with it, and no call to the API carries a cookie (F83)."""
    url = server_with_cookies.url
    page_python(sign_in, COOKIE.sign_in(url))
    server_with_cookies.lab.reset()

    answer = page_python(begin, COOKIE.arguments_at(url), url + COOKIE.me)

    assert {"told": [200] * 3, "signed in": [True] * 3} == answer
    assert 3 == server_with_cookies.lab.counters()["refresh"]
    for path, carries in ((COOKIE.arguments["url"], True), ("{url}" + COOKIE.me, False)):
        sent = [
            request.all_headers()
            for request in seen
            if request.url == path.replace("{url}", url) and request.method != "OPTIONS"
        ]
        assert 3 == len(sent)
        assert {carries} == {"any=path" in headers.get("cookie", "") for headers in sent}
        assert {carries} == {"x-requested-with" in headers for headers in sent}


def test_without_a_cookie_nobody_is_signed_in(
    page_python: PagePython, server_with_cookies: InteropServer, seen: list[PageRequest]
) -> None:
    """The server's refusal is an error that the page can act on, and the page stays where it is."""
    url = server_with_cookies.url
    address = page_python.page.url

    answer = page_python(begin, COOKIE.arguments_at(url), url + COOKIE.me)

    assert {"told": "status 401", "signed in": [False] * 3} == answer
    assert address == page_python.page.url
