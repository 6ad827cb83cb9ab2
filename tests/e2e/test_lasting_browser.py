"""A browser that dies, or one page, takes one test with it, and not all that come after."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error

from tests.browsers.launch import Kept, LastingBrowser, launch_options, open_browser


def test_another_takes_its_place(playwright, browser_name, tmp_path):
    """With what tests share in it: made anew."""
    options = launch_options(browser_name, tmp_path)
    lasting = LastingBrowser(lambda: open_browser(playwright, browser_name, options))
    kept = Kept(lasting, lambda: lasting.new_context().new_page())
    first = kept()
    assert first is kept()

    lasting.living().close()

    assert first is not kept()
    assert 2 == kept().evaluate("() => 1 + 1")
    assert 1 == lasting.deaths
    lasting.close()


def test_another_page_takes_the_place_of_a_closed_one(browser):
    """As Firefox closes one whose process has died."""
    kept = Kept(browser, lambda: browser.new_context().new_page())
    first = kept()
    first.close()

    assert first is not kept()
    assert 2 == kept().evaluate("() => 1 + 1")


@pytest.mark.needs("Chromium's DevTools protocol")
def test_another_page_takes_the_place_of_a_crashed_one(browser):
    """Chromium's stays open, and answers to nothing."""
    kept = Kept(browser, lambda: browser.new_context().new_page())
    first = kept()
    with first.expect_event("crash"), pytest.raises(Error, match="crash"):
        first.goto("chrome://crash")

    assert first is not kept()
    assert 2 == kept().evaluate("() => 1 + 1")
