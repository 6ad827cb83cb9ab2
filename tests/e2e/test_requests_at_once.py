"""What ``RequestsAuth`` can't do for a synchronous handler, and that it harms no session then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from silent_refresh import RefreshError, SilentRefresh, Tokens
from silent_refresh.engine.limiter import MOST_OVER_HTTP1 as MOST
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import KEY, PageSession
from tests.e2e.running_server import Lab, RunningServer
from tests.e2e.test_requests import PROFILE, in_a_handler, make_http, send_all_at_once, status_and_history

# What WebKit lacks (2.50).
NO_STACK_SWITCHING = "delete WebAssembly.Suspending; delete WebAssembly.promising;"


def open_page(browser: Browser, base_url: str, script: str) -> Iterator[PagePython]:
    with browser.new_context(base_url=base_url) as context:
        context.add_init_script(script)
        page = PagePython(context.new_page())
        page.open()
        give_packages(page)
        yield page


@pytest.fixture(scope="module")
def page_with_requests(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load a test page that can import requests."""
    yield from open_page(browser, base_url, "")


@pytest.fixture(scope="module")
def page_that_cannot_wait(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load such a page in a browser without stack switching."""
    yield from open_page(browser, base_url, NO_STACK_SWITCHING)


def signed_in(page: PagePython, lab: Lab) -> PageSession:
    page.forget()
    session = PageSession(page)
    session.open(lab.sign_in(), timeout=5)
    page(make_http, True)
    return session


@pytest.fixture
def http(page_with_requests: PagePython, server: RunningServer, lab: Lab) -> PageSession:
    """Return the page's session, a requests session beside it; the demo user is signed in."""
    return signed_in(page_with_requests, lab)


async def wait_for_the_renewal():
    from contextlib import suppress

    from opened import auth

    with suppress(RefreshError):
        await auth.refresh()


def send(http: PageSession, *calls: list[Any]) -> list[Any]:
    return status_and_history(in_a_handler(http, list(calls)))


def test_a_renewal_under_way_is_not_doubled(http: PageSession, lab: Lab) -> None:
    """Its end can't be waited for: the call fails, the tokens stay, and a later call succeeds."""
    lab.expire()
    lab.refresh(delay=3)
    with http.page.expect_request("**/refresh"):
        running = http.start(["GET", "profile", {}])

    assert ["RefreshUnavailable"] == send(http, PROFILE)
    assert [200] == running.result()
    assert [[200, []]] == send(http, PROFILE)
    assert {"refresh": 1, "reuse": 0, "api": 3, "unauthorized": 1} == lab.counters()
    assert [] == http.redirects()


def test_the_limit_holds_up_nobody_who_cannot_wait(http: PageSession, lab: Lab) -> None:
    """While as many requests are under way as may be, the refused call renews and is sent again."""
    lab.expire()
    lab.api(delay=0.5, times=12)  # twice what the browser sends at a time
    with http.page.expect_request(f"**/items/{MOST - 1}"):
        running = http.start(*(["GET", f"items/{number}", {}] for number in range(MOST + 3)))

    assert [[200, [401]]] == send(http, PROFILE)
    assert [200] * (MOST + 3) == running.result()
    assert 1 == lab.counters()["refresh"]


def test_what_another_tab_wrote_is_adopted(http: PageSession, lab: Lab) -> None:
    """The record is read again before anything is sent (F16)."""
    lab.expire()
    answer, record = lab.sign_in(), http.record()
    tokens = {"access_token": answer["accessToken"], "refresh_token": answer["refreshToken"]}
    http.store(**{KEY: json.dumps({**record, **tokens, "generation": record["generation"] + 1})})

    assert [[200, [401]]] == send(http, PROFILE)
    assert {"refresh": 0, "reuse": 0, "api": 2, "unauthorized": 1} == lab.counters()


def test_what_a_message_tells_of_and_nobody_committed_holds_nothing_back(
    http: PageSession, page_with_requests: PagePython, lab: Lab
) -> None:
    """Any script of the origin can send one; the journal is asked, and knows nothing of it (F86)."""
    before = http.record()
    page_with_requests(hear_of_a_renewal, before["id"], before["generation"] + 1)
    lab.expire()

    assert [[200, [401]]] == send(http, PROFILE)
    assert before["id"] == http.record()["id"]
    assert {"refresh": 1, "reuse": 0, "api": 2, "unauthorized": 1} == lab.counters()


async def hear_of_a_renewal(session, generation):
    import asyncio
    import json

    import js

    from silent_refresh.browser.bridge import load_bridge

    heard = asyncio.Event()
    witness = js.BroadcastChannel.new("silent-refresh:silent-refresh")
    witness.onmessage = lambda event: heard.set()
    channel = js.BroadcastChannel.new("silent-refresh:silent-refresh")
    channel.postMessage(json.dumps([generation, session, False]))
    await heard.wait()
    await load_bridge().readTexts("the library asked before, and has its answer when this one comes")
    channel.close()
    witness.close()


def test_three_renewals_in_turns_use_no_refresh_token_twice(http: PageSession, lab: Lab) -> None:
    """In a handler, among tabs, and in a handler again."""
    first = http.record()["generation"]
    for call in (lambda: send(http, PROFILE)[0][0], lambda: http.get("profile")[0]) * 2:
        lab.expire()
        assert 200 == call()

    assert first + 4 == http.record()["generation"]
    assert 4 == lab.counters()["refresh"]
    assert 0 == lab.counters()["reuse"]


@pytest.mark.parametrize(
    "fault",
    [{"drop": True}, {"status": 307, "headers": {"Location": "/api/echo"}}],
    ids=["no answer", "redirect"],
)
def test_no_usable_answer_costs_no_session(http: PageSession, lab: Lab, fault: dict[str, Any]) -> None:
    """One try, the tokens stay, and the next request succeeds (F36, F40)."""
    before = http.record()
    lab.expire()
    lab.refresh(**fault)

    assert ["RefreshUnavailable"] == send(http, PROFILE)
    assert before == http.record()
    assert 1 == lab.counters()["refresh"]
    lab.reset()
    assert [[200, [401]]] == send(http, PROFILE)
    assert [] == http.redirects()


async def renew_by_own_function(tokens):
    import json

    import opened
    from pyodide.http import pyfetch

    async def refresh(old):
        body, headers = json.dumps({"refreshToken": old.refresh_token}), {"Content-Type": "application/json"}
        answer = await (await pyfetch("/refresh", method="POST", body=body, headers=headers)).json()
        return Tokens(answer["accessToken"], answer["refreshToken"])

    opened.auth.close()
    opened.auth = SilentRefresh(refresh)
    await opened.auth.sign_in(tokens)


async def wait_for_a_token():
    from opened import auth

    await auth.access_token()


def test_a_refresh_function_of_the_pages_goes_on_behind(http: PageSession, lab: Lab) -> None:
    """It is asynchronous, so the call that starts it fails; a later one has the new token."""
    http.python(renew_by_own_function, lab.sign_in())
    http.python(make_http, True)
    lab.expire()

    assert ["RefreshUnavailable"] == send(http, PROFILE)
    http.python(wait_for_a_token)
    assert [[200, []]] == send(http, PROFILE)
    assert 1 == lab.counters()["refresh"]
    assert 0 == lab.counters()["reuse"]


@pytest.mark.every_engine("no stack switching")
def test_a_browser_without_stack_switching(page_that_cannot_wait: PagePython, lab: Lab) -> None:
    """Calls in coroutines can't wait either; with those that can, they share one refresh."""
    http = signed_in(page_that_cannot_wait, lab)
    lab.expire()

    items = [f"items/{number}" for number in range(5)]
    calls = [["GET", f"/api/{item}", {}] for item in items]
    assert [200] * 10 == http.python(send_all_at_once, calls, items)
    assert 1 == lab.counters()["refresh"]
    assert 0 == lab.counters()["reuse"]


@pytest.mark.parametrize("may_block", [True, False])
def test_f40_the_refresh_token_is_not_sent_on(
    http: PageSession, server: RunningServer, own_server: Callable[..., RunningServer], may_block: bool
) -> None:
    """Unless that was asked for: a call that blocks the page can't refuse a redirect, so none is made."""
    elsewhere = own_server("--allow-origin", server.url)
    http.python(make_http, may_block)
    server.lab.expire()
    server.lab.refresh(status=307, headers={"Location": f"{elsewhere.url}/refresh"})

    assert ["RefreshUnavailable"] == in_a_handler(http, [PROFILE])
    http.python(wait_for_the_renewal)

    assert (1 if may_block else 0) == elsewhere.lab.counters()["refresh"]


@pytest.mark.every_engine("no stack switching")
def test_a_later_call_finds_the_token_renewed(http: PageSession, lab: Lab) -> None:
    """What can't be waited for goes on meanwhile."""
    http.python(make_http, False)
    lab.expire()

    assert ["RefreshUnavailable"] == in_a_handler(http, [PROFILE])
    http.wait_for("refresh-done")
    assert [[200, []]] == send(http, PROFILE)
    assert 1 == lab.counters()["refresh"]
