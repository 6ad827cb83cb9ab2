"""What a test may need and not every browser has, or not every way to drive one: asked of the browser itself.

@pytest.mark.needs("the Navigation API")
def test_…
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Error, Page

from tests.browsers.webkit import WebKitPage

Probe = Callable[[Page], Any]
SENDS_STREAMS = """!new Request("/", { method: "POST", body: new ReadableStream(), duplex: "half" })
    .headers.has("content-type")"""  # else it is a text: its name
TELLS_REASON = """{
    const controller = new AbortController();
    const call = fetch("/", { keepalive: true, signal: controller.signal });
    controller.abort("reason");
    return call.catch((reason) => reason === "reason");
}"""
DEFINES_OVER_A_NAME = """{
    const page = document.implementation.createHTMLDocument();
    page.body.append(Object.assign(page.createElement("img"), { name: "currentScript" }));
    return Reflect.defineProperty(page, "currentScript", { configurable: true, get: () => null });
}"""
TAKES_A_BASE = """() => {
    const base = Object.assign(document.createElement("base"), { href: "http://localhost:1/" });
    document.head.append(base);
    return document.baseURI === base.href;
}"""
ANSWERS_IN_BYTES = "answers in bytes by a test"
DEVTOOLS = "Chromium's DevTools protocol"
STREAMS = "a stream as the body of a request"
REASONS = "the reason of a fetch that is kept alive and aborted"
OVER_NAMES = "a property of the document's, defined over an element of that name"
NO_POLICY = "a page without its server's policy"
BODIES = "the bodies of requests, told to a test"


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


def body_of_a_request(page: Page) -> str | None:
    """Return what the test sees of one: over WebDriver BiDi, Playwright sees none."""
    with page.expect_request("**/lab/nothing") as sent:
        page.evaluate("() => fetch('/lab/nothing', { method: 'POST', body: 'body' })")
    return sent.value.post_data


def words_of_the_browser(page: Page) -> bool:
    """Tell whether the test hears what no script has written into the console."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    with page.expect_console_message(lambda message: message.text == "the page's own"):
        page.evaluate("() => fetch('/missing').then(() => console.log(\"the page's own\"))")
    return len(said) > 1


def wants_less_motion(page: Page) -> bool:
    """Tell whether the page hears what a test wants its user to prefer."""
    page.emulate_media(reduced_motion="reduce")
    return bool(page.evaluate("() => matchMedia('(prefers-reduced-motion: reduce)').matches"))


def stays_still(page: Page) -> bool:
    """Tell whether a page can be had whose scripts don't run."""
    with page.context.browser.new_context(java_script_enabled=False) as context:
        still = context.new_page()
        still.goto("data:text/html,<title>still</title><script>document.title = 'it ran'</script>")
        return still.title() == "still"


def bypasses_the_policy(page: Page) -> bool:
    """Tell whether a page can be had without the policy that its server sends."""
    with page.context.browser.new_context(bypass_csp=True) as context:
        free = context.new_page()
        free.goto(urljoin(page.url, "/login"), wait_until="domcontentloaded")
        return bool(free.evaluate(TAKES_A_BASE))


NEEDS: dict[str, Probe] = {
    "the Navigation API": in_page("'navigation' in window"),
    "stack switching": in_page("'Suspending' in WebAssembly"),
    DEVTOOLS: works(lambda page: page.context.new_cdp_session(page).detach()),
    "a profile with preferences": lambda page: not isinstance(page, WebKitPage),
    # WebKit's inspector ends with a request that a test answers in bytes, and leaves no page isolated.
    ANSWERS_IN_BYTES: lambda page: not isinstance(page, WebKitPage),
    STREAMS: in_page(SENDS_STREAMS),
    REASONS: in_page(TELLS_REASON),
    OVER_NAMES: in_page(DEFINES_OVER_A_NAME),
    BODIES: body_of_a_request,
    "the browser's own words in the console, told to a test": words_of_the_browser,
    "cross-origin isolation": lambda page: not isinstance(page, WebKitPage),
    "a user's preferences, set by a test": wants_less_motion,
    "a page without JavaScript": lambda page: not isinstance(page, WebKitPage) and stays_still(page),
    NO_POLICY: lambda page: not isinstance(page, WebKitPage) and bypasses_the_policy(page),
    "a way to take the network away": works(go_offline_and_back),
}


def lacking_in(page: Page) -> set[str]:
    """Return what of all these there isn't."""
    return {what for what, probe in NEEDS.items() if not probe(page)}
