"""What needs pages of its own: the first requests after a page's start, and several tabs at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from tests.bench import in_page, site
from tests.bench.measure import AT_ONCE, PATIENCE, URL, rotated
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab, RunningServer

FIRST = 50  # requests of a page that was just opened
TABS = 4
IN_EACH = 50  # requests at once in each
SOON = 1000  # ms until they all begin
OURS, AXIOS = "silent-refresh", "axios"


class Pages:
    """Opens the benchmark's page as often as it is wanted."""

    def __init__(self, browser: Browser, server: RunningServer, rounds: int) -> None:
        self._browser = browser
        self._server = server
        self._rounds = rounds

    @property
    def _lab(self) -> Lab:
        return self._server.lab

    @contextmanager
    def _context(self) -> Iterator[BrowserContext]:
        with self._browser.new_context(base_url=self._server.url) as context:
            yield context

    def _open(self, context: BrowserContext) -> PagePython:
        page = context.new_page()
        site.put_in(page)
        python = PagePython(page, site.ADDRESS)
        python.open()
        page.unroute_all()  # a page with routes asks Playwright about each request
        return python

    # The first requests

    def fresh(self) -> dict[str, float]:
        """Return the microseconds of each of the first requests, every client in a page of its own."""
        taken: dict[str, list[float]] = defaultdict(list)
        names = [OURS, AXIOS]
        with self._context() as context:
            self._open(context).page.close()  # the browser's own caches are warm for all
            for number in range(self._rounds):
                for name in rotated(names, number):
                    taken[name].append(self._first(context, name) * 1000 / FIRST)
        return {name: round(median(taken[name]), 1) for name in names}

    def _first(self, context: BrowserContext, name: str) -> float:
        python = self._open(context)
        page = python.page
        if name == OURS:
            python(in_page.make_client, self._lab.sign_in())
        else:
            page.evaluate("call => peers.signIn(...call)", [name, self._lab.sign_in()])
        page.evaluate("() => { stub.isOn = true; }")
        if name == OURS:
            milliseconds: float = python(in_page.in_turn, name, URL, FIRST)
        else:
            milliseconds = page.evaluate("call => peers.inTurn(...call)", [name, URL, FIRST])
        assert page.evaluate("() => stub.calls") == FIRST, f"{name} went past the stub"
        page.close()
        return milliseconds

    # Several tabs

    def tabs(self) -> dict[str, dict[str, int]]:
        """Return what becomes of requests that find their token expired, at the same time in several tabs.

        Our tabs share one session. With that the article's recipe hangs: each tab renews by itself, the
        server takes that for theft, and none is answered. So each of its tabs has a session of its own.
        """
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        names = [OURS, AXIOS]
        with self._context() as context:
            tabs = [self._open(context) for _ in range(TABS)]
            for tab in tabs:
                tab(in_page.make_client, None)
                tab.page.evaluate("() => { peers.keepApart(); }")
            for number in range(self._rounds + 1):
                for name in rotated(names, number):
                    milliseconds, answered = self._storm(name, tabs)
                    counters = self._lab.counters()
                    if number > 0:
                        found[name]["milliseconds"].append(milliseconds)
                        found[name]["answered"].append(answered)
                        found[name]["refreshes"].append(counters["refresh"])
                        found[name]["reuse detected"].append(counters["reuse"])
        return {name: {what: round(median(found[name][what])) for what in found[name]} for name in names}

    def _storm(self, name: str, tabs: list[PagePython]) -> tuple[float, int]:
        """Return the milliseconds until the last is settled, since they began, and how many were answered."""
        if name == OURS:
            tokens = self._lab.sign_in()
            tabs[0](in_page.sign_in, tokens)
            for tab in tabs:  # the others find it in the storage
                tab(in_page.wait_for_token, tokens["accessToken"])
        else:
            for tab in tabs:
                tab.page.evaluate("call => peers.signIn(...call)", [name, self._lab.sign_in()])
        self._lab.expire()
        self._lab.reset()
        urls = AT_ONCE[:IN_EACH]
        begin: float = tabs[0].page.evaluate("after => Date.now() + after", SOON)
        if name == OURS:
            running = [tab.start(in_page.at_once, urls, begin, timeout=PATIENCE) for tab in tabs]
            ends: list[Any] = [run.result() for run in running]
        else:
            for tab in tabs:
                tab.page.evaluate("call => { window.storm = peers.atOnce(...call); }", [name, urls, begin])
            ends = [tab.page.evaluate("() => window.storm") for tab in tabs]
        return max(milliseconds for milliseconds, _ in ends), sum(answered for _, answered in ends)
