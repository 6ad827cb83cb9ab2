"""Hosts whose Python runs in a worker: a module worker of bare Pyodide, and a SharedWorker.

No page shares a session with it; the journal, the lock and the channel are this origin's.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.bare_worker import BareWorker
from tests.e2e.page_python import empty_storage
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

HEAR = """
from asyncio import Event
heard = Event()
stop = auth.listen(lambda event: heard.set(), "signed-in")
"""

SILENCE = """() => {
    window.post ??= BroadcastChannel.prototype.postMessage;
    BroadcastChannel.prototype.postMessage = () => {};
}"""


@pytest.fixture
def pages(browser: Browser, base_url: str) -> Iterator[list[Page]]:
    """Return two pages of one browser, storage empty."""
    with browser.new_context(base_url=base_url) as context:
        pages = [context.new_page(), context.new_page()]
        pages[0].goto("/static/icon.svg")
        empty_storage(pages[0])
        yield pages


@pytest.mark.parametrize("kind", ["module", "shared"])
def test_it_renews_once_and_is_signed_in_after_a_restart(pages: list[Page], lab: Lab, kind: str) -> None:
    """And a sign-out is for good."""
    worker = BareWorker(pages[0], kind)
    assert ["NotSignedIn"] * 2 == worker.ask(2)
    worker.sign_in(lab.sign_in())
    lab.expire()
    lab.reset()
    assert [200] * 20 == worker.ask(20)
    assert 1 == lab.counters()["refresh"]

    pages[0].close()  # a SharedWorker ends with its last page, too
    again = BareWorker(pages[1], kind)
    assert [200] == again.ask(1)
    again.run("await auth.sign_out()")
    assert ["NotSignedIn"] == again.ask(1)


def test_two_tabs_workers_share_the_session(pages: list[Page], lab: Lab) -> None:
    """Six expiries, five requests each: six refreshes, and no token is used twice."""
    workers = [BareWorker(page, "module") for page in pages]
    workers[1].run(HEAR)
    workers[0].sign_in(lab.sign_in())
    workers[1].run("await heard.wait()")
    lab.reset()
    assert [200] == workers[1].ask(1)
    for _ in range(6):
        lab.expire()
        for worker in workers:
            worker.page.evaluate("window.asked = window.inWorker('await ask(5)')")
        ends = [worker.page.evaluate("async () => await window.asked") for worker in workers]
        assert [repr([200] * 5)] * 2 == ends
    assert (6, 0) == (lab.counters()["refresh"], lab.counters()["reuse"])


@pytest.mark.parametrize("kind", ["module", "shared"])
def test_it_has_the_session_of_the_pages(page_session: PageSession, lab: Lab, kind: str) -> None:
    """Whoever signs in, renews or signs out: a page that has the library too, or the worker."""
    page = page_session.python.page.context.new_page()
    try:
        worker = BareWorker(page, kind)
        page_session.open(lab.sign_in(), login=None)
        lab.reset()
        lab.expire()
        assert [200] == worker.ask(1)
        assert [200] == page_session.get("profile")
        assert (1, 0) == (lab.counters()["refresh"], lab.counters()["reuse"])
        worker.run("await auth.sign_out()")
        assert ["NotSignedIn"] == page_session.get("profile")
    finally:
        page.close()


def test_a_sign_in_of_which_no_message_came_counts(page_session: PageSession, lab: Lab) -> None:
    """On a busy machine it comes after the worker's next request: the journal is asked then."""
    python = page_session.python.page
    page = python.context.new_page()
    try:
        worker = BareWorker(page, "module")
        python.evaluate(SILENCE)
        assert ["NotSignedIn"] == worker.ask(1)
        page_session.open(lab.sign_in(), login=None)
        assert [200] == worker.ask(1)
    finally:
        python.evaluate("() => { BroadcastChannel.prototype.postMessage = window.post; }")
        page.close()
