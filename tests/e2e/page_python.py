"""Runs a test's own Python functions inside the page, in the browser's Python.

    async def fetch_profile(path):
        client = Client("/api", auth=SilentRefresh())
        return (await client.get(path)).status

    def test_profile(page_python):
        assert 200 == page_python(fetch_profile, "profile")

The function goes over as source: it sees its arguments, what it imports itself, and the public names of
``silent_refresh``, but nothing else of the test's module. Arguments and result are JSON.
"""

from __future__ import annotations

import inspect
import itertools
import json
import textwrap
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.patience import PATIENCE

ADDRESS = "/tests/e2e/page/index.html"

Function = Callable[..., Coroutine[Any, Any, Any]]

START = """([runner, id, ...call]) => {
    window.runs ??= {};
    window.runs[id] = window[runner](...call);
}"""
# The page ends a function that waits too long; this is for one that doesn't even let the page do that.
FINISH = """([id, seconds]) => new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => reject(new Error("the page's Python does not answer")), seconds * 1000);
    window.runs[id].then(resolve, reject).finally(() => clearTimeout(giveUp));
    delete window.runs[id];
})"""
GRACE = 10.0  # s
EMPTY_STORAGE = """async () => {
    localStorage.clear();
    sessionStorage.clear();
    // The library's own; PyScript holds one open that can't go.
    const request = indexedDB.deleteDatabase("silent-refresh");
    await new Promise((resolve, reject) => {
        request.onsuccess = resolve;
        request.onerror = request.onblocked = () => reject(new Error("the library's IndexedDB is held open"));
    });
}"""


def empty_storage(page: Page) -> None:
    """Empty the storage of the origin that the page is at."""
    page.evaluate(EMPTY_STORAGE)


class PagePythonError(Exception):
    """A function failed in the page; the message is its traceback there."""


class Running:
    """A function that runs in the page while the test does something else."""

    def __init__(self, page: Page, id: int, timeout: float) -> None:
        self._page = page
        self._id = id
        self._timeout = timeout

    def result(self) -> Any:
        """Wait for the function and return what it returned. Raises PagePythonError."""
        outcome = json.loads(self._page.evaluate(FINISH, [self._id, self._timeout + GRACE]))
        if "error" in outcome:
            raise PagePythonError("in the page:\n" + outcome["error"])
        return outcome["value"]


class PagePython:
    """The Python of one page; `runner` is the page's function that takes Python to run."""

    ids = itertools.count(1)

    def __init__(self, page: Page, address: str = ADDRESS, runner: str = "runPython") -> None:
        self.page = page
        self._address = address
        self._runner = runner

    def open(self) -> None:
        """Load the test page and wait until its Python is there."""
        self.page.goto(self._address)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the test page's Python is there, after a navigation that came from elsewhere say."""
        ready = self.page.get_by_text("Ready", exact=True)
        # The page's order: an alert, which is there when the start has failed, comes before that.
        expect(ready.or_(self.page.get_by_role("alert")).first).to_be_visible()
        if not ready.is_visible():
            raise PagePythonError(
                "the test page did not start:\n" + self.page.get_by_role("alert").inner_text()
            )

    def forget(self) -> None:
        """Close what earlier functions left open and empty the storage; reload a page that was left."""
        if not self.page.url.endswith(self._address):
            self.open()
        self.page.evaluate("() => window.tidyUp()")
        empty_storage(self.page)

    def start(self, function: Function, *arguments: Any, timeout: float = PATIENCE) -> Running:
        """Start a function and return at once; `timeout` (s) bounds it in the page."""
        lines, first = inspect.getsourcelines(function)
        source = textwrap.dedent("".join(lines))
        filename = Path(inspect.getfile(function)).name
        id = next(self.ids)
        call = [self._runner, id, source, filename, first, function.__name__, json.dumps(arguments), timeout]
        self.page.evaluate(START, call)
        return Running(self.page, id, timeout)

    def __call__(self, function: Function, *arguments: Any, timeout: float = PATIENCE) -> Any:
        """Run a function and return what it returns. Raises PagePythonError."""
        return self.start(function, *arguments, timeout=timeout).result()
