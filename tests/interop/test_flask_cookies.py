"""Flask-JWT-Extended itself, its tokens in cookies alone: the CSRF values change with each renewal."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from silent_refresh import (
    Client,
    Headers,
    MemoryStorage,
    RefreshEndpoint,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    SilentRefresh,
)
from tests.e2e.page_python import PagePython
from tests.interop.network import Network
from tests.interop.presets import CREDENTIALS
from tests.interop.running import InteropServer
from tests.world.browser import Browser

REFRESH_FIELD, ACCESS_FIELD = "csrf_refresh_token", "csrf_access_token"


@pytest.fixture(scope="module")
def flask(base_url: str) -> Iterator[InteropServer]:
    """Run the server; pages of the tests' origin may send cookies."""
    with InteropServer("flask_jwt_cookies", "--allow-origin", base_url) as server:
        yield server


class Page:
    """A page, its engine in CPython, whose user is signed in."""

    def __init__(self, server: InteropServer, network: Network, *, csrf: bool = True) -> None:
        self.server, self.network = server, network
        self.tab = Browser(network).open("/orders")  # type: ignore[arg-type]  # it asks for transport() alone
        name = "X-CSRF-TOKEN" if csrf else "X-Other"
        endpoint = RefreshEndpoint.cookie(
            f"{server.url}/refresh", (name, lambda: self.cookie(REFRESH_FIELD)), access_path=None
        )
        self.auth, _ = self.tab.sign(refresh=endpoint, store=MemoryStorage(), retries=0)
        headers = {"X-CSRF-TOKEN": lambda: self.cookie(ACCESS_FIELD)}
        self.client = Client(server.url, auth=self.auth, headers=headers)

    def cookie(self, name: str) -> str:
        """Read a cookie that is no secret, as a script may."""
        return next((cookie.value or "" for cookie in self.network.cookies if cookie.name == name), "")

    async def sign_in(self) -> None:
        """Sign in, and count from here."""
        headers = Headers({"Content-Type": "application/json"})
        options = {"credentials": "include"}
        request = Request(
            "POST", f"{self.server.url}/login", headers=headers, body=json.dumps(CREDENTIALS), options=options
        )
        answer = (await self.network.transport(request)).raise_for_status()
        await self.auth.sign_in(await answer.json())
        self.server.lab.reset()

    async def me(self) -> int:
        """Post something: that takes both the cookie and its CSRF value."""
        return (await self.client.post("/api/me")).status


@pytest.fixture
async def in_cpython(flask: InteropServer, network: Network) -> Page:
    """Return the page."""
    page = Page(flask, network)
    await page.sign_in()
    return page


async def test_an_expired_cookie_is_renewed_again_and_again(in_cpython: Page) -> None:
    """At the second renewal the CSRF value is another one."""
    for number in (1, 2, 3):
        in_cpython.server.lab.expire()
        assert 200 == await in_cpython.me()
        assert number == in_cpython.server.lab.counters()["refresh"]


async def test_a_dead_one_signs_out(in_cpython: Page) -> None:
    """The login is shown."""
    in_cpython.server.lab.expire_refresh_tokens()

    with pytest.raises(RefreshRejected):
        await in_cpython.me()
    assert [False, 1] == [in_cpython.auth.signed_in, len(in_cpython.tab.gone_to)]


async def test_a_server_that_is_down_keeps_the_session(network: Network) -> None:
    """And goes on when it is there again: its cookies outlive it."""
    with InteropServer("flask_jwt_cookies") as server:
        page = Page(server, network)
        await page.sign_in()
        server.stop()
        with pytest.raises(RefreshUnavailable):
            await page.auth.refresh()
        server.start()

        assert page.auth.signed_in
        assert 200 == await page.me()


async def test_a_page_without_the_csrf_header_is_told(flask: InteropServer, network: Network) -> None:
    """It isn't signed out for that, and hears what is missing."""
    page = Page(flask, network, csrf=False)
    await page.sign_in()

    with pytest.raises(RefreshMisconfigured, match="CSRF"):
        await page.auth.refresh()
    assert page.auth.signed_in


async def open_in_a_browser(url, credentials):
    import json
    import sys
    from types import SimpleNamespace

    import js
    from pyodide.http import pyfetch

    def cookie(name):
        pairs = (pair.partition("=") for pair in js.document.cookie.split("; "))
        return {found: value for found, _, value in pairs}.get(name, "")

    options = {"method": "POST", "credentials": "include", "headers": {"Content-Type": "application/json"}}
    assert (await pyfetch(f"{url}/login", body=json.dumps(credentials), **options)).ok
    endpoint = RefreshEndpoint.cookie(
        f"{url}/refresh", ("X-CSRF-TOKEN", lambda: cookie("csrf_refresh_token")), access_path=None
    )
    auth = SilentRefresh(endpoint, login=None, store=MemoryStorage())
    headers = {"X-CSRF-TOKEN": lambda: cookie("csrf_access_token")}
    sys.modules["flask_page"] = SimpleNamespace(auth=auth, client=Client(url, auth=auth, headers=headers))


async def post():
    from flask_page import client

    return (await client.post("/api/me")).status


async def close():
    from flask_page import auth

    auth.close()


def test_the_same_in_a_browser(page_python: PagePython, flask: InteropServer) -> None:
    """Its own cookies; the page is signed in by them at its first request."""
    host = page_python.page.url.split("/")[2].split(":")[0]  # cookies know no port: the page may read them
    page_python(open_in_a_browser, flask.url.replace("127.0.0.1", host), CREDENTIALS)
    flask.lab.reset()

    for number in (1, 2, 3):
        assert 200 == page_python(post)
        assert number == flask.lab.counters()["refresh"]
        flask.lab.expire()
    page_python(close)
