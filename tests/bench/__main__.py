"""Measures the library beside its peers, in one page and one run; ``make bench`` calls it.

    python -m tests.bench [--rounds 15] [--only in_turn fresh …]

In each round every client has its turn, so that whatever else the machine does hits all of them; what counts
is the median of the rounds, and above all the ratio. Results go to docs/benchmarks.json, docs/benchmarks.svg
and the tables of docs/benchmarks.md; those of ``--only`` some parts are printed alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.bench import report, site
from tests.bench.measure import PARTS, Bench, Results
from tests.bench.pages import Pages
from tests.bench.report import goals, write
from tests.browsers.launch import CHROMIUM_ARGUMENTS
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import RunningServer
from tools.browser import ensure_browser

# A method each of ``Pages``, and what its results are called.
OF_PAGES = {"fresh": report.FRESH, "tabs": report.TABS}


@contextmanager
def open_browser() -> Iterator[tuple[Browser, RunningServer]]:
    """Start the server and the browser."""
    with (
        tempfile.TemporaryDirectory() as data,
        RunningServer(Path(data)) as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=ensure_browser("chromium").path, args=CHROMIUM_ARGUMENTS
        ) as browser,
    ):
        yield browser, server


def measure(parts: Collection[str], rounds: int) -> Results:
    """Measure these parts: what needs pages of its own first, in a browser that has seen nothing yet."""
    results: Results = {}
    with open_browser() as (browser, server):
        for part in [part for part in OF_PAGES if part in parts]:
            results[OF_PAGES[part]] = getattr(Pages(browser, server, rounds), part)()
    with open_browser() as (browser, server):
        page = browser.new_page(base_url=server.url)
        site.put_in(page)
        python = PagePython(page, site.ADDRESS)
        python.open()
        bench = Bench(python, server.lab, rounds, browser.version)
        return bench.run([part for part in PARTS if part in parts]) | results


def main() -> None:
    """Measure, print it, and write it down when it was everything."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often everybody has a turn, at least 7")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, *OF_PAGES], help="write nothing down")
    given = parser.parse_args()
    results = measure(given.only or [*PARTS, *OF_PAGES], max(7, given.rounds))
    if not given.only:
        write(results)
    print(json.dumps(results, indent=2))
    for goal in goals(results):
        print(goal)


if __name__ == "__main__":
    main()
