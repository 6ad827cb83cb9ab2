"""Four tabs, one session, a server that takes each refresh token once; real locks, real storage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.e2e.page_session import KEY, PageSession
from tests.e2e.tabs import NEVER, PATIENT, open_all, open_page, open_pages, renewing, signed_in_tabs

TABS = 4
ROUNDS = 20
ROUNDS_WHEN_BUSY = 15
LOCK = f"silent-refresh:{KEY}"
SHUT_GATE = """() => new Promise((shut) => {
    navigator.locks.request("gate", () => new Promise((open) => { window.openGate = open; shut(); }));
})"""


@pytest.fixture(scope="module")
def pages(browser, base_url):
    """Open the tabs, once for all tests."""
    with open_pages(browser, base_url, TABS) as pages:
        yield pages


@pytest.fixture
def tabs(pages, lab):
    """Return each tab's session; the demo user is signed in."""
    return signed_in_tabs(pages, lab)


async def send_at_the_gate(count):
    from asyncio import gather

    import js
    from opened import client
    from pyodide.ffi import to_js

    await js.navigator.locks.request("gate", to_js({"mode": "shared"}), lambda lock: None)
    return [response.status for response in await gather(*(client.get(f"items/{n}") for n in range(count)))]


def fire(tabs):
    """Let each tab send five requests in the same moment; return what each tab got."""
    tabs[0].page.evaluate(SHUT_GATE)
    running = [tab.python.start(send_at_the_gate, 5) for tab in tabs]
    tabs[0].page.evaluate("() => window.openGate()")
    return [tab.result() for tab in running]


def renew_in_rounds(tabs, lab, rounds, capsys):
    """Expire the token and fire, again and again; each round costs one refresh and shows no 401."""
    started = time.monotonic()
    for round in range(1, rounds + 1):
        lab.expire()
        assert [[200] * 5] * TABS == fire(tabs)
        assert round == lab.counters()["refresh"]
    assert 0 == lab.counters()["reuse"]
    assert [[]] * TABS == [tab.redirects() for tab in tabs]
    seconds = time.monotonic() - started
    with capsys.disabled():
        print(f"\n{rounds} rounds of {TABS} tabs × 5 requests: {rounds} refreshes, 0 reuses, {seconds:.1f} s")


@pytest.mark.every_engine("Web Locks")
def test_tabs_that_need_a_token_at_once_share_one_refresh(tabs, lab, capsys):
    """Twenty rounds, twenty refreshes; no reuse, and no 401 reaches the page's code (F14, F15, F16)."""
    renew_in_rounds(tabs, lab, ROUNDS, capsys)


@contextmanager
def every_core_busy():
    """Keep a loop running on each core."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_tabs_share_one_refresh_on_a_busy_machine(tabs, lab, capsys):
    """The same when all that is asynchronous comes late (F14, F15)."""
    with every_core_busy():
        renew_in_rounds(tabs, lab, ROUNDS_WHEN_BUSY, capsys)


def test_tabs_that_slept_share_one_refresh(tabs, lab):
    """Eight hours later all wake, and none of them sends the old token (F61)."""
    record = tabs[0].record()
    record["issued_at"] -= 8 * 3600
    tabs[0].store(**{KEY: json.dumps(record)})
    open_all(tabs)

    assert [[200] * 5] * TABS == fire(tabs)
    assert {"refresh": 1, "reuse": 0, "api": 20, "unauthorized": 0} == lab.counters()


@pytest.fixture
def one_more(pages, tabs):
    """Return one more tab, which the test may close."""
    page = open_page(pages[0].page.context)
    session = PageSession(page)
    open_all([session])
    yield session
    page.page.close()


@pytest.mark.every_engine("Web Locks")
def test_a_tab_that_is_closed_while_it_holds_the_lock(tabs, lab, one_more):
    """The browser frees its lock, and the others go on with one refresh of their own (F17)."""
    open_all([*tabs, one_more], timeout=PATIENT)
    lab.refresh(**NEVER)
    renewing(one_more, lab)
    running = [tab.start(["GET", "profile", {}]) for tab in tabs]
    for tab in tabs:
        tab.wait_for("queued")
    one_more.page.close()

    assert [[200]] * TABS == [tab.result() for tab in running]
    assert 2 == lab.counters()["refresh"]


def test_a_tab_that_is_closed_before_it_kept_the_answer(tabs, lab, one_more):
    """The server's grace covers the token that nobody got (F17, F38)."""
    lab.grace(30)
    lab.refresh(**{**NEVER, "after": True})
    renewing(one_more, lab)
    one_more.page.close()

    assert [[200] * 5] * TABS == fire(tabs)
    assert {"refresh": 2, "reuse": 0} == {name: lab.counters()[name] for name in ("refresh", "reuse")}


def test_a_tab_whose_refresh_hangs_holds_up_nobody_for_long(tabs, lab):
    """It gives up at its deadline, and the next in the queue asks by itself (F18, F39)."""
    lab.refresh(**NEVER)
    hanging = renewing(tabs[0], lab)
    running = [tab.start(["GET", "profile", {}]) for tab in tabs[1:]]

    assert ["RefreshUnavailable"] == hanging.result()
    assert [[200]] * (TABS - 1) == [tab.result() for tab in running]
    assert 2 == lab.counters()["refresh"]
    assert [200] == tabs[0].get("profile")
    assert [[]] * TABS == [tab.redirects() for tab in tabs]


HOLD_LOCK = """(name) => new Promise((held) => {
    navigator.locks.request(name, () => new Promise((free) => { window.freeLock = free; held(); }));
})"""
STEAL_LOCK = "(name) => navigator.locks.request(name, { steal: true }, () => undefined)"


def test_a_tab_that_never_frees_the_lock_is_waited_for_only_so_long(tabs, lab):
    """A frozen tab costs the others an error that says so, and no token (F18)."""
    tabs[0].page.evaluate(HOLD_LOCK, LOCK)
    before = tabs[1].record()
    lab.expire()
    ends = tabs[1].get("profile", "notes")
    tabs[0].page.evaluate("() => window.freeLock()")

    assert ["RefreshUnavailable"] * 2 == ends
    assert before == tabs[1].record()
    assert 0 == lab.counters()["refresh"]
    assert [200] == tabs[1].get("profile")


@pytest.mark.every_engine("Web Locks")
def test_a_stolen_lock_is_not_stolen_back(tabs, lab):
    """Who lost the lock asks no second time (F19)."""
    open_all(tabs, timeout=PATIENT)
    lab.refresh(status=503, headers={"Retry-After": "4"})
    lab.expire()
    with tabs[0].page.expect_response("**/refresh"):
        running = tabs[0].start(["GET", "profile", {}])
    tabs[1].page.evaluate(STEAL_LOCK, LOCK)

    assert ["RefreshUnavailable"] == running.result()
    assert 1 == lab.counters()["refresh"]
    assert tabs[0].record() is not None
