"""``HttpxAuth`` with httpx in CPython, asynchronous and synchronous, against a real server."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from silent_refresh import (
    Headers,
    HttpxAuth,
    NotSignedIn,
    RefreshEndpoint,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    SessionChanged,
)
from tests.interop.conftest import ServerOf
from tests.interop.network import Network
from tests.interop.presets import ARTICLE
from tests.interop.running import InteropServer
from tests.interop.test_requests_and_niquests import Waiting, elsewhere  # noqa: F401  a fixture
from tests.world.browser import Browser

KINDS = ["AsyncClient", "Client", "Client that can't wait"]


class Page:
    """A client of httpx's over a page's ``auth``; the synchronous ones run in a thread."""

    def __init__(
        self, kind: str, server: InteropServer, network: Network, *more: str, **options: Any
    ) -> None:
        self.kind, self.server, self.network = kind, server, network
        tab = Browser(network).open("/orders")  # type: ignore[arg-type]  # it asks for transport() alone
        blocking = Waiting() if kind == "Client" else None
        tab.platform = tab.platform._replace(blocking=blocking, clock=time)  # both are asked by threads
        endpoint = RefreshEndpoint(f"{server.url}/refresh")
        self.auth, _ = tab.sign(refresh=endpoint, origins=[server.url, *more], retries=0, **options)
        self.auth_of_httpx = HttpxAuth(self.auth)
        library = httpx.AsyncClient if kind == "AsyncClient" else httpx.Client
        self.http: Any = library(auth=self.auth_of_httpx, trust_env=False, verify=False)
        self.url = server.url + ARTICLE.me
        self.notes = f"{server.url}/api/notes"

    async def sign_in(self) -> None:
        """Sign in, and count from here."""
        call = ARTICLE.sign_in(self.server.url)
        fields = Headers(call["headers"])
        answer = await self.network.transport(Request("POST", call["url"], headers=fields, body=call["body"]))
        await self.auth.sign_in(await answer.json())
        self.server.lab.reset()

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request that was built."""
        return await self._await(self.http.send, request, **options)

    async def get(self, url: str | None = None, **options: Any) -> httpx.Response:
        """Send a GET."""
        return await self._await(self.http.get, url or self.url, **options)

    async def post(self, **options: Any) -> httpx.Response:
        """Post a note."""
        return await self._await(self.http.post, self.notes, **options)

    async def _await(self, function: Callable[..., Any], *args: Any, **options: Any) -> httpx.Response:
        answer: httpx.Response
        if self.kind == "AsyncClient":
            answer = await function(*args, **options)
        elif self.kind == "Client":
            answer = await asyncio.to_thread(function, *args, **options)
        else:
            answer = function(*args, **options)  # the loop stands still
        return answer

    async def close(self) -> None:
        """Close both."""
        self.auth.close()
        if self.kind == "AsyncClient":
            await self.http.aclose()
        else:
            self.http.close()


OpenPage = Callable[..., Page]


@pytest.fixture(params=KINDS[:2])
def kind(request: pytest.FixtureRequest) -> str:
    """Return a kind of client."""
    found: str = request.param
    return found


@pytest.fixture
async def open_page(kind: str, server_of: ServerOf, network: Network) -> AsyncIterator[OpenPage]:
    """Return what opens a page; its arguments are further origins for the token."""
    pages: list[Page] = []

    def open_one(*more: str, kind: str = kind, **options: Any) -> Page:
        pages.append(Page(kind, server_of(ARTICLE), network, *more, **options))
        return pages[-1]

    yield open_one
    for page in pages:
        await page.close()


@pytest.fixture
async def signed_in(open_page: OpenPage) -> Page:
    """Return a page whose user is signed in."""
    page = open_page()
    await page.sign_in()
    return page


async def test_an_expired_token_is_renewed_unseen(signed_in: Page) -> None:
    """What was refused is in the history, as httpx has it."""
    signed_in.server.lab.expire()

    answer = await signed_in.get()

    assert [200, [401]] == [answer.status_code, [before.status_code for before in answer.history]]
    assert {"refresh": 1, "unauthorized": 1} == signed_in.server.lab.counters()


async def test_all_who_wait_share_one_renewal(signed_in: Page) -> None:
    """Requests of httpx's and one of ``access_token()``."""
    signed_in.server.lab.expire()

    answers = await asyncio.gather(*(signed_in.get() for _ in range(10)), signed_in.auth.refresh())

    assert [200] * 10 == [answer.status_code for answer in answers if answer is not None]
    assert 1 == signed_in.server.lab.counters()["refresh"]


async def parts() -> AsyncIterator[bytes]:
    yield b'{"text": '
    yield b'"bread"}'


def parts_now() -> Iterator[bytes]:
    yield b'{"text": '
    yield b'"bread"}'


JSON = {"Content-Type": "application/json"}
BODIES: dict[str, Callable[[bool], dict[str, Any]]] = {
    "json": lambda is_async: {"json": {"text": "bread"}},
    "bytes": lambda is_async: {"content": b'{"text": "bread"}', "headers": JSON},
    "a generator": lambda is_async: {"content": parts() if is_async else parts_now(), "headers": JSON},
}


@pytest.mark.parametrize("body", BODIES)
async def test_f44_a_body_is_sent_again(signed_in: Page, body: str) -> None:
    """The whole of it, of whatever kind (F44)."""
    is_async = signed_in.kind == "AsyncClient"
    signed_in.server.lab.expire()

    answer = await signed_in.post(**BODIES[body](is_async))

    assert 201 == answer.status_code
    assert "bread" in answer.text
    assert {"refresh": 1, "unauthorized": 1} == signed_in.server.lab.counters()


async def test_f44_a_file_is_sent_again(open_page: OpenPage) -> None:
    """From its beginning; a ``Client`` alone takes one (F44)."""
    page = open_page(kind="Client")
    await page.sign_in()
    page.server.lab.expire()

    answer = await page.post(content=io.BytesIO(b'{"text": "bread"}'), headers=JSON)

    assert [201, True] == [answer.status_code, "bread" in answer.text]


async def test_a_request_that_was_kept_is_signed_anew(signed_in: Page) -> None:
    """Whenever it is sent; the token doesn't stay in it."""
    kept = signed_in.http.build_request("GET", signed_in.url)
    for _ in range(3):
        await signed_in.auth.refresh()
        signed_in.server.lab.reset()
        answer = await signed_in.send(kept)
        assert 200 == answer.status_code
        assert {"refresh": 0, "unauthorized": 0} == signed_in.server.lab.counters()
        assert "authorization" not in answer.request.headers
        assert "authorization" not in kept.headers


async def test_f69_who_signed_out_sends_no_token(signed_in: Page) -> None:
    """And the 401 is NotSignedIn (F69)."""
    await signed_in.auth.sign_out()
    signed_in.server.lab.reset()

    with pytest.raises(NotSignedIn):
        await signed_in.get()
    assert 1 == signed_in.server.lab.counters()["unauthorized"]


async def test_a_token_that_is_about_to_end_is_renewed_before(signed_in: Page) -> None:
    """By the clock: nothing is refused."""
    tokens = signed_in.auth.tokens
    assert tokens is not None
    answer = {"accessToken": tokens.access_token, "refreshToken": tokens.refresh_token, "expiresIn": 0.001}
    await signed_in.auth.sign_in(answer)
    await asyncio.sleep(0.01)  # the token's whole life

    assert 200 == (await signed_in.get()).status_code
    assert {"refresh": 1, "unauthorized": 0} == signed_in.server.lab.counters()


async def test_a_refused_refresh_token_ends_the_session(signed_in: Page) -> None:
    """The caller of get() is told."""
    signed_in.server.lab.expire_refresh_tokens()
    signed_in.server.lab.expire()

    with pytest.raises(RefreshRejected):
        await signed_in.get()
    assert not signed_in.auth.signed_in


async def test_a_server_in_trouble_ends_nothing(open_page: OpenPage) -> None:
    """What httpx says of it reaches the caller, and the tokens stay."""
    page = open_page()
    await page.sign_in()
    with pytest.raises(httpx.ConnectError):
        await page.get("http://127.0.0.1:9/nobody")
    page.server.stop()
    try:
        with pytest.raises(httpx.ConnectError):
            await page.get()
    finally:
        page.server.start()
    assert page.auth.signed_in


async def test_f79_a_token_of_the_callers_own_is_left_alone(signed_in: Page) -> None:
    """It is sent as it is, and its 401 is its caller's (F79)."""
    answer = await signed_in.get(headers={"Authorization": "Bearer mine"})

    assert 401 == answer.status_code
    assert "Bearer mine" == answer.request.headers["authorization"]
    assert 0 == signed_in.server.lab.counters()["refresh"]


async def test_f76_a_token_goes_to_no_other_origin(open_page: OpenPage, elsewhere: Any) -> None:  # noqa: F811
    """Neither at once nor by a redirect; to one that is listed it does (F76)."""
    page = open_page(elsewhere.url)
    await page.sign_in()
    assert page.auth.tokens is not None
    token = f"Bearer {page.auth.tokens.access_token}"
    other = elsewhere.url.replace("127.0.0.1", "localhost")
    for url in (f"{other}/x", f"{elsewhere.url}/to/{other}/x", f"{elsewhere.url}/to/{elsewhere.url}/x"):
        assert 200 == (await page.get(url, follow_redirects=True)).status_code

    seen = ["token" if one == token else one for one in elsewhere.seen]
    assert [None, "token", None, "token", "token"] == seen


async def test_a_stream_is_read_by_its_caller_alone(signed_in: Page) -> None:
    """The answer comes unread, after a renewal too; the refused one is read, and its connection free."""
    signed_in.server.lab.expire()
    request = signed_in.http.build_request("GET", signed_in.url)

    answer = await signed_in.send(request, stream=True)

    assert not answer.is_stream_consumed
    assert "demo" in str(await answer.aread() if signed_in.kind == "AsyncClient" else answer.read())
    assert [True] == [before.is_closed for before in answer.history]


async def test_a_rule_may_read_the_body(open_page: OpenPage) -> None:
    """And the caller has it as well."""
    read: list[str] = []

    async def is_refused(response: Any) -> bool:
        read.append(await response.text())
        return bool(response.status == 401)

    page = open_page(is_refused=is_refused)
    await page.sign_in()
    page.server.lab.expire()
    answer = await page.get()

    assert read[-1] == answer.text != ""
    assert 1 == page.server.lab.counters()["refresh"]


async def test_who_gives_up_leaves_the_renewal_to_the_others(open_page: OpenPage) -> None:
    """A cancelled request takes nobody with it, and no task stays."""
    page = open_page(kind="AsyncClient")
    await page.sign_in()
    page.server.lab.expire()
    before = asyncio.all_tasks()
    one, two = asyncio.ensure_future(page.get()), asyncio.ensure_future(page.get())
    started = asyncio.Event()
    stop = page.auth.listen(lambda event: started.set(), "refresh-started")
    await started.wait()
    stop()
    one.cancel()

    assert 200 == (await two).status_code
    with pytest.raises(asyncio.CancelledError):
        await one
    assert 1 == page.server.lab.counters()["refresh"]
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before | {one, two}


async def test_what_ends_the_session_ends_what_waits(open_page: OpenPage) -> None:
    """With the engine's word for it."""
    page = open_page(kind="AsyncClient")
    await page.sign_in()
    page.server.lab.expire()
    waiting = asyncio.ensure_future(page.get())
    started = asyncio.Event()
    stop = page.auth.listen(lambda event: started.set(), "refresh-started")
    await started.wait()
    stop()
    await page.auth.sign_out()

    with pytest.raises(SessionChanged):
        await waiting


@pytest.fixture
async def cannot_wait(open_page: OpenPage) -> Page:
    """Return a page where nobody synchronous can be suspended."""
    page = open_page(kind=KINDS[2])
    await page.sign_in()
    return page


async def test_who_cannot_wait_sends_a_good_token(cannot_wait: Page) -> None:
    """Nothing is to be waited for."""
    assert 200 == (await cannot_wait.get()).status_code
    assert 201 == (await cannot_wait.post(json={"text": "bread"})).status_code
    assert 401 == (await cannot_wait.get(headers={"Authorization": "Bearer mine"})).status_code
    assert 0 == cannot_wait.server.lab.counters()["refresh"]


async def test_who_cannot_wait_is_told_to_come_back(cannot_wait: Page) -> None:
    """The renewal has begun, and a later call finds it done."""
    cannot_wait.server.lab.expire()
    done = asyncio.Event()
    stop = cannot_wait.auth.listen(lambda event: done.set(), "refresh-done")
    with pytest.raises(RefreshUnavailable, match="try again"):
        await cannot_wait.get()
    await done.wait()
    stop()

    assert 200 == (await cannot_wait.get()).status_code
    assert {"refresh": 1, "unauthorized": 1} == cannot_wait.server.lab.counters()


async def test_who_cannot_wait_and_is_signed_out(cannot_wait: Page) -> None:
    """It is NotSignedIn here as well."""
    await cannot_wait.auth.sign_out()

    with pytest.raises(NotSignedIn):
        await cannot_wait.get()


async def test_what_is_shown_has_no_token(signed_in: Page) -> None:
    """Neither does the auth, nor its class of httpx's."""
    answer = await signed_in.get()
    assert signed_in.auth.tokens is not None

    shown = f"{signed_in.auth_of_httpx!r} {answer.request!r} {answer.request.headers!r} {answer!r}"
    assert signed_in.auth.tokens.access_token not in shown
    assert isinstance(signed_in.auth_of_httpx, httpx.Auth)
