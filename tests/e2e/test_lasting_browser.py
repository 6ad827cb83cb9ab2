"""A browser that dies takes one test with it, and not all that come after."""

from __future__ import annotations

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
