"""What a test may need and not every browser has, or not every way to drive one: asked of the browser itself.

@pytest.mark.needs("the Navigation API")
def test_…
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, Page, Route

from tests.browsers.webkit import WebKitPage

Probe = Callable[[Page], Any]


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


SYNCHRONOUS = """() => {
    const request = new XMLHttpRequest();
    request.open("GET", "/lab/held", false);
    request.send();
    return request.status;
}"""


def answer_a_synchronous_request(page: Page) -> bool:
    """Answer one; WebKit's inspector hears of none before it is over."""
    page.route("**/lab/held", lambda route: route.fulfill(status=204))
    return 204 == page.evaluate(SYNCHRONOUS)


def redirect_a_request(page: Page) -> bool:
    """Answer one with another place; Playwright refuses to, in WebKit."""
    could: list[bool] = []

    def move(route: Route) -> None:
        try:
            route.fulfill(status=302, headers={"Location": "/static/icon.svg"})
        except Error:
            could.append(False)
        else:
            could.append(True)

    page.route("**/lab/moved", move)
    page.evaluate("() => { fetch('/lab/moved'); }")
    while not could:
        page.evaluate("() => null")  # what a test answers, it answers between two words to the browser
    return could[0]


def go_on_by_tab(page: Page) -> bool:
    """Press the key that leads from field to field."""
    fields = "<!doctype html><input id=first><input id=second>"
    page.route("**/lab/fields", lambda route: route.fulfill(body=fields, content_type="text/html"))
    page.goto("/lab/fields")
    page.locator("#first").focus()
    page.keyboard.press("Tab")
    return bool(page.evaluate("() => document.activeElement.id === 'second'"))


# https://fetch.spec.whatwg.org/#dom-requestinit-duplex: read of a stream alone, which is of no type.
SENDS_A_STREAM = """(() => {
    let isRead = false;
    const body = new ReadableStream();
    const options = { method: "POST", body, get duplex() { isRead = true; return "half"; } };
    const request = new Request("/", options);
    return isRead && !request.headers.has("Content-Type");
})()"""

NEEDS: dict[str, Probe] = {
    "the Navigation API": in_page("'navigation' in window"),
    "a stream as the body of a request": in_page(SENDS_A_STREAM),
    "synchronous requests answered by a test": answer_a_synchronous_request,
    "stack switching": in_page("'Suspending' in WebAssembly"),
    "Chromium's DevTools protocol": works(lambda page: page.context.new_cdp_session(page).detach()),
    "a profile with preferences": lambda page: not isinstance(page, WebKitPage),
    # WebKit's inspector follows no tab to another site, ends with a message of more than 128 KiB, leaves no
    # page isolated, keeps to its policy, shares its globals, and knows no dialog: everything waits for one.
    "other sites in one tab": lambda page: not isinstance(page, WebKitPage),
    "long answers by a test": lambda page: not isinstance(page, WebKitPage),
    "cross-origin isolation": lambda page: not isinstance(page, WebKitPage),
    "pages without their policy": lambda page: not isinstance(page, WebKitPage),
    "a driver with globals of its own": lambda page: not isinstance(page, WebKitPage),
    "dialogs that a test answers": lambda page: not isinstance(page, WebKitPage),
    "a Tab key that leads on": go_on_by_tab,
    "redirects answered by a test": redirect_a_request,
    "a way to take the network away": works(go_offline_and_back),
}


def lacking_in(page: Page) -> set[str]:
    """Return what of all these there isn't."""
    return {what for what, probe in NEEDS.items() if not probe(page)}
