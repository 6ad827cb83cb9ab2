"""What a test may need and not every browser has, or not every way to drive one: asked of the browser itself.

@pytest.mark.needs("the Navigation API")
def test_…
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha384
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Error, Page, Route

from tests.browsers.webkit import WebKitPage

Probe = Callable[[Page], Any]
# https://fetch.spec.whatwg.org/#dom-requestinit-duplex: read of a stream alone, which is of no type.
SENDS_STREAMS = """(() => {
    let isRead = false;
    const body = new ReadableStream();
    const options = { method: "POST", body, get duplex() { isRead = true; return "half"; } };
    const request = new Request("/", options);
    return isRead && !request.headers.has("Content-Type");
})()"""
TELLS_REASON = """{
    const controller = new AbortController();
    const call = fetch("/", { signal: controller.signal%s });
    controller.abort("reason");
    return call.catch((reason) => reason === "reason");
}"""
DEFINES_OVER_A_NAME = """{
    const page = document.implementation.createHTMLDocument();
    page.body.append(Object.assign(page.createElement("img"), { name: "currentScript" }));
    return Reflect.defineProperty(page, "currentScript", { configurable: true, get: () => null });
}"""
LISTS_FAILURES = """async () => {
    const isListed = (name) => performance.getEntriesByName(new URL(name, location).href).length > 0;
    await fetch("/lab/gone").catch(() => {});
    await (await fetch("/lab/there")).text();
    while (!isListed("/lab/there")) await new Promise((look) => setTimeout(look, 5));
    return isListed("/lab/gone");
}"""
PRELOAD_AND_FETCH = """async (href) => {
    const link = document.createElement("link");
    const loaded = new Promise((done) => { link.onload = link.onerror = done; });
    Object.assign(link, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href });
    document.head.append(link);
    await loaded;
    await (await fetch(href)).text();
}"""
# No page sees what it accepts; that the server has this one is a test of the server's.
TAKES_ZSTANDARD = """fetch("/static/page/page.zip", { method: "HEAD" })
    .then(({ headers }) => headers.get("Content-Encoding") === "zstd")"""
TAKES_A_BASE = """() => {
    const base = Object.assign(document.createElement("base"), { href: "http://localhost:1/" });
    document.head.append(base);
    return document.baseURI === base.href;
}"""
DEVTOOLS = "Chromium's DevTools protocol"
STREAMS = "a stream as the body of a request"
REASONS = "the reason of a fetch that is aborted"
REASONS_KEPT_ALIVE = "the reason of a fetch that is kept alive and aborted"
OVER_NAMES = "a property of the document's, defined over an element of that name"
NO_POLICY = "a page without its server's policy"
MAPS_HASHES = "an import map's hashes, taken for what Integrity-Policy asks for"
LISTED = "a list of what was fetched that has what failed"
PRELOADS = "a preload that the fetch takes which follows"
BODIES = "the bodies of requests, told to a test"
SYNCHRONOUS = """() => {
    const request = new XMLHttpRequest();
    request.open("GET", "/lab/held", false);
    request.send();
    return request.status;
}"""


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


def is_playwrights(page: Page) -> bool:
    """Tell whether Playwright itself drives it, and not our few commands of WebKit's inspector."""
    return not isinstance(page, WebKitPage)


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


def open_in_another_language(page: Page) -> None:
    """Open a page as somebody sees it who reads another language."""
    with page.context.browser.new_context(locale="zh-CN") as context:
        context.new_page()


def lists_what_fails(page: Page) -> bool:
    """Tell whether the browser's list of what was fetched has what got no answer."""
    page.route("**/lab/gone", lambda route: route.abort())
    page.route("**/lab/there", lambda route: route.fulfill(body="there"))
    return bool(page.evaluate(LISTS_FAILURES))


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


def takes_what_it_preloaded(page: Page) -> bool:
    """Preload what is fetched then, and see whether it's asked for once; not what a test answers."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto("/tests/e2e/page/start.html")
    page.evaluate(PRELOAD_AND_FETCH, "/pyscript.toml")
    return asked.count("/pyscript.toml") == 1


def takes_a_size(page: Page) -> bool:
    """Tell whether a test may make the window as narrow as a phone's."""
    try:
        page.set_viewport_size({"width": 390, "height": 800})
    except Error:
        return False
    return bool(page.evaluate("() => innerWidth === 390"))


def runs_what_the_map_has_hashes_of(page: Page) -> bool:
    """Have a module import another, in a page that may run no script without a hash."""
    scripts = {"first": 'import "/lab/second.js";', "second": 'document.title = "it ran";'}
    hashes = {
        name: "sha384-" + b64encode(sha384(text.encode()).digest()).decode() for name, text in scripts.items()
    }
    import_map = json.dumps({"integrity": {"/lab/second.js": hashes["second"]}})
    markup = f"""<!doctype html><script type="importmap">{import_map}</script>
        <script type="module" src="/lab/first.js" integrity="{hashes["first"]}"></script>"""
    policy = {"Integrity-Policy": "blocked-destinations=(script)", "Content-Type": "text/html"}

    def answer(route: Route) -> None:
        text = scripts[route.request.url.rsplit("/", 1)[1].removesuffix(".js")]
        route.fulfill(body=text, content_type="text/javascript")

    page.route("**/lab/*.js", answer)
    page.route("**/lab/locked", lambda route: route.fulfill(body=markup, headers=policy))
    page.goto("/lab/locked")
    return page.title() == "it ran"


NEEDS: dict[str, Probe] = {
    "the Navigation API": in_page("'navigation' in window"),
    "synchronous requests answered by a test": answer_a_synchronous_request,
    "stack switching": in_page("'Suspending' in WebAssembly"),
    DEVTOOLS: works(lambda page: page.context.new_cdp_session(page).detach()),
    "a profile with preferences": is_playwrights,
    # WebKit's inspector follows no tab to another site, and none that a page opens, ends with a message of
    # more than 128 KiB, leaves no page isolated, keeps to its policy, shares its globals, and knows no
    # dialog: everything waits for one.
    "other sites in one tab": is_playwrights,
    "pages that a page opens": is_playwrights,
    "long answers by a test": is_playwrights,
    "long messages to a page": is_playwrights,
    "cross-origin isolation": is_playwrights,
    NO_POLICY: lambda page: is_playwrights(page) and bypasses_the_policy(page),
    "a page without JavaScript": lambda page: is_playwrights(page) and stays_still(page),
    "a driver with globals of its own": is_playwrights,
    "a browser in another language": works(open_in_another_language),
    LISTED: lists_what_fails,
    "dialogs that a test answers": is_playwrights,
    "a Tab key that leads on": go_on_by_tab,
    "redirects answered by a test": redirect_a_request,
    STREAMS: in_page(SENDS_STREAMS),
    REASONS: in_page(TELLS_REASON % ""),
    REASONS_KEPT_ALIVE: in_page(TELLS_REASON % ", keepalive: true"),
    OVER_NAMES: in_page(DEFINES_OVER_A_NAME),
    BODIES: body_of_a_request,
    "the browser's own words in the console, told to a test": words_of_the_browser,
    "a user's preferences, set by a test": wants_less_motion,
    "a way to take the network away": works(go_offline_and_back),
    "Zstandard as a content coding": in_page(TAKES_ZSTANDARD),
    PRELOADS: takes_what_it_preloaded,
    "a window as wide as a test wants it": takes_a_size,
    MAPS_HASHES: runs_what_the_map_has_hashes_of,
}


def lacking_in(page: Page) -> set[str]:
    """Return what of all these there isn't."""
    lacking = set()
    for what, probe in NEEDS.items():
        if not probe(page):
            lacking.add(what)
        # WebKit's inspector says no more once a fetch that a test might answer is kept alive, and aborted.
        page.unroute_all()
    return lacking
