"""``HttpxAuth`` in a page, over what really sends there: httpx2's own transport, a patch for httpx."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from silent_refresh import HttpxAuth
from tests.e2e.bound_session import open_page, order_nonces
from tests.e2e.markdown import run_markdown
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "httpx.md"
FOLDER = Path(sys.executable).parents[1] / "httpx"
PACKAGES = {
    "httpx2": ("httpx2", "httpx2_jsfetch", "idna"),
    "httpx": ("httpx", "pyodide_httpx", "httpcore", "anyio", "h11", "certifi", "idna", "typing_extensions"),
}


async def make_http(name):
    """Leave in the page what sends by one of the two libraries, for a task and for a handler."""
    import json
    import sys
    from importlib import import_module
    from types import SimpleNamespace

    import js
    from opened import auth
    from pyodide.ffi import create_proxy

    library = import_module(name)
    if name == "httpx":
        from pyodide_httpx import patch_httpx

        patch_httpx(sync_client=True)
    http = library.Client(auth=HttpxAuth(auth))
    async_http = library.AsyncClient(auth=HttpxAuth(auth))

    def prepared(url, options):
        if "generator" in options:
            options["content"] = (piece.encode() for piece in options.pop("generator"))
        if "file" in options:
            options["files"] = {"file": ("note.txt", options.pop("file").encode(), "text/plain")}
        return js.URL.new(url, js.location.href).href, options

    def end_of(answer):
        return [answer.status_code, [before.status_code for before in answer.history], answer.text]

    def send_now(method, url, options):
        url, options = prepared(url, options)
        try:
            return end_of(http.request(method, url, **options))
        except Exception as error:
            return type(error).__name__

    async def send(method, url, options):
        url, options = prepared(url, options)
        if "content" in options and not isinstance(options["content"], str):

            async def pieces(given):
                for piece in given:
                    yield piece

            options["content"] = pieces(options["content"])
        try:
            return end_of(await async_http.request(method, url, **options))
        except Exception as error:
            return type(error).__name__

    in_use = SimpleNamespace(send=send, send_now=send_now, library=library, http=http, async_http=async_http)
    sys.modules["http_in_use"] = in_use
    js.sendNow = create_proxy(lambda call: json.dumps(send_now(*json.loads(call))))


async def send_all(kind, calls):
    from asyncio import create_task, gather

    import http_in_use

    async def later(call):
        if kind == "AsyncClient":
            return await http_in_use.send(*call)
        return http_in_use.send_now(*call)

    return await gather(*(create_task(later(call)) for call in calls))


async def read_in_pieces(kind, url):
    """Return whether an answer was unread when it came, and what it says."""
    import http_in_use
    import js

    url = js.URL.new(url, js.location.href).href
    if kind == "AsyncClient":
        async with http_in_use.async_http.stream("GET", url) as answer:
            unread = not answer.is_stream_consumed
            pieces = [piece async for piece in answer.aiter_bytes()]
    else:
        with http_in_use.http.stream("GET", url) as answer:
            unread = not answer.is_stream_consumed
            pieces = list(answer.iter_bytes())
    return [unread, b"".join(pieces).decode()]


async def renewed():
    from opened import auth

    await auth.refresh()


@pytest.fixture(scope="module", params=PACKAGES)
def page_with_httpx(browser: Browser, base_url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Load a page that can import one of the two, once for all tests; return it and the name."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        give(page, request.param)
        yield page, request.param


def give(page: PagePython, name: str) -> None:
    """Let the page import that one."""
    sys.path.append(str(FOLDER))
    try:
        give_packages(page, PACKAGES[name])
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def http(page_with_httpx: Any, lab: Lab) -> Iterator[PageSession]:
    """Return the page's session, clients of httpx's beside it; the demo user is signed in."""
    page, name = page_with_httpx
    page.forget()
    session = PageSession(page)
    session.open(lab.sign_in())
    page(make_http, name)
    yield session
    session.let_go()


PROFILE = json.dumps(["GET", "/api/profile", {}])
SEND_NOW = "call => window.sendNow(call)"
WAITS = pytest.mark.needs("stack switching")
KINDS = pytest.mark.parametrize("kind", ["AsyncClient", pytest.param("Client", marks=WAITS)])


def test_an_expired_token_is_renewed_for_an_async_client(http: PageSession, lab: Lab) -> None:
    """Ten requests at once, one refresh; each has its own refused answer in its history."""
    lab.expire()
    ends = http.python(send_all, "AsyncClient", [["GET", f"/api/items/{n}", {}] for n in range(10)])

    assert [[200, [401]]] * 10 == [end[:2] for end in ends]
    assert {"refresh": 1, "reuse": 0, "api": 20, "unauthorized": 10} == lab.counters()


@WAITS
def test_an_expired_token_is_renewed_for_clients_that_wait(http: PageSession, lab: Lab) -> None:
    """Three that are suspended at a time share one, too."""
    lab.expire()
    ends = http.python(send_all, "Client", [["GET", f"/api/items/{n}", {}] for n in range(3)])

    assert [200] * 3 == [end[0] for end in ends]
    assert [1, 0] == [lab.counters()[name] for name in ("refresh", "reuse")]


@KINDS
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"json": {"text": "bread"}}, "bread"),
        ({"data": {"text": "bread"}}, "text=bread"),
        ({"content": "bread"}, "bread"),
        ({"generator": ["br", "ead"]}, "bread"),
        ({"file": "bread"}, 'filename=\\"note.txt\\"'),
    ],
    ids=["json", "data", "content", "generator", "files"],
)
def test_f44_a_body_is_sent_again(
    http: PageSession, lab: Lab, kind: str, options: dict[str, Any], says: str
) -> None:
    """The whole of it, a generator and a file too (F44)."""
    lab.expire()
    ((status, before, text),) = http.python(send_all, kind, [["POST", "/api/echo", options]])

    assert [200, [401], True] == [status, before, says in text], text
    assert 1 == lab.counters()["refresh"]


@KINDS
def test_f79_a_token_of_the_callers_own_is_left_alone(http: PageSession, lab: Lab, kind: str) -> None:
    """Its 401 is its caller's (F79)."""
    call = ["GET", "/api/profile", {"headers": {"Authorization": "Bearer mine"}}]
    ((status, before, _),) = http.python(send_all, kind, [call])

    assert [401, [], 0] == [status, before, lab.counters()["refresh"]]


@KINDS
def test_errors_reach_the_caller(http: PageSession, lab: Lab, kind: str) -> None:
    """A refused refresh token, and then nobody who is signed in."""
    lab.revoke()
    lab.expire()
    ends = [http.python(send_all, kind, [["GET", "/api/profile", {}]]) for _ in range(2)]

    assert [["RefreshRejected"], ["NotSignedIn"]] == ends


@KINDS
def test_an_answer_may_be_read_in_pieces(http: PageSession, lab: Lab, kind: str) -> None:
    """It comes unread, after a renewal too."""
    lab.expire()
    unread, text = http.python(read_in_pieces, kind, "/api/profile")

    assert [True, "demo"] == [unread, json.loads(text)["username"]]


def test_a_handler_that_cannot_wait(http: PageSession, lab: Lab, page_with_httpx: Any) -> None:
    """httpx2 sends a good token all the same; what is to be renewed is renewed for the next call."""
    if page_with_httpx[1] == "httpx":
        pytest.skip("pyodide-httpx itself waits by run_sync alone")
    good = json.loads(http.page.evaluate(SEND_NOW, PROFILE))
    lab.expire()
    expired = json.loads(http.page.evaluate(SEND_NOW, PROFILE))
    http.wait_for("refresh-done")
    again = json.loads(http.page.evaluate(SEND_NOW, PROFILE))

    assert [200, "RefreshUnavailable", 200] == [good[0], expired, again[0]]
    assert 1 == lab.counters()["refresh"]


@WAITS
def test_a_bound_token_goes_with_a_proof(fresh_page: Any, lab: Lab) -> None:
    """And with another one where the server wants a nonce in it; a caller that can't wait is told."""
    page = fresh_page()
    give(page, "httpx2")
    session = open_page(page)
    order_nonces(lab)
    page(make_http, "httpx2")
    ends = [page(send_all, kind, [["GET", "/api/profile", {}]] * 2) for kind in ("AsyncClient", "Client")]
    lab.expire()
    ends.append(page(send_all, "AsyncClient", [["GET", "/api/profile", {}]] * 2))
    told = json.loads(session.page.evaluate(SEND_NOW, PROFILE))

    assert [[200, 200]] * 3 == [[end[0] for end in two] for two in ends]
    assert "RuntimeError" == told
    assert 1 == lab.counters()["refresh"]


@pytest.mark.parametrize("name", PACKAGES)
def test_the_recipe_names_the_wheels(name: str) -> None:
    """All that each needs, in the versions that the tests have."""
    named = dict(re.findall(r"wheels/(\w+)-([\d.]+)-py3-none-any\.whl", RECIPE.read_text(encoding="utf-8")))
    sys.path.append(str(FOLDER))
    try:
        assert {one: version(one) for one in PACKAGES[name]}.items() <= named.items()
    finally:
        sys.path.remove(str(FOLDER))


@WAITS
def test_the_recipe_does_what_it_says(fresh_page: Any, lab: Lab) -> None:
    """From top to bottom; a patch can't be taken back, so in a page of its own."""
    page = fresh_page()
    for name in PACKAGES:
        give(page, name)
    session = PageSession(page)
    session.open(lab.sign_in())

    run_markdown(session, RECIPE)
