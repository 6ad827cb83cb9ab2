"""Tells which of the Web Platform Tests pass with the browser's own fetch, and fail under ``install()``.

    make conformance WPT=../wpt ARGS="--under fetch/api/abort"

Each test runs without the library, and then in each state that a page's calls may find: a good token, one
that has ended (and does so again at once, so that each call waits for a renewal), nobody signed in. A subtest
that is lost is tried once more: some of them race.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

from tests.browsers.launch import CHROMIUM_ARGUMENTS
from tests.conformance.files import HOW_TO_GET_THEM, is_of_tests, paths_in
from tests.conformance.site import HOST, OTHER_HOST, SUBDOMAINS, Site, serve
from tests.e2e.running_server import pack_page
from tools.browser import ensure_browser

STATES = ("good", "ended", "signed-out")
BROWSERS_OWN = ""
PASSED = 0
STATUSES = ("passed", "failed", "timed out", "not run", "precondition failed")
LONGEST = 180_000  # ms of one test; the harness ends it before that

Results = dict[str, int]  # a subtest's name → its status


def results_of(context: BrowserContext, site: Site, path: str, state: str) -> Results:
    """Run one test, in a page of its own."""
    with context.new_page() as page:
        page.goto(site.expect(path, state), wait_until="commit")
        try:
            page.wait_for_function("globalThis.conformance", timeout=LONGEST)
        except TookTooLong:
            return {}
        return dict(page.evaluate("conformance.subtests"))


def losses_of(context: BrowserContext, site: Site, path: str, state: str, expected: Results) -> Results:
    """Return the status of each subtest that passes in the browser's own fetch, and fails in this state."""
    found = results_of(context, site, path, state)
    return {
        name: found.get(name, STATUSES.index("not run"))
        for name, status in expected.items()
        if status == PASSED and found.get(name) != PASSED
    }


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser that finds the tests' hosts on this machine."""
    hosts = [f"{subdomain}{host}" for host in (HOST, OTHER_HOST) for subdomain in ("", *prefixes())]
    rules = ", ".join(f"MAP {host} 127.0.0.1" for host in hosts)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=ensure_browser("chromium").path,
            args=[*CHROMIUM_ARGUMENTS, f"--host-resolver-rules={rules}"],
        ) as browser,
    ):
        yield browser


def prefixes() -> list[str]:
    """Return the tests' subdomains as a browser writes them."""
    return [f"{name.encode('idna').decode()}." for name in sorted(SUBDOMAINS)]


def main() -> None:
    """Run them, and print what was lost."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the Web Platform Tests are")
    parser.add_argument("--under", default="fetch/api", help="a folder of them, fetch/api by default")
    arguments = parser.parse_args()
    if not is_of_tests(arguments.folder):
        sys.exit(HOW_TO_GET_THEM)
    folder = arguments.folder.resolve()
    paths = paths_in(folder, arguments.under)
    passed, lost = 0, dict.fromkeys(STATES, 0)
    pack_page()
    with serve(folder) as site, open_browser() as browser, browser.new_context() as context:
        for number, path in enumerate(paths, 1):
            print(f"\r{number}/{len(paths)} {path:100.100}", end="", file=sys.stderr)
            expected = results_of(context, site, path, BROWSERS_OWN)
            passed += sum(status == PASSED for status in expected.values())
            for state in STATES:
                losses = losses_of(context, site, path, state, expected)
                if losses:
                    losses = losses_of(context, site, path, state, dict.fromkeys(losses, PASSED))
                lost[state] += len(losses)
                for name, status in losses.items():
                    print(f"\r{state}: {path}: {name}: {STATUSES[status]}", flush=True)
    print(f"\rThe browser's own fetch passes {passed} subtests of {len(paths)} tests. Lost under install():")
    for state, number in lost.items():
        print(f"  {state}: {number}")


if __name__ == "__main__":
    main()
