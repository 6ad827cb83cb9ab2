"""``auth.renewing`` in real tabs: on in all while one renews, off when that is over, or the tab gone."""

from __future__ import annotations

import pytest

from tests.e2e.page_session import PageSession
from tests.e2e.tabs import NEVER, PATIENT, open_all, open_page, open_pages, renewing, signed_in_tabs

PATIENTLY = {"delay": 1}  # s that a renewal takes


@pytest.fixture(scope="module")
def pages(browser, base_url):
    """Open two tabs, once for all tests."""
    with open_pages(browser, base_url, 2) as pages:
        yield pages


@pytest.fixture
def tabs(pages, lab):
    """Return both tabs' sessions; the demo user is signed in."""
    tabs = signed_in_tabs(pages, lab)
    for tab in tabs:
        tab.python(begin_to_look)
    return tabs


async def begin_to_look():
    import opened
    from opened import auth

    opened.seen = [auth.renewing]
    auth.listen(lambda event: opened.seen.append(auth.renewing), "renewing-changed")


async def until_renewing(wanted):
    from asyncio import Event

    from opened import auth

    changed = Event()
    stop = auth.listen(lambda event: changed.set(), "renewing-changed")
    while auth.renewing is not wanted:
        await changed.wait()
        changed.clear()
    stop()


async def what_was_seen():
    from opened import seen

    return seen


async def show_in_javascript(url):
    import js
    from opened import auth

    from silent_refresh import install

    undo = install(auth)
    try:
        return (await js.fetch(url)).status
    finally:
        undo()


def test_both_tabs_show_a_renewal_of_one(tabs, lab):
    """Each sees it begin and end, once."""
    lab.refresh(**PATIENTLY)
    running = renewing(tabs[0], lab)
    for tab in tabs:
        tab.python(until_renewing, True)
    assert [200] == running.result()
    for tab in tabs:
        tab.python(until_renewing, False)

    assert [[False, True, False]] * 2 == [tab.python(what_was_seen) for tab in tabs]
    assert 1 == lab.counters()["refresh"]


def test_a_tab_that_is_gone_leaves_no_spinner_on(pages, tabs, lab):
    """The browser frees its lock, long before the renewal would have been given up."""
    page = open_page(pages[0].page.context)
    one_more = PageSession(page)
    open_all([one_more], timeout=PATIENT)
    lab.refresh(**NEVER)
    renewing(one_more, lab)
    for tab in tabs:
        tab.python(until_renewing, True)
    page.page.close()
    for tab in tabs:
        tab.python(until_renewing, False, timeout=PATIENT / 2)


def test_a_tab_that_comes_later_shows_it_too(pages, tabs, lab):
    """It looks who renews when it starts."""
    lab.refresh(delay=4)
    open_all([tabs[0]], timeout=PATIENT)
    running = renewing(tabs[0], lab)
    tabs[1].open()
    tabs[1].python(until_renewing, True)
    assert [200] == running.result()
    tabs[1].python(until_renewing, False)


def test_a_page_that_shows_a_spinner_has_its_fetch_go_straight_through(tabs, lab):
    """A listener for this name alone leads no call of the page's through Python."""
    assert 200 == tabs[0].python(show_in_javascript, "/api/profile")
    assert [False] == tabs[0].python(what_was_seen)
