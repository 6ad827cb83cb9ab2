"""Opens the browser that the tests run in, each behind Playwright's Python API.

with open_browser(playwright, "firefox", launch_options("firefox", folder)) as browser:
    browser.new_context(base_url=…).new_page()

Chromium, and Playwright's own Firefox and WebKit, are launched by Playwright. A system's stock Firefox speaks
WebDriver BiDi to it (``firefox.py``), a stock WebKitGTK its remote inspector's protocol (``webkit.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from playwright.sync_api import Browser, Error, Page, Playwright

from tests.browsers.firefox import FIREFOX_PREFERENCES, write_launcher
from tests.browsers.webkit import WebKit
from tools.browser import find_browser

# The browser's own traffic, graphics and first-run pages have no place in a test.
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Each test's page compiles Pyodide, and most of them end before the optimised code is ready: without it a
# page takes a quarter less of the processor. Benchmarks and pictures have it; so have the other engines.
WITHOUT_OPTIMISED_WASM = "--js-flags=--liftoff-only"
T = TypeVar("T")
START_TIMEOUT = 180_000  # ms, on a busy machine


def launch_options(name: str, folder: Path) -> dict[str, Any]:
    """Return what Playwright's `launch` takes for the Chromium or Firefox that `make test` made sure of."""
    found = find_browser(name)
    options: dict[str, Any] = {"executable_path": found.path, "timeout": START_TIMEOUT}
    if name == "chromium":
        options["args"] = [*CHROMIUM_ARGUMENTS, WITHOUT_OPTIMISED_WASM]
    elif name == "firefox":
        options["firefox_user_prefs"] = FIREFOX_PREFERENCES
        if not found.is_playwrights:
            options |= {"channel": "moz-firefox", "executable_path": write_launcher(folder, found.path)}
    return options


@contextmanager
def open_browser(playwright: Playwright, name: str, options: dict[str, Any]) -> Iterator[Browser | WebKit]:
    """Open a browser with these options of Playwright's `launch`."""
    found = find_browser(name)
    browser: Browser | WebKit
    if name == "webkit" and not found.is_playwrights:
        browser = WebKit(playwright, found.path)
    else:
        browser = getattr(playwright, name).launch(**options)
    try:
        yield browser
    finally:
        browser.close()


class LastingBrowser:
    """The browser of a run. When it dies another takes its place: one test fails, not all that come after."""

    def __init__(self, open_one: Callable[[], AbstractContextManager[Any]]) -> None:
        self._open = open_one
        self._opened = ExitStack()
        self._browser = self._opened.enter_context(open_one())
        self.deaths = 0

    def living(self) -> Any:
        """Return it, another one if it has died."""
        if not self._browser.is_connected():
            self._browser = self._opened.enter_context(self._open())
            self.deaths += 1
        return self._browser

    def __getattr__(self, name: str) -> Any:
        return getattr(self.living(), name)

    def close(self) -> None:
        """Close it for good."""
        self._opened.close()


class Kept(Generic[T]):
    """What tests share of a browser, made anew in the next one, and when the page that it's of has died."""

    def __init__(self, browser: LastingBrowser, make: Callable[[], T]) -> None:
        self._browser = browser
        self._make = make
        self._made: list[tuple[int, T]] = []

    def __call__(self) -> T:
        """Return it."""
        self._browser.living()
        if not self._made or self._made[-1][0] != self._browser.deaths or has_died(self._made[-1][1]):
            self._made.append((self._browser.deaths, self._make()))
        return self._made[-1][1]


def has_died(made: Any) -> bool:
    """Tell whether the page has that something is, or has. What has none outlives its pages."""
    page = getattr(made, "page", made)
    if isinstance(page, Page):
        try:
            page.evaluate("0")
        except Error:
            return True
    return False
