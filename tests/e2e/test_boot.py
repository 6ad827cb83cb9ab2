"""The start of the demo page: what it shows, what it says when it can't, and what it keeps to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browsers.features import LISTED

RECORD_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) => {
        window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
    });
"""


def not_found(route: Route) -> None:
    """Answer as a server that lacks the file."""
    route.fulfill(status=404, body="Not found")


def sign_in_form(page: Page):
    """Find the form that shows that the page has started."""
    return page.get_by_role("button", name="Sign in")


def sign_in(page: Page) -> None:
    """Sign in as the demo user, and wait until the dashboard is there."""
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill("demo-password")
    sign_in_form(page).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def say_that_it_takes_long(page: Page) -> Locator:
    """Let the time pass after which the page gives that hint; return it."""
    hint = page.get_by_text("longer than usual")
    hint.evaluate("hint => hint.getAnimations().forEach((animation) => animation.finish())")
    return hint


def expect_fault(page: Page, what: str | re.Pattern[str], remedy: str) -> None:
    """Expect the fault to be told, and nothing to look as if it still went on."""
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("The page could not start")
    expect(fault).to_contain_text(what)
    expect(fault).to_contain_text(remedy)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_role("heading", name="Silent refresh")).to_be_visible()


def test_it_starts(page):
    """The page starts, and nothing is left of the progress."""
    page.goto("/login")

    expect(sign_in_form(page)).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_hidden()


def progress(page: Page) -> float:
    """Return what the progress bar shows, from 0 to 1."""
    return page.get_by_role("progressbar").evaluate("bar => bar.value")


def let_go(held: list[Route]) -> None:
    """Let go on what was held up."""
    for route in held:
        route.continue_()


def test_progress_is_shown_while_it_loads(page):
    """While Python is on its way, the page can be read, and each file that arrives moves the bar."""
    held: dict[str, list[Route]] = {"pyodide.asm.wasm": [], "python_stdlib.zip": [], "page.zip": []}
    large = re.compile(rf"/({'|'.join(map(re.escape, held))})$")
    page.route(large, lambda route: held[route.request.url.rpartition("/")[2]].append(route))
    page.goto("/login", wait_until="commit")
    bar = page.get_by_role("progressbar", name="Loading Python …")

    expect(page.get_by_role("heading", name="Silent refresh")).to_be_visible()
    expect(bar).to_have_js_property("value", 0.1)  # what isn't held
    let_go(held["python_stdlib.zip"])
    expect(bar).to_have_js_property("value", 0.3)
    expect(sign_in_form(page)).to_be_hidden()
    let_go([*held["pyodide.asm.wasm"], *held["page.zip"]])
    page.unroute(large)  # WebKit asks for the archive only now
    expect(sign_in_form(page)).to_be_visible()


@pytest.mark.needs("a browser in another language")
def test_the_start_speaks_chinese(browser, base_url):
    """Whoever has a Chinese browser reads Chinese from the start: title, progress, faults."""
    with browser.new_context(base_url=base_url, locale="zh-CN") as context:
        page = context.new_page()
        held: list[Route] = []
        page.route("**/python_stdlib.zip", lambda route: held.append(route))
        with page.expect_request("**/python_stdlib.zip"):
            page.goto("/login", wait_until="commit")

        expect(page.get_by_role("progressbar", name="正在加载 Python……")).to_be_visible()
        expect(page.get_by_role("heading", name="无感刷新")).to_be_visible()
        expect(page.get_by_role("heading", name="正在启动 Python")).to_be_visible()
        assert "zh-CN" == page.locator("html").get_attribute("lang")
        held[0].fulfill(status=404, body="Not found")
        fault = page.get_by_role("alert")
        expect(fault).to_contain_text("页面无法启动")
        expect(fault).to_contain_text(re.compile("服务器上没有 .*python_stdlib.zip"))
        expect(fault).to_contain_text("请重新运行“make demo”")
        expect(fault).to_contain_text("详细信息")


def test_the_start_speaks_what_was_chosen(page):
    """A choice made earlier counts for more than the browser's language."""
    page.add_init_script("localStorage.setItem('demo-language', 'zh-CN')")
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto("/login")

    expect(page.get_by_role("alert")).to_contain_text("此浏览器没有 WebAssembly")
    expect(page.get_by_label("语言")).to_have_value("zh-CN")


def test_progress_goes_forward_only(page):
    """The bar never goes back, and has come near its end when the page has started."""
    page.add_init_script(
        """
        window.shares = [];
        addEventListener("DOMContentLoaded", () => {
            const bar = document.getElementById("boot-progress");
            const note = () => window.shares.push(bar.value);
            new MutationObserver(note).observe(bar, { attributes: true });
        });
        """
    )
    page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()
    shares = page.evaluate("window.shares")

    assert sorted(shares) == shares
    assert len(set(shares)) >= 4
    assert shares[-1] == pytest.approx(0.95)


@pytest.mark.needs(LISTED)  # else the page's status line says it
def test_a_server_that_does_not_answer_at_the_start_is_told(warm_page):
    """The page may start from the browser's cache; a server that is gone is told, with a remedy."""
    warm_page.goto("/login")
    expect(sign_in_form(warm_page)).to_be_visible()
    sign_in(warm_page)
    warm_page.route("**/api/**", lambda route: route.abort())
    warm_page.reload()

    expect_fault(warm_page, "The server does not answer", "still running")


def test_an_answer_that_says_no_is_an_answer(warm_page):
    """A server that answers with an error is there; the page says so in its own words, and has started."""
    warm_page.goto("/login")
    expect(sign_in_form(warm_page)).to_be_visible()
    sign_in(warm_page)
    warm_page.route("**/api/**", lambda route: route.fulfill(status=500, body="broken"))
    warm_page.reload()

    expect(warm_page.get_by_role("progressbar")).to_be_hidden()
    expect(warm_page.get_by_role("status")).to_contain_text("500")
    expect(warm_page.get_by_role("alert")).to_be_hidden()


# Each of these fails in a way of its own, somewhere in PyScript, Pyodide or the browser.
FILES = [
    "/static/vendor/pyscript-*/core.js",
    "/static/vendor/pyodide-*/pyodide.mjs",
    "/static/vendor/pyodide-*/pyodide.asm.js",
    "/static/vendor/pyodide-*/pyodide.asm.wasm",
    "/static/vendor/pyodide-*/python_stdlib.zip",
    "/static/vendor/pyodide-*/pyodide-lock.json",
    "/static/python.mjs",
    "/static/page/page.zip",
    "/app/silent_refresh/browser/bridge.js",
    "/app/silent_refresh/browser/own_python.js",
    "/app/demo/main.py",
    "/pyscript.toml",
]


@pytest.mark.parametrize("path", FILES)
def test_a_missing_file_is_told(page, path, lacking):
    """A file that the server lacks is named, if the browser says which it was, with what to do."""
    page.route(f"**{path}", not_found)
    page.goto("/login")

    named = f"doesn't have .*{path.rpartition('/')[2].replace('*', '.*')}"
    told = f"{named}|did not arrive" if LISTED in lacking else named
    expect_fault(page, re.compile(told), "make demo")


# As on a busy machine, where the browser's own list of what arrived comes late.
LISTED_LATE = """
    const Plain = PerformanceObserver;
    globalThis.PerformanceObserver = class extends Plain {
        constructor(told) {
            super((list) => {
                const isTold = () => document.getElementById("fault")?.hidden === false;
                const look = () => (isTold() ? told(list) : setTimeout(look, 5));
                look();
            });
        }
    };
    performance.getEntriesByType = () => [];
"""


@pytest.mark.needs(LISTED)
def test_a_missing_file_is_told_though_the_browser_lists_it_late(page):
    """What was guessed meanwhile gives way to what is known."""
    page.add_init_script(LISTED_LATE)
    page.route("**/python_stdlib.zip", not_found)
    page.goto("/login")

    expect_fault(page, re.compile("doesn't have .*python_stdlib.zip"), "make demo")


LISTED_NEVER = """
    globalThis.PerformanceObserver = class { observe() {} };
    performance.getEntriesByType = () => [];
"""


@pytest.mark.parametrize(
    "file", ["page.zip", "pyodide.asm.js", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip"]
)
def test_a_missing_file_is_asked_for_where_the_browser_lists_none(page, file):
    """When the page says that it takes long, it also finds out which file it was."""
    page.add_init_script(LISTED_NEVER)
    page.route(f"**/{file}", not_found)
    page.goto("/login")
    say_that_it_takes_long(page)

    expect_fault(page, re.compile(f"doesn't have .*{file}"), "make demo")


@pytest.mark.parametrize("path", FILES)
def test_a_broken_connection_is_told(page, path):
    """A file that doesn't arrive is told as such."""
    page.route(f"**{path}", lambda route: route.abort())
    page.goto("/login")

    expect_fault(page, "did not arrive", "make demo")


def test_a_mistake_in_the_script_is_told(page):
    """A script that Python can't read is told with Python's words."""
    page.route("**/app/demo/main.py", lambda route: route.fulfill(body="import js\nthis is no Python\n"))
    page.goto("/login")

    expect_fault(page, "SyntaxError", "report it")


def test_an_exception_at_the_start_is_told(page):
    """An exception of the page's Python is told, with its traceback in the details."""
    page.route(
        "**/app/demo/main.py", lambda route: route.fulfill(body="import js\nraise LookupError('lost')\n")
    )
    page.goto("/login")

    expect_fault(page, "LookupError: lost", "report it")
    page.get_by_text("Details", exact=True).click()
    expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()


def test_a_broken_configuration_is_told(page):
    """A pyscript.toml that is none is told."""
    page.route("**/pyscript.toml", lambda route: route.fulfill(body="this = is = no toml"))
    page.goto("/login")

    expect_fault(page, "Invalid TOML", "report it")


def test_a_browser_without_webassembly_is_told(page):
    """A browser that lacks WebAssembly is told what it lacks."""
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto("/login")

    expect_fault(page, "no WebAssembly", "current Firefox, Chrome, Edge or Safari")


@pytest.mark.needs("a page without JavaScript")
def test_without_javascript_the_page_says_so(browser, base_url):
    """Where JavaScript is off, the page says that it is needed, and shows no progress that never comes."""
    with browser.new_context(base_url=base_url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/")

        # Playwright finds no text inside it, whether it's shown or not.
        expect(page.locator("noscript")).to_be_visible()
        assert "needs JavaScript" in page.locator("noscript").inner_text()
        expect(page.get_by_role("progressbar")).to_be_hidden()


def test_a_start_that_hangs_says_what_to_do(page):
    """When the page's own script never comes, a hint appears by itself."""
    page.clock.install()
    page.route("**/static/boot.js", lambda route: route.abort())
    page.goto("/login")

    expect(page.get_by_text("longer than usual")).to_be_hidden()
    expect(say_that_it_takes_long(page)).to_be_visible()


def test_it_keeps_to_its_policy_and_its_origin(page, base_url):
    """Nothing that the page does violates its policy, and no request goes anywhere else."""
    page.add_init_script(RECORD_VIOLATIONS)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.context.route(lambda url: not url.startswith(base_url), lambda route: route.abort())
    response = page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()

    assert "unsafe-eval" not in response.headers["content-security-policy"].replace("wasm-unsafe-eval", "")
    assert [] == page.evaluate("window.violations")
    assert [] == [url for url in requested if not url.startswith((base_url, "data:", "blob:"))]
