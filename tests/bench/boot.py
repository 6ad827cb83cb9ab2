"""Measures the start: how long until the page's first Python line runs, and until its first answer is there.

    python -m tests.bench.boot [--rounds 7]

In each round every page has its turn, in a browser with an empty profile: once with an empty cache, then some
times with what earlier visits left there. Those last for seconds, as a user's do: the browser keeps compiled
WebAssembly of no page that is closed at once, and not always then. Where it kept none, a page was not warm:
that round doesn't count for its warm times. What counts is the median of the rounds, and above all the ratio.

A page loads as it does for a user, in a browser that nobody watches (unwatched.py); the pages are in
boot_site.py. Results are printed and go to docs/benchmarks-boot.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Playwright, sync_playwright

from tests.bench.boot_site import ADDRESSES, MARK, ROOT, TOKEN, lay_out
from tests.bench.unwatched import Browser, ask
from tests.e2e.running_server import RunningServer, pack_page

RESULTS = ROOT / "docs" / "benchmarks-boot.json"
WARM_LOADS = 5  # a round, after those that fill the browser's caches of compiled code
LEAST_WARMING, MOST_WARMING = 2, 5  # a round: JavaScript is kept at the second visit, WebAssembly mostly then
VISIT = 8.0  # s in which the browser puts into its caches what it compiled
SHORT_VISIT = 3.0  # s; every warm page has its first answer by then
PAUSE = 0.3  # s between warm loads
COMPILED = "Default/Code Cache/wasm"  # in a profile
COMPILED_FROM = 100  # kB; it is less for Pyodide's tiny modules alone

# (what is measured, warm or cold, page, compared with, goal)
GOALS = [
    ("first_python_line", "cold", "demo", "shipped", 0.30),
    ("first_python_line", "warm", "demo", "shipped", 0.20),
    ("first_answer", "warm", "demo", "bare_shipped", 1.05),
    ("first_answer", "warm", "demo", "bare", 1.0),
    ("first_python_line", "cold", "guide_packed", "guide", 0.40),
    ("first_python_line", "warm", "guide_packed", "guide", 0.40),
]

# Times since the navigation, in ms: of the mark, and of the end of the first answer that the API gave.
READ_TIMES = """async (mark) => {
    const seen = (type, test) => new Promise((resolve) => {
        const look = (list) => list.getEntries().filter(test).slice(0, 1).forEach(resolve);
        new PerformanceObserver(look).observe({ type, buffered: true });
    });
    const isAnswer = ({ name, responseStatus }) => name.includes("/api/") && responseStatus === 200;
    const times = { first_python_line: (await seen("mark", ({ name }) => name === mark)).startTime };
    if (!location.pathname.endsWith("/shipped.html")) {
        times.first_answer = (await seen("resource", isAnswer)).responseEnd;
    }
    return times;
}"""
KEEP_SESSION = """([key, { accessToken, refreshToken }]) => {
    for (const [name, value] of Object.entries({ accessToken, refreshToken, [key]: accessToken })) {
        localStorage.setItem(name, value);
    }
}"""

Times = dict[str, dict[str, dict[str, list[float]]]]  # page → cold or warm → what → ms of each round
Kept = dict[str, list[int]]  # page → kB of compiled WebAssembly that the browser kept in each round


class SiteServer(RunningServer):
    """The demo's server over another folder; PyScript as it is shipped does not start under its policy."""

    def __init__(self, site: Path, data: Path) -> None:
        super().__init__(data)
        module = self._command.index("-m")
        start = (
            "from pathlib import Path; from app.server import headers; from app.server.__main__ import main; "
            "headers.LAB_PAGES_POLICY = ''; "
            f"main(root=Path({str(site)!r}))"
        )
        self._command[module : module + 2] = ["-c", start]


@contextmanager
def empty_browser(playwright: Playwright, url: str, session: dict[str, Any]) -> Iterator[Browser]:
    """Start a browser that has nothing but the user's tokens."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(Path(profile))
        try:
            icon = f"{url}/static/icon.svg"
            with browser.page(icon, 1):
                ask(playwright, browser, icon, KEEP_SESSION, [TOKEN, session])
            yield browser
        finally:
            browser.stop()


def load(playwright: Playwright, browser: Browser, address: str, *, lasts: float) -> dict[str, float]:
    """Visit a page, and return when it was how far."""
    with browser.page(address, lasts):
        times: dict[str, float] = ask(playwright, browser, address, READ_TIMES, MARK)
    return times


def compiled_size(profile: Path) -> int:
    """Return the kB of compiled WebAssembly that the browser keeps."""
    return sum(file.stat().st_size for file in (profile / COMPILED).rglob("*") if file.is_file()) // 1000


def fill_caches(playwright: Playwright, browser: Browser, address: str) -> None:
    """Visit a page until the browser keeps what it compiled of it, as it does for whoever comes back."""
    for number in range(1, MOST_WARMING + 1):
        load(playwright, browser, address, lasts=VISIT)
        if number >= LEAST_WARMING and compiled_size(browser.profile) >= COMPILED_FROM:
            return


def measure(rounds: int) -> tuple[Times, Kept, str]:
    """Return the times of all rounds, what the browser kept in each, and its version."""
    times: Times = {name: {"cold": {}, "warm": {}} for name in ADDRESSES}
    kept: Kept = {name: [] for name in ADDRESSES}
    version = ""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        site.mkdir()
        pack_page()
        lay_out(site)
        with SiteServer(site, Path(folder) / "data") as server:
            for number in range(1, rounds + 1):
                for name, path in ADDRESSES.items():
                    address, warm = server.url + path, []
                    with empty_browser(playwright, server.url, server.lab.sign_in()) as browser:
                        version = browser.version
                        cold = load(playwright, browser, address, lasts=VISIT)
                        fill_caches(playwright, browser, address)
                        for _ in range(WARM_LOADS):
                            time.sleep(PAUSE)
                            warm.append(load(playwright, browser, address, lasts=SHORT_VISIT))
                        kept[name].append(compiled_size(browser.profile))
                    for what, taken in cold.items():
                        times[name]["cold"].setdefault(what, []).append(round(taken))
                        middle = median(load[what] for load in warm)
                        times[name]["warm"].setdefault(what, []).append(round(middle))
                    print(
                        f"round {number}: {name} {times_of(times[name], -1)}, kB: {kept[name][-1]}",
                        flush=True,
                    )
    return times, kept, version


def times_of(page: dict[str, dict[str, list[float]]], number: int) -> dict[str, float]:
    """Return one round's times of a page."""
    return {f"{cache} {what}": values[number] for cache, of in page.items() for what, values in of.items()}


def results(times: Times, kept: Kept, version: str, rounds: int) -> dict[str, Any]:
    """Return the medians, in ms, and the ratios beside their goals."""

    def counted(cache: str, *pages: str) -> list[int]:
        """List the rounds that count; all, should the browser never have kept anything."""
        every = range(rounds)
        if cache == "cold":
            return list(every)
        return [it for it in every if all(kept[page][it] >= COMPILED_FROM for page in pages)] or list(every)

    def of(page: str, cache: str, what: str, counting: list[int]) -> list[float]:
        return [times[page][cache][what][number] for number in counting]

    medians = {
        page: {
            cache: {what: median(of(page, cache, what, counted(cache, page))) for what in measured}
            for cache, measured in caches.items()
        }
        for page, caches in times.items()
    }
    goals = [
        {
            "what": what,
            "cache": cache,
            "page": page,
            "compared_with": other,
            # Of each round's two, which met the same noise.
            "ratio": round(
                median(
                    map(ratio, *(of(it, cache, what, counted(cache, page, other)) for it in (page, other)))
                ),
                3,
            ),
            "rounds": len(counted(cache, page, other)),
            "goal": goal,
        }
        for what, cache, page, other, goal in GOALS
    ]
    return {
        "browser": version,
        "rounds": rounds,
        "medians_ms": medians,
        "goals": goals,
        "rounds_ms": times,
        "kept_kb": kept,
    }


def ratio(time: float, other: float) -> float:
    """Return the ratio of two times."""
    return time / other


def main() -> None:
    """Measure, print it, and write it down."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.boot", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often everybody has a turn, at least 7")
    rounds: int = max(7, parser.parse_args().rounds)
    measured = results(*measure(rounds), rounds)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(measured, indent=2) + "\n")
    for goal in measured["goals"]:
        met = "met" if goal["ratio"] <= goal["goal"] else "missed"
        print("{what}, {cache}: {page} ÷ {compared_with} = {ratio} (goal ≤ {goal},".format(**goal), f"{met})")


if __name__ == "__main__":
    main()
