"""Workers apart: other ways in, a page that serves none, a session of a worker's own, the recipe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from silent_refresh import (
    Client,
    Headers,
    MemoryStorage,
    Request,
    RequestsAuth,
    Response,
    SilentRefresh,
    SilentRefreshError,
    install,
    serve_workers,
)
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePythonError
from tests.e2e.running_server import Lab
from tests.e2e.workers import (
    Side,
    open_auth,
)

ROOT = Path(__file__).resolve().parents[2]


async def hear_events():
    from opened import auth, client

    told = []
    stop = auth.listen(lambda event: told.append(event.name))
    try:
        await client.get("profile")
        await auth.refresh()  # what the page tells comes before its answer
    finally:
        stop()
    return told


def test_a_worker_hears_the_events_of_the_page(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """In the order in which they happened."""
    _, worker = signed_in
    lab.expire()
    told = worker.python(hear_events)

    renewal = ["renewing-changed", "refresh-started", "refresh-done", "renewing-changed"]
    assert ["sent", "refused", "queued", *renewal, "replayed", "answered", *renewal] == told
    assert 2 == lab.counters()["refresh"]


async def get_relative(url):
    from opened import auth

    return (await Client(auth=auth).get(url)).status


def test_a_workers_urls_are_relative_to_the_page(signed_in: tuple[Side, Side]) -> None:
    """Though its own is a blob's."""
    _, worker = signed_in

    assert 200 == worker.python(get_relative, "index.html")


async def get_by_pyfetch(url):
    from opened import auth
    from pyodide.http import pyfetch

    undo = install(auth)
    try:
        return (await pyfetch(url)).status
    finally:
        undo()


def test_pyfetch_in_a_worker_shares_the_refresh(
    signed_in: tuple[Side, Side], lab: Lab, base_url: str
) -> None:
    """``install(auth)`` works there as in the page."""
    _, worker = signed_in
    lab.expire()

    assert 200 == worker.python(get_by_pyfetch, f"{base_url}/api/profile")
    assert 1 == lab.counters()["refresh"]


async def post_by_fetch(url, is_stream):
    import js
    from opened import auth
    from pyodide.ffi import to_js

    body = js.Blob.new(to_js(["two words"])).stream() if is_stream else "two words"
    undo = install(auth)
    try:
        options = {"method": "POST", "body": body, "duplex": "half"}
        return (await js.fetch(url, to_js(options, dict_converter=js.Object.fromEntries))).status
    finally:
        undo()


@pytest.mark.needs("a stream as the body of a request")
def test_a_stream_of_a_worker_that_is_refused_spoils_nothing(
    signed_in: tuple[Side, Side], lab: Lab, base_url: str
) -> None:
    """It can't be sent again; that says nothing of the new token, nor of what else goes there."""
    page, worker = signed_in
    echo = f"{base_url}/api/echo"
    page.page.route(echo, lambda route: route.fulfill(status=401))  # over HTTP/1.1 no stream leaves

    assert 401 == worker.python(post_by_fetch, echo, True)
    page.page.unroute(echo)
    assert 1 == lab.counters()["refresh"]
    lab.expire()
    assert 200 == worker.python(post_by_fetch, echo, False)
    assert 2 == lab.counters()["refresh"]


async def get_by_requests(url):
    import requests
    from opened import auth

    http = requests.Session()
    http.auth = RequestsAuth(auth)
    answer = http.get(url)
    return [answer.status_code, [before.status_code for before in answer.history]]


@pytest.mark.needs("stack switching")
def test_requests_in_a_worker_shares_the_refresh(
    signed_in: tuple[Side, Side], lab: Lab, base_url: str
) -> None:
    """It waits for the page without holding it up (F10)."""
    _, worker = signed_in
    give_packages(worker.python, base_url=base_url)
    lab.expire()

    assert [200, [401]] == worker.python(get_by_requests, f"{base_url}/api/profile")
    assert 1 == lab.counters()["refresh"]


async def go_on_with_a_refused_one(session):
    from opened import auth

    from silent_refresh.auth import session_of
    from silent_refresh.engine.access import Refused

    async def send(request):
        return Response(200, Headers(), request.url, request)

    request = Request("GET", "/api/profile")
    token = auth.tokens.access_token if auth.tokens else "gone"
    refused = Refused(Response(401, Headers(), request.url, request), token, session)
    try:
        return (await session_of(auth).send(request, send, refused)).status
    except SilentRefreshError as error:
        return type(error).__name__


def test_a_workers_adapter_learns_what_became_of_a_session(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """An adapter that sends by itself asks, and the page answers (F69)."""
    page, worker = signed_in
    first = page.record()["id"]
    assert 200 == worker.python(go_on_with_a_refused_one, first)
    page.sign_in(lab.sign_in())
    assert 401 == worker.python(go_on_with_a_refused_one, first)
    second = page.record()["id"]
    lab.expire()
    lab.revoke()

    assert ["RefreshRejected"] == worker.get("profile")
    assert "RefreshRejected" == worker.python(go_on_with_a_refused_one, second)


async def stop_serving():
    from opened import undo

    undo()


async def ask_impatiently(seconds):
    from opened import auth

    from silent_refresh.workers import page_link

    patience, page_link.PATIENCE = page_link.PATIENCE, seconds
    try:
        await auth.access_token()
    finally:
        page_link.PATIENCE = patience


def test_a_page_that_serves_no_worker_is_told_what_to_add(signed_in: tuple[Side, Side]) -> None:
    """The worker's call ends with the line that the page lacks."""
    page, worker = signed_in
    page.python(stop_serving)

    with pytest.raises(PagePythonError, match=r"add serve_workers\(auth\) after auth = SilentRefresh\(\)"):
        worker.python(ask_impatiently, 0.2)


def test_a_request_that_waits_ends_when_the_page_stops_serving(
    signed_in: tuple[Side, Side], lab: Lab
) -> None:
    """It gets an error of its own, and a page that serves again is found."""
    page, worker = signed_in
    lab.expire()
    lab.refresh(delay=60)
    with page.page.expect_request("**/refresh"):
        running = worker.start(["GET", "profile", {}])
    page.python(stop_serving)

    assert ["SessionChanged"] == running.result()
    page.python(open_auth, True)
    assert [200] == worker.get("profile")


async def serve_anew():
    """Tell workers that the page is here before the page that they have takes its leave."""
    import opened

    stop, opened.undo = opened.undo, serve_workers(opened.auth)
    stop()


def test_a_page_that_was_heard_before_the_last_one_left_is_found(signed_in: tuple[Side, Side]) -> None:
    """What it says to all may come before what the other says to this worker: the two cross by ways apart."""
    page, worker = signed_in
    page.python(serve_anew)

    assert [200] == worker.get("profile")


async def sign_in_and_close(tokens):
    auth = SilentRefresh()
    await auth.sign_in(tokens)
    auth.close()


async def run_code(text):
    import sys
    from io import StringIO
    from types import SimpleNamespace

    from pyodide.code import eval_code_async

    names = {"__name__": "__main__"}
    stdout, sys.stdout = sys.stdout, StringIO()
    try:
        await eval_code_async(text, names)
        return sys.stdout.getvalue()
    finally:
        sys.stdout = stdout
        sys.modules["recipe"] = SimpleNamespace(**names)


async def end_recipe():
    from recipe import stop_serving

    stop_serving()


def test_the_recipe_does_what_it_says(sides: tuple[Side, Side], lab: Lab) -> None:
    """Its code for the page and its code for the worker run as they stand in docs/recipes/workers.md."""
    page, worker = sides
    text = (ROOT / "docs" / "recipes" / "workers.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert {"main.py", "worker.py"} == set(blocks)
    page.python(stop_serving)
    page.python(sign_in_and_close, lab.sign_in())
    page.python(run_code, blocks["main.py"])
    lab.expire()

    assert "Hello from a worker, demo\n" == worker.python(run_code, blocks["worker.py"])
    assert 1 == lab.counters()["refresh"]
    page.python(end_recipe)


async def own_session(tokens):
    auth = SilentRefresh(store=MemoryStorage(), login=None)
    client = Client(auth=auth)
    await auth.sign_in(tokens)
    await client.post("/lab/expire", json={}, auth=None)
    status = (await client.get("/api/profile")).status
    auth.close()
    return status


def test_a_worker_may_have_a_session_of_its_own(sides: tuple[Side, Side], lab: Lab) -> None:
    """With a store of its own, it renews by itself and the page knows nothing."""
    page, worker = sides

    assert 200 == worker.python(own_session, lab.sign_in())
    assert 1 == lab.counters()["refresh"]
    assert page.record() is None
