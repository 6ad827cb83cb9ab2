"""The browser is killed, and what becomes of the key that the tokens are bound to (F91, F93)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright

from tests.e2e.bound_session import keys_of, open_page, sign_out
from tests.e2e.deaths.mortal_chromium import MortalChromium
from tests.e2e.page_python import ADDRESS, PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import RunningServer


@pytest.fixture
def browser_that_dies(playwright: Playwright, tmp_path: Path) -> Iterator[MortalChromium]:
    """Return a browser on a profile of its own."""
    browser = MortalChromium(playwright, tmp_path / "profile")
    yield browser
    browser.kill()


def open_in(context: BrowserContext, server: RunningServer, *, signs_in: bool) -> PageSession:
    """Open the test page, and its session."""
    page = PagePython(context.new_page(), server.url + ADDRESS)
    page.open()
    return open_page(page, signs_in=signs_in)


def test_killed_after_the_sign_in_the_key_is_there(
    browser_that_dies: MortalChromium, mortal_server: RunningServer
) -> None:
    """The session goes on, renewed by a proof of the same key (F93)."""
    open_in(browser_that_dies.start(), mortal_server, signs_in=True)
    browser_that_dies.kill()

    again = open_in(browser_that_dies.start(), mortal_server, signs_in=False)
    mortal_server.lab.expire()
    assert [200] == again.get("profile")
    assert ["key"] == keys_of(again)


def test_killed_after_the_sign_out_the_key_is_gone(
    browser_that_dies: MortalChromium, mortal_server: RunningServer
) -> None:
    """In the very moment in which ``sign_out()`` has returned (F91)."""
    session = open_in(browser_that_dies.start(), mortal_server, signs_in=True)
    session.python(sign_out)
    browser_that_dies.kill()
    mortal_server.lab.reset()

    again = open_in(browser_that_dies.start(), mortal_server, signs_in=False)
    assert [] == keys_of(again)
    assert ["NotSignedIn"] == again.get("profile")
    assert 0 == mortal_server.lab.counters()["refresh"]
