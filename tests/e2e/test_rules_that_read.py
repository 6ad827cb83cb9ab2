"""An ``is_refused`` that reads the body sees the same however a request came: fetch, requests, a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from silent_refresh import Client, RequestsAuth, SilentRefresh, install, serve_workers
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab, RunningServer
from tests.e2e.workers import Side

OVER = json.dumps({"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]})


@pytest.fixture(scope="module")
def page_with_requests(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load a test page that can import requests."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        give_packages(page)
        yield page


async def sign_in_with_a_rule(tokens):
    import sys
    from types import SimpleNamespace

    import js
    import requests
    from pyodide.ffi import can_run_sync, create_proxy

    async def is_over(response):
        return "UNAUTHENTICATED" in await response.text()

    auth = SilentRefresh(login=None, is_refused=is_over)
    await auth.sign_in(tokens)
    client, http = Client("/api", auth=auth), requests.Session()
    http.auth = RequestsAuth(auth, may_block=True)

    def by_requests():
        return http.get(js.URL.new("/api/profile", js.location.href).href).text

    async def by_a_task():
        assert can_run_sync()
        return by_requests()

    async def by_client():
        return await (await client.get("profile")).text()

    async def by_fetch():
        undo = install(auth)
        try:
            return await (await js.fetch("/api/profile")).text()
        finally:
            undo()

    js.byRequests = create_proxy(by_requests)
    sys.modules["ruled"] = SimpleNamespace(by_task=by_a_task, by_client=by_client, by_fetch=by_fetch)


async def send_by(way):
    import ruled

    return await getattr(ruled, way)()


@pytest.mark.parametrize(
    "way",
    [
        "by_client",
        "by_fetch",
        pytest.param("by_task", marks=pytest.mark.needs("stack switching")),
        "by_handler",
    ],
)
def test_a_rule_sees_the_body(
    page_with_requests: PagePython, server: RunningServer, lab: Lab, way: str
) -> None:
    """What a 200 says is renewed once, and the caller gets the answer whole."""
    page = page_with_requests
    page.forget()
    page(sign_in_with_a_rule, lab.sign_in())
    lab.reset()

    for refreshes in (0, 1):
        if refreshes:
            lab.api(status=200, body=OVER, times=1)
        got = page.page.evaluate("() => byRequests()") if way == "by_handler" else page(send_by, way)
        assert "name" in json.loads(got)
        assert refreshes == lab.counters()["refresh"]


async def share_with_a_rule():
    import opened

    async def is_over(response):
        return "UNAUTHENTICATED" in await response.text()

    opened.undo()
    opened.auth.close()
    opened.auth = SilentRefresh(is_refused=is_over)
    opened.undo = serve_workers(opened.auth)


async def ask():
    from opened import client

    return await (await client.get("profile")).json()


def test_a_rule_of_the_page_judges_its_workers_answers(sides: tuple[Side, Side], lab: Lab) -> None:
    """The page asks for the body; the worker has it still."""
    page, worker = sides
    page.python(share_with_a_rule)
    page.sign_in(lab.sign_in())
    lab.reset()
    assert "name" in worker.python(ask)
    assert 0 == lab.counters()["refresh"]

    lab.api(status=200, body=OVER, times=1)
    assert "name" in worker.python(ask)
    assert 1 == lab.counters()["refresh"]
