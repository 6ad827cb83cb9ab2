"""``RequestsAuth(auth)``: requests gets the same refresh, with and without pyodide-http, waiting or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from silent_refresh import RequestsAuth
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab, RunningServer

Calls = list[list[Any]]
Send = Callable[..., list[Any]]


async def patch_all():
    import pyodide_http
    import requests

    pyodide_http.patch_all()
    return type(requests.Session().get_adapter("https://")).__name__


async def make_http(may_block):
    """Leave two ways of sending in the page: for a task, which can wait, and for JavaScript, which can't."""
    import json
    import sys
    from types import SimpleNamespace

    import js
    import requests
    from opened import auth
    from pyodide.ffi import can_run_sync, create_proxy

    http = requests.Session()
    http.auth = RequestsAuth(auth, may_block=may_block)

    def send(method, url, options):
        if "generator" in options:
            options["data"] = (piece.encode() for piece in options.pop("generator"))
        try:
            answer = http.request(method, js.URL.new(url, js.location.href).href, **options)
        except Exception as error:
            return type(error).__name__
        return [answer.status_code, [before.status_code for before in answer.history], answer.text]

    def send_all(calls):
        return [send(*call) for call in calls]

    async def all_at_once(calls, others):
        from asyncio import create_task, gather

        from opened import client

        async def later(call):
            return send(*call)

        tasks = [create_task(later(call)) for call in calls]
        tasks += [create_task(client.get(url)) for url in others]
        ends = await gather(*tasks)
        return [end[0] if isinstance(end, list) else getattr(end, "status", end) for end in ends]

    sys.modules["http_in_use"] = SimpleNamespace(send_all=send_all, all_at_once=all_at_once, session=http)
    js.sendAll = create_proxy(lambda calls: json.dumps([can_run_sync(), send_all(json.loads(calls))]))


async def send_in_a_task(calls):
    from http_in_use import send_all
    from pyodide.ffi import can_run_sync

    assert can_run_sync()
    return send_all(calls)


async def send_all_at_once(calls, others):
    from http_in_use import all_at_once

    return await all_at_once(calls, others)


@pytest.fixture(scope="module", params=["native", "pyodide-http"])
def page_with_requests(
    browser: Browser, base_url: str, request: pytest.FixtureRequest
) -> Iterator[PagePython]:
    """Load a test page that can import requests, once for all tests."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        give_packages(page)
        if request.param == "pyodide-http":
            assert "PyodideHTTPAdapter" == page(patch_all)
        yield page


@pytest.fixture
def http(page_with_requests: PagePython, server: RunningServer, lab: Lab) -> Iterator[PageSession]:
    """Return the page's session, a requests session beside it; the demo user is signed in."""
    page_with_requests.forget()
    session = PageSession(page_with_requests)
    session.open(lab.sign_in(), timeout=5)
    page_with_requests(make_http, True)
    yield session
    session.let_go()


def in_a_task(http: PageSession, calls: Calls) -> list[Any]:
    """Send, one after the other, where the caller can wait."""
    ends: list[Any] = http.python(send_in_a_task, calls)
    return ends


def in_a_handler(http: PageSession, calls: Calls) -> list[Any]:
    """Send, one after the other, as a synchronous event handler would."""
    could_wait, ends = json.loads(http.page.evaluate("calls => sendAll(calls)", json.dumps(calls)))
    assert not could_wait
    found: list[Any] = ends
    return found


@pytest.fixture(params=[pytest.param(in_a_task, marks=pytest.mark.needs("stack switching")), in_a_handler])
def send(http: PageSession, request: pytest.FixtureRequest) -> Send:
    """Return what sends requests from a task, or from a synchronous handler."""
    return lambda *calls: request.param(http, list(calls))


def status_and_history(ends: list[Any]) -> list[Any]:
    """Return what came, without the bodies; an error's name."""
    return [end if isinstance(end, str) else end[:2] for end in ends]


PROFILE = ["GET", "/api/profile", {}]


def test_a_good_token_is_sent(send: Send, lab: Lab) -> None:
    """Nothing is sent twice."""
    assert [[200, []]] == status_and_history(send(PROFILE))
    assert {"refresh": 0, "reuse": 0, "api": 1, "unauthorized": 0} == lab.counters()


def test_an_expired_token_is_renewed_once(send: Send, lab: Lab) -> None:
    """The answer to the first is in the history of the second, as requests does (F1)."""
    lab.expire()

    assert [[200, [401]], [200, []]] == status_and_history(send(PROFILE, PROFILE))
    assert {"refresh": 1, "reuse": 0, "api": 3, "unauthorized": 1} == lab.counters()


def test_the_new_session_is_stored_and_is_everybodys(http: PageSession, send: Send, lab: Lab) -> None:
    """What awaits goes on with what a synchronous caller renewed, and the other way round (F33)."""
    before = http.record()
    lab.expire()
    send(PROFILE)

    assert [200] == http.get("profile")
    assert before["generation"] < http.record()["generation"]
    assert 1 == lab.counters()["refresh"]


@pytest.mark.every_engine("stack switching (JSPI)")
@pytest.mark.needs("stack switching")
def test_synchronous_and_other_callers_share_one_refresh(http: PageSession, lab: Lab) -> None:
    """Ten of each, in the same moment (F1, F10)."""
    lab.expire()
    items = [f"items/{number}" for number in range(10)]
    calls = [["GET", f"/api/{item}", {}] for item in items]

    assert [200] * 20 == http.python(send_all_at_once, calls, items)
    assert 1 == lab.counters()["refresh"]


def test_a_body_is_sent_again(send: Send, lab: Lab) -> None:
    """The whole of it (F44)."""
    lab.expire()
    ((status, history, text),) = send(["POST", "/api/notes", {"json": {"text": "bread, milk"}}])

    assert (201, [401]) == (status, history)
    assert "bread, milk" in text


def test_a_body_that_can_be_read_once_is_not(send: Send, lab: Lab) -> None:
    """Its caller gets the 401, and the next request the new token (F43)."""
    lab.expire()
    note = ["POST", "/api/notes", {"generator": ['{"text": ', '"bread"}']}]

    assert [[401, []], [200, []]] == status_and_history(send(note, PROFILE))
    assert 1 == lab.counters()["refresh"]


def test_a_refused_refresh_token_ends_the_session(http: PageSession, send: Send, lab: Lab) -> None:
    """Each caller gets an error, the tokens are gone, and the page leaves once (F6)."""
    lab.expire()
    lab.revoke()

    assert ["RefreshRejected", "NotSignedIn"] == send(PROFILE, PROFILE)
    assert http.record() is None
    assert 1 == len(http.redirects())
    assert 1 == lab.counters()["refresh"]


@pytest.mark.needs("stack switching")
def test_f63_an_ended_token_that_cannot_be_renewed_is_sent(http: PageSession, lab: Lab) -> None:
    """The server's clock may say otherwise, or need no token; its 401 is the end of it (F63)."""
    http.open({**lab.sign_in(), "expiresIn": 0.001}, timeout=5, retries=0)
    http.python(make_http, True)
    lab.refresh(status=503, times=9)

    assert [[200, []]] == status_and_history(in_a_task(http, [PROFILE]))
    lab.expire()
    assert ["RefreshUnavailable"] == in_a_task(http, [PROFILE])


def test_a_server_in_trouble_ends_nothing(http: PageSession, send: Send, lab: Lab) -> None:
    """The tokens stay, and the next request tries again (F37)."""
    before = http.record()
    lab.refresh(status=503, times=9)
    lab.expire()

    assert ["RefreshUnavailable"] == send(PROFILE)
    assert before == http.record()
    lab.reset()
    assert [[200, [401]]] == status_and_history(send(PROFILE))
    assert [] == http.redirects()


def test_a_resource_that_always_refuses_is_left_alone(send: Send, lab: Lab) -> None:
    """It costs one refresh, however often it is asked (F4)."""
    lab.api(status=401, times=20)

    assert [401] * 4 == [end[0] for end in send(PROFILE, PROFILE, PROFILE, PROFILE)]
    assert 1 == lab.counters()["refresh"]


def test_nobody_is_signed_in(http: PageSession, send: Send, lab: Lab) -> None:
    """The request goes out without a token, and its 401 leads to the login (F13)."""
    http.sign_out()

    assert ["NotSignedIn"] == send(PROFILE)
    assert {"refresh": 0, "reuse": 0, "api": 1, "unauthorized": 1} == lab.counters()


def test_the_callers_own_token_is_left_alone(send: Send, lab: Lab) -> None:
    """It is sent as it is, and its 401 renews nothing (F79)."""
    own = ["GET", "/api/profile", {"headers": {"Authorization": "Bearer mine"}}]

    assert [[401, []]] == status_and_history(send(own))
    assert 0 == lab.counters()["refresh"]


def test_another_origin_gets_no_token(http: PageSession, send: Send) -> None:
    """Whatever it answers (F75, F76)."""
    seen: list[str | None] = []

    def answer(route):
        seen.append(route.request.headers.get("authorization"))
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        route.fulfill(status=401, headers=headers)

    foreign = "http://localhost:1/foreign"
    http.page.route(foreign, answer)
    send(["GET", foreign, {}])
    http.page.unroute(foreign)

    assert [] == [header for header in seen if header is not None]


@pytest.mark.needs("stack switching")
def test_each_of_many_callers_gets_the_reason(http: PageSession, lab: Lab) -> None:
    """Five wait together for a renewal that is refused; each gets that very error (F6)."""
    lab.expire()
    lab.revoke()

    assert ["RefreshRejected"] * 5 == http.python(send_all_at_once, [PROFILE] * 5, [])
    assert 1 == len(http.redirects())


def test_a_resource_is_not_blamed_for_a_body_that_could_not_be_sent_again(
    http: PageSession, send: Send, lab: Lab
) -> None:
    """When the next token is refused there, it's renewed as anywhere (F4, F43)."""
    lab.expire()
    send(["POST", "/api/notes", {"generator": ['{"text": ', '"bread"}']}])
    lab.expire()

    assert [[201, [401]]] == status_and_history(send(["POST", "/api/notes", {"json": {"text": "milk"}}]))
    assert 2 == lab.counters()["refresh"]


def test_nothing_to_renew_with_ends_the_session(http: PageSession, send: Send, lab: Lab) -> None:
    """At the first refusal, with one redirect."""
    http.open({"accessToken": lab.sign_in()["accessToken"]})
    http.python(make_http, True)
    lab.expire()

    assert ["NotSignedIn"] == send(PROFILE)
    assert http.record() is None
    assert 0 == lab.counters()["refresh"]
    assert 1 == len(http.redirects())
