"""Measures the library beside its peers, in one page and one run; ``make bench`` calls it.

    python -m tests.bench [--rounds 15]

In each round every client has its turn, so that whatever else the machine does hits all of them; what counts
is the median of the rounds, and above all the ratio. Results go to docs/benchmarks.json, docs/benchmarks.svg
and the tables of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.bench import site
from tests.bench.measure import Bench
from tests.bench.report import goals, write
from tests.browsers.launch import CHROMIUM_ARGUMENTS
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import RunningServer
from tools.browser import ensure_browser


@contextmanager
def open_bench(rounds: int) -> Iterator[Bench]:
    """Start the server and the browser, and load the page."""
    with (
        tempfile.TemporaryDirectory() as data,
        RunningServer(Path(data)) as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=ensure_browser("chromium").path, args=CHROMIUM_ARGUMENTS
        ) as browser,
    ):
        page = browser.new_page(base_url=server.url)
        site.put_in(page)
        python = PagePython(page, site.ADDRESS)
        python.open()
        yield Bench(python, server.lab, rounds, browser.version)


def main() -> None:
    """Measure everything, print it, and write it down."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often everybody has a turn, at least 7")
    rounds: int = max(7, parser.parse_args().rounds)
    with open_bench(rounds) as bench:
        results = bench.run()
    write(results)
    print(json.dumps(results, indent=2))
    for goal in goals(results):
        print(goal)


if __name__ == "__main__":
    main()
