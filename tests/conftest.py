"""Puts the tests in order: with a browser come last. Tells of second tries. Lets no run hang at its end."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.browsers.report"]

BROWSER_FIXTURES = {"page", "shared_page"}
WITHOUT_BROWSER = {"unit", "engine"}
STATUS = pytest.StashKey[int]()
TIME_TO_EXIT = 120  # s; pyproject.toml has the time that a test may take


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps a loop running, and asyncio's tests can't start theirs."""

    def needs_browser(item: pytest.Item) -> bool:
        asks = bool(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())))
        if asks and WITHOUT_BROWSER & set(item.path.parts):
            raise pytest.UsageError(
                f"{item.nodeid} asks for a browser's page; name its own fixture otherwise"
            )
        return asks or "e2e" in item.path.parts

    items.sort(key=needs_browser)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note how the run ended."""
    session.config.stash[STATUS] = int(exitstatus)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell why a test was run once more: a second try that nobody looks into hides a fault."""
    for report in terminalreporter.getreports("rerun"):
        told = report.longreprtext.strip().splitlines() or ["?"]
        errors = [line for line in told if line.startswith("E  ")] or told[-1:]
        terminalreporter.write_line(f"run once more: {report.nodeid}: {' '.join(errors[-3:])}")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Don't wait for ever for a thread that a test left behind: show where it is, and end as the run did."""

    def end() -> None:
        faulthandler.dump_traceback(file=sys.__stderr__)
        os._exit(config.stash.get(STATUS, 1))

    timer = threading.Timer(TIME_TO_EXIT, end)
    timer.daemon = True
    timer.start()


@pytest.fixture(scope="session", autouse=True)
def renewed_at_the_same_age() -> Iterator[None]:
    """Let no session's random id decide when its token is renewed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("silent_refresh.session.tokens.SPREAD", 0.0)
        yield
