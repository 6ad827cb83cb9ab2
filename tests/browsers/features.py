"""What a test may need and not every browser has, or not every way to drive one: asked of the browser itself.

@pytest.mark.needs("the Navigation API")
def test_…
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, Page

from tests.browsers.webkit import WebKitPage

Probe = Callable[[Page], Any]
ANSWERS_IN_BYTES = "answers in bytes by a test"


def in_page(expression: str) -> Probe:
    """Ask the page's JavaScript."""
    return lambda page: page.evaluate(f"() => {expression}")


def works(act: Callable[[Page], Any]) -> Probe:
    """Try it."""

    def probe(page: Page) -> bool:
        try:
            act(page)
        except (Error, NotImplementedError):
            return False
        return True

    return probe


def go_offline_and_back(page: Page) -> None:
    """Take the network away for a moment."""
    page.context.set_offline(True)
    page.context.set_offline(False)


NEEDS: dict[str, Probe] = {
    "the Navigation API": in_page("'navigation' in window"),
    "stack switching": in_page("'Suspending' in WebAssembly"),
    "Chromium's DevTools protocol": works(lambda page: page.context.new_cdp_session(page).detach()),
    "a profile with preferences": lambda page: not isinstance(page, WebKitPage),
    # WebKit's inspector ends with a request that a test answers in bytes, and leaves no page isolated.
    ANSWERS_IN_BYTES: lambda page: not isinstance(page, WebKitPage),
    "cross-origin isolation": lambda page: not isinstance(page, WebKitPage),
    "a way to take the network away": works(go_offline_and_back),
}


def lacking_in(page: Page) -> set[str]:
    """Return what of all these there isn't."""
    return {what for what, probe in NEEDS.items() if not probe(page)}
