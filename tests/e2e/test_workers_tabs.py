"""PyScript's workers in two tabs: their pages keep the session, for each other and over a restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.page_python import PagePython
from tests.e2e.page_session import hold_redirects
from tests.e2e.running_server import Lab
from tests.e2e.workers import ADDRESS, Side, open_auth, open_page_in


@pytest.fixture
def context(browser: Browser, base_url: str, lab: Lab) -> Iterator[BrowserContext]:
    """Return a profile of the browser, storage empty."""
    with browser.new_context(base_url=base_url) as context:
        yield context


def open_worker(page: PagePython) -> Side:
    """Make an `auth` in the page, and in its worker; return the worker's side."""
    worker = PagePython(page.page, ADDRESS, "runPythonInWorker")
    hold_redirects(page)
    page(open_auth, True)
    worker(open_auth, False)
    return Side(worker)


def test_two_tabs_workers_share_the_session(context: BrowserContext, lab: Lab) -> None:
    """It is renewed once for both, there after a restart, and ends for both."""
    one = open_worker(open_page_in(context, "strict"))
    one.sign_in(lab.sign_in())
    lab.reset()
    two = open_worker(open_page_in(context, "strict"))
    lab.expire()
    assert [[200] * 5] * 2 == [worker.get(*["profile"] * 5) for worker in (one, two)]

    one.page.close()
    again = open_worker(open_page_in(context, "strict"))
    assert [200] == again.get("profile")
    assert (1, 0) == (lab.counters()["refresh"], lab.counters()["reuse"])

    two.sign_out()
    assert [["NotSignedIn"]] * 2 == [worker.get("profile") for worker in (again, two)]
