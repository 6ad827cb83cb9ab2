"""niquests in a page, over its own adapter for Pyodide: ``RequestsAuth`` signs at each sending."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from silent_refresh import RequestsAuth
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

FOLDER = Path(sys.executable).parents[1] / "niquests"
pytestmark = pytest.mark.needs("stack switching")  # niquests itself does
NIQUESTS = ("niquests", "urllib3_future", "charset_normalizer", "h11", "jh2")


async def make_session(url):
    import sys
    from types import SimpleNamespace

    import niquests
    from opened import auth

    session = niquests.Session()
    session.auth = RequestsAuth(auth)
    kept = session.prepare_request(niquests.Request("GET", url))
    sys.modules["niquests_in_use"] = SimpleNamespace(session=session, kept=kept, url=url)


async def send_now():
    from niquests_in_use import session, url

    answer = session.get(url)
    return [answer.status_code, [before.status_code for before in answer.history]]


async def send_kept():
    from niquests_in_use import kept, session

    try:
        return session.send(kept).status_code
    except Exception as error:
        return type(error).__name__


async def renew():
    from opened import auth

    await auth.refresh()


@pytest.fixture(scope="module")
def page_with_niquests(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load a page that can import niquests."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        sys.path.append(str(FOLDER))
        try:
            give_packages(page, NIQUESTS)
        finally:
            sys.path.remove(str(FOLDER))
        yield page


@pytest.fixture
def session(page_with_niquests: PagePython, lab: Lab, base_url: str) -> Iterator[PageSession]:
    """Sign the demo user in; a request is prepared then."""
    page_with_niquests.forget()
    session = PageSession(page_with_niquests)
    session.open(lab.sign_in())
    page_with_niquests(make_session, f"{base_url}/api/profile")
    yield session
    session.let_go()


def test_an_expired_token_is_renewed(page_with_niquests: PagePython, session: PageSession, lab: Lab) -> None:
    """And the request is sent once more."""
    lab.expire()

    assert [[200, [401]], [200, []]] == [page_with_niquests(send_now), page_with_niquests(send_now)]
    assert {"refresh": 1, "reuse": 0, "api": 3, "unauthorized": 1} == lab.counters()


def test_a_request_that_was_kept(page_with_niquests: PagePython, session: PageSession, lab: Lab) -> None:
    """It has the newest token; none, when nobody is signed in any more."""
    ends: list[Any] = []
    for _ in range(2):
        page_with_niquests(renew)
        ends.append(page_with_niquests(send_kept))
    counters = lab.counters()
    session.sign_out()
    ends.append(page_with_niquests(send_kept))

    assert [200, 200, "NotSignedIn"] == ends
    assert 0 == counters["unauthorized"]
