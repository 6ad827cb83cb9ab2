"""``RequestsAuth`` with requests and with niquests, in CPython: signed when it is sent, however old it is."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from silent_refresh import (
    Headers,
    NotSignedIn,
    RefreshEndpoint,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    RequestsAuth,
)
from tests.interop.conftest import ServerOf
from tests.interop.network import Network
from tests.interop.presets import ARTICLE
from tests.interop.running import InteropServer
from tests.world.browser import Browser

# Apart from all else: where it finds urllib3, its own fork of it takes that one's place.
NIQUESTS = Path(sys.executable).parents[1] / "niquests"


@pytest.fixture(scope="module", params=["requests", "niquests"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    """Return one of the two."""
    sys.path.append(str(NIQUESTS))
    try:
        return importlib.import_module(request.param)
    finally:
        sys.path.remove(str(NIQUESTS))


class Waiting:
    """What a thread has to wait for the engine, whose loop runs in another; Pyodide's is JSPI."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def can_wait(self) -> bool:
        return True

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def send(self, request: Any) -> Any:
        raise AssertionError("it can wait")


class Elsewhere(BaseHTTPRequestHandler):
    """Another origin, which notes what it is sent; a path that begins so redirects there."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.seen.append(self.headers.get("Authorization"))
        self.send_response(302 if self.path.startswith("/to/") else 200)
        if self.path.startswith("/to/"):
            self.send_header("Location", self.path.removeprefix("/to/"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """Run that origin."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    server.seen = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Page:
    """A session of one of the two libraries over a page's ``auth``."""

    def __init__(self, library: ModuleType, server: InteropServer, network: Network, *more: str) -> None:
        self.library, self.server, self.network = library, server, network
        tab = Browser(network).open("/orders")  # type: ignore[arg-type]  # it asks for transport() alone
        tab.platform = tab.platform._replace(blocking=Waiting(), clock=time)  # both are asked by threads
        endpoint = RefreshEndpoint(f"{server.url}/refresh")
        self.auth, _ = tab.sign(refresh=endpoint, origins=[server.url, *more], retries=0)
        self.http = library.Session()
        self.http.trust_env = False
        self.http.auth = RequestsAuth(self.auth)
        self.url = server.url + ARTICLE.me

    async def sign_in(self) -> None:
        """Sign in, and count from here."""
        call = ARTICLE.sign_in(self.server.url)
        fields = Headers(call["headers"])
        answer = await self.network.transport(Request("POST", call["url"], headers=fields, body=call["body"]))
        await self.auth.sign_in(await answer.json())
        self.server.lab.reset()

    def prepared(self, method: str = "GET", **more: Any) -> Any:
        """Return a request for later."""
        return self.http.prepare_request(self.library.Request(method, self.url, **more))

    async def get(self) -> Any:
        """Send one now."""
        return await asyncio.to_thread(self.http.get, self.url)

    async def send(self, prepared: Any) -> Any:
        """Send one that was prepared before."""
        return await asyncio.to_thread(self.http.send, prepared)


OpenPage = Callable[..., Page]


@pytest.fixture
async def open_page(library: ModuleType, server_of: ServerOf, network: Network) -> AsyncIterator[OpenPage]:
    """Return what opens a page; its arguments are further origins for the token."""
    pages: list[Page] = []

    def open_one(*more: str) -> Page:
        pages.append(Page(library, server_of(ARTICLE), network, *more))
        return pages[-1]

    yield open_one
    for page in pages:
        page.http.close()
        page.auth.close()


@pytest.fixture
async def signed_in(open_page: OpenPage) -> Page:
    """Return a page whose user is signed in."""
    page = open_page()
    await page.sign_in()
    return page


async def test_an_expired_token_is_renewed_unseen(signed_in: Page) -> None:
    """What was refused is in the history, as the libraries have it."""
    signed_in.server.lab.expire()

    answer = await signed_in.get()

    assert [200, [401]] == [answer.status_code, [before.status_code for before in answer.history]]
    assert {"refresh": 1, "unauthorized": 1} == signed_in.server.lab.counters()


async def test_a_body_is_sent_again(signed_in: Page) -> None:
    """The whole of it (F44)."""
    signed_in.server.lab.expire()
    signed_in.url = f"{signed_in.server.url}/api/notes"

    answer = await signed_in.send(signed_in.prepared("POST", json={"text": "bread, milk"}))

    assert 201 == answer.status_code
    assert "bread, milk" in answer.text


async def test_a_request_that_was_kept_has_the_token_of_when_it_is_sent(signed_in: Page) -> None:
    """It was prepared before the token changed, is sent three times, and never refused."""
    kept = signed_in.prepared()
    for _ in range(3):
        await signed_in.auth.refresh()
        signed_in.server.lab.reset()
        assert 200 == (await signed_in.send(kept)).status_code
        assert 200 == (await signed_in.send(kept.copy())).status_code
        assert {"refresh": 0, "unauthorized": 0} == signed_in.server.lab.counters()


async def test_one_that_was_prepared_before_the_sign_in(open_page: OpenPage) -> None:
    """It is signed all the same."""
    page = open_page()
    kept = page.prepared()
    await page.sign_in()

    assert 200 == (await page.send(kept)).status_code
    assert 0 == page.server.lab.counters()["unauthorized"]


async def test_f69_who_signed_out_sends_no_token(signed_in: Page) -> None:
    """What was kept is sent without one, and its 401 is NotSignedIn (F69)."""
    kept = signed_in.prepared()
    assert 200 == (await signed_in.send(kept)).status_code
    await signed_in.auth.sign_out()
    signed_in.server.lab.reset()

    with pytest.raises(NotSignedIn):
        await signed_in.send(kept)
    assert 1 == signed_in.server.lab.counters()["unauthorized"]


async def test_a_token_that_is_about_to_end_is_renewed_before_one_is_sent(signed_in: Page) -> None:
    """By the clock: nothing is refused."""
    kept = signed_in.prepared()
    assert signed_in.auth.tokens is not None
    await signed_in.auth.sign_in(
        {
            "accessToken": signed_in.auth.tokens.access_token,
            "refreshToken": signed_in.auth.tokens.refresh_token,
            "expiresIn": 0.001,
        }
    )
    await asyncio.sleep(0.01)  # the token's whole life

    assert 200 == (await signed_in.send(kept)).status_code
    assert {"refresh": 1, "unauthorized": 0} == signed_in.server.lab.counters()


async def test_a_refused_refresh_token_ends_the_session(signed_in: Page) -> None:
    """Whoever sends a kept one is told."""
    kept = signed_in.prepared()
    signed_in.server.lab.expire_refresh_tokens()

    with pytest.raises(RefreshRejected):
        await signed_in.send(kept)
    with pytest.raises(NotSignedIn):
        await signed_in.send(kept)
    assert not signed_in.auth.signed_in


async def test_who_gets_an_error_leaves_no_connection_taken(signed_in: Page) -> None:
    """The refused answer, which nobody gets, is closed."""
    refused: list[Any] = []
    adapter = signed_in.http.get_adapter(signed_in.url)
    send = adapter.send

    def send_and_note(*request: Any, **options: Any) -> Any:
        refused.append(send(*request, **options))
        return refused[-1]

    adapter.send = send_and_note
    signed_in.server.lab.expire_refresh_tokens()
    signed_in.server.lab.expire()

    with pytest.raises(RefreshRejected):
        await signed_in.get()
    assert [True] == [answer.raw.closed for answer in refused]


async def test_a_server_in_trouble_ends_nothing(open_page: OpenPage) -> None:
    """The tokens stay."""
    page = open_page()
    page.url = "http://127.0.0.1:9/nobody"
    await page.auth.sign_in({"accessToken": "a", "refreshToken": "r", "expiresIn": 0.001})
    page.server.stop()
    try:
        with pytest.raises(RefreshUnavailable):
            await page.auth.access_token()
    finally:
        page.server.start()
    assert page.auth.signed_in


async def test_f79_a_token_of_the_callers_own_is_left_alone(signed_in: Page) -> None:
    """Given at the start, or set on a kept one (F79)."""
    kept = signed_in.prepared()
    kept.headers["authorization"] = "Bearer mine"
    given = signed_in.prepared(headers={"Authorization": "Bearer mine"})

    assert 401 == (await signed_in.send(kept)).status_code
    assert 401 == (await signed_in.send(given)).status_code
    assert 0 == signed_in.server.lab.counters()["refresh"]


async def test_f76_a_redirect_takes_the_token_to_no_other_origin(open_page: OpenPage, elsewhere: Any) -> None:
    """To one that is listed it does; a kept one, sent again, likewise (F76)."""
    page = open_page(elsewhere.url)
    await page.sign_in()
    assert page.auth.tokens is not None
    token = f"Bearer {page.auth.tokens.access_token}"
    other = elsewhere.url.replace("127.0.0.1", "localhost")
    page.url = f"{elsewhere.url}/to/{other}/x"
    kept = page.prepared()
    for _ in range(2):
        assert 200 == (await page.send(kept)).status_code
    page.url = f"{elsewhere.url}/to/{elsewhere.url}/x"
    assert 200 == (await page.get()).status_code

    seen = ["token" if one == token else one for one in elsewhere.seen]
    assert ["token", None, "token", None, "token", "token"] == seen


async def test_what_is_shown_has_no_token(signed_in: Page) -> None:
    """Neither does a request that was sent, nor its fields."""
    kept = signed_in.prepared()
    answer = await signed_in.send(kept)
    assert signed_in.auth.tokens is not None

    if signed_in.library.__name__ == "requests":
        assert (
            signed_in.auth.tokens.access_token not in f"{kept!r} {kept.headers!r} {answer.request.headers!r}"
        )
