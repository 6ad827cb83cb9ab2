"""The access token in a field and behind a word of the server's choice, by whichever way a request goes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route

from silent_refresh import Client, RefreshEndpoint, RequestsAuth, SilentRefresh, install, serve_workers
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab, RunningServer
from tests.e2e.workers import Side

PLACE = "/api/place"


def show_fields(route: Route) -> None:
    """Answer with what arrived in the fields that matter."""
    headers = route.request.headers
    found = {name: headers.get(name) for name in ("authorization", "x-session-token")}
    route.fulfill(status=200, json=found)


@pytest.fixture(scope="module")
def page_with_requests(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load a test page that can import requests."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        give_packages(page)
        page.page.route(f"**{PLACE}", show_fields)
        yield page


async def sign_in_for(options, place):
    import sys
    from types import SimpleNamespace

    import js
    import requests
    from pyodide.ffi import create_proxy

    auth = SilentRefresh(RefreshEndpoint("/refresh", **options), login=None)
    await auth.sign_in({"accessToken": "the-token", "refreshToken": "r"})
    client, http = Client(auth=auth), requests.Session()
    http.auth = RequestsAuth(auth)

    def by_requests():
        return http.get(js.URL.new(place, js.location.href).href).text

    async def by_task():
        return by_requests()

    async def by_client():
        return await (await client.get(place)).text()

    async def by_fetch():
        undo = install(auth)
        try:
            return await (await js.fetch(place)).text()
        finally:
            undo()

    js.byRequests = create_proxy(by_requests)
    sys.modules["sent_by"] = SimpleNamespace(by_task=by_task, by_client=by_client, by_fetch=by_fetch)


async def send_by(way):
    import sent_by

    return await getattr(sent_by, way)()


BY_TASK = pytest.param("by_task", marks=pytest.mark.needs("stack switching"))
BY_HANDLER = pytest.param("by_handler", marks=pytest.mark.needs("synchronous requests answered by a test"))
SCHEMES = [({"header": "X-Session-Token"}, None, "the-token"), ({"scheme": "JWT"}, "JWT the-token", None)]


@pytest.mark.parametrize("way", ["by_client", "by_fetch", BY_TASK, BY_HANDLER])
@pytest.mark.parametrize(("options", "authorization", "session_token"), SCHEMES)
def test_it_goes_where_the_server_wants_it(
    page_with_requests: PagePython,
    server: RunningServer,
    options: dict[str, str],
    authorization: str | None,
    session_token: str | None,
    way: str,
) -> None:
    """Client, the page's fetch, requests that waits and requests that can't."""
    page = page_with_requests
    page.forget()
    page(sign_in_for, options, PLACE)

    got = page.page.evaluate("() => byRequests()") if way == "by_handler" else page(send_by, way)

    assert {"authorization": authorization, "x-session-token": session_token} == json.loads(got)


async def share_by(options):
    import opened

    opened.undo()
    opened.auth.close()
    opened.auth = SilentRefresh(RefreshEndpoint("/refresh", **options))
    opened.undo = serve_workers(opened.auth)
    await opened.auth.sign_in({"accessToken": "the-token", "refreshToken": "r"})


async def ask(place):
    from opened import client

    return await (await client.get(place.removeprefix("/api/"))).json()


def test_a_worker_sends_it_as_its_page_does(sides: tuple[Side, Side], lab: Lab) -> None:
    """The page tells it how."""
    page, worker = sides
    page.page.route(f"**{PLACE}", show_fields)
    page.python(share_by, {"header": "X-Session-Token"})

    assert {"authorization": None, "x-session-token": "the-token"} == worker.python(ask, PLACE)
    page.page.unroute(f"**{PLACE}")
