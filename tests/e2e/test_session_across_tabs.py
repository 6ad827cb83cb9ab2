"""What one tab does to the session reaches the others: sign-out, another sign-in, a cleared storage."""

from __future__ import annotations

import pytest

from tests.e2e.page_session import KEY
from tests.e2e.tabs import NEVER, PATIENT, open_all, open_pages, renewing, signed_in_tabs

NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"
HERE = "%2Ftests%2Fe2e%2Fpage%2Findex.html"


@pytest.fixture(scope="module")
def pages(browser, base_url):
    """Open three tabs, once for all tests."""
    with open_pages(browser, base_url, 3) as pages:
        yield pages


@pytest.fixture
def tabs(pages, lab):
    """Return each tab's session; the demo user is signed in."""
    return signed_in_tabs(pages, lab)


@pytest.mark.every_engine("BroadcastChannel")
def test_a_sign_out_ends_the_session_in_every_tab(tabs, lab):
    """Each goes to the login once, and sends no token any more (F21)."""
    tabs[0].sign_out()
    for tab in tabs[1:]:
        tab.wait_for("signed-out")
    for tab in tabs:
        tab.wait_until_sent()

    assert ["/login?reason=sign_out"] == tabs[0].redirects()
    assert [[f"/login?next={HERE}&reason=elsewhere"]] * 2 == [tab.redirects() for tab in tabs[1:]]
    assert [["NotSignedIn"]] * 3 == [tab.get("profile") for tab in tabs]
    assert 0 == lab.counters()["refresh"]


def test_a_sign_out_ends_what_waits_in_other_tabs(tabs, lab):
    """The tab that renews gives up, and the one in the queue; nothing brings the session back (F21, F67)."""
    open_all(tabs, timeout=PATIENT)
    lab.refresh(**NEVER)
    renewer = renewing(tabs[0], lab)
    waiter = tabs[1].start(["GET", "profile", {}])
    tabs[1].wait_for("queued")
    tabs[2].sign_out()

    assert [["SessionChanged"]] * 2 == [renewer.result(), waiter.result()]
    assert 1 == lab.counters()["refresh"]
    assert tabs[0].record() is None


def test_a_sign_out_in_the_tab_that_renews_is_final(tabs, lab):
    """The answer that comes after it is discarded (F67)."""
    lab.refresh(delay=3)
    renewer = renewing(tabs[0], lab)
    tabs[0].sign_out()

    assert ["SessionChanged"] == renewer.result()
    assert tabs[0].record() is None
    assert [["NotSignedIn"]] * 3 == [tab.get("profile") for tab in tabs]


@pytest.mark.every_engine("storage events")
def test_a_cleared_storage_ends_the_session(tabs, lab):
    """As a sign-out does, though nobody told the library (F21, F31)."""
    tabs[0].page.evaluate("() => localStorage.clear()")
    for tab in tabs[1:]:
        tab.wait_for("signed-out")
        tab.wait_until_sent()
    lab.expire()

    assert ["SessionChanged"] == tabs[0].get("profile")
    tabs[0].wait_until_sent()
    assert [[f"/login?next={HERE}&reason=elsewhere"]] * 3 == [tab.redirects() for tab in tabs]
    assert [["NotSignedIn"]] * 3 == [tab.get("profile") for tab in tabs]
    assert 0 == lab.counters()["refresh"]


def test_another_sign_in_takes_the_place_of_the_session(tabs, lab):
    """What waited for the first is not sent for the second; the next request is (F22, F68)."""
    before = tabs[0].record()
    open_all(tabs, timeout=PATIENT)
    lab.refresh(**NEVER)
    renewer = renewing(tabs[0], lab)
    waiter = tabs[1].start(["GET", "profile", {}])
    tabs[1].wait_for("queued")
    tabs[2].open(lab.sign_in())

    assert [["SessionChanged"]] * 2 == [renewer.result(), waiter.result()]
    assert [[200]] * 3 == [tab.get("profile") for tab in tabs]
    assert before["id"] != tabs[0].record()["id"]
    assert [[]] * 3 == [tab.redirects() for tab in tabs]
    assert 1 == lab.counters()["refresh"]


@pytest.mark.every_engine("BroadcastChannel")
def test_a_renewal_in_one_tab_is_adopted_in_the_others(tabs, lab):
    """They send the new token at once, and meet no 401 (F16)."""
    assert [200] == renewing(tabs[0], lab).result()
    for tab in tabs[1:]:
        tab.wait_for("adopted")
    lab.reset()

    assert [[200]] * 3 == [tab.get("profile") for tab in tabs]
    assert {"refresh": 0, "reuse": 0, "api": 3, "unauthorized": 0} == lab.counters()


@pytest.mark.every_engine("the bfcache")
def test_a_page_that_comes_back_reads_the_session_again(tabs):
    """The browser kept it aside, without a word of what happened meanwhile (F64)."""
    tabs[0].page.evaluate("key => localStorage.removeItem(key)", KEY)
    tabs[0].page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    tabs[0].wait_for("signed-out")
    tabs[0].wait_until_sent()
    assert 1 == len(tabs[0].redirects())


def test_without_web_locks_each_tab_renews_by_itself(browser, base_url, server):
    """One renewal a tab, the others' tokens are adopted, and the console says once what is missing (F20)."""
    lab = server.lab
    told: list[str] = []
    with open_pages(browser, base_url, 2, init_script=NO_LOCKS) as pages:
        pages[0].page.on("console", lambda message: told.append(message.text))
        tabs = signed_in_tabs(pages, lab)
        for refreshes in (1, 2):
            lab.expire()
            assert [200] * 20 == tabs[0].get(*["profile"] * 20)
            tabs[1].wait_for("adopted")
            assert [200] == tabs[1].get("profile")
            assert refreshes == lab.counters()["refresh"]

    assert 1 == sum("no Web Locks" in text for text in told)
