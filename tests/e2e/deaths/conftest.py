"""A server and a browser's profile for the tests that kill browsers, and what came of them at the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Playwright

from tests.e2e.deaths.kills import Kills
from tests.e2e.deaths.mortal_chromium import MortalChromium
from tests.e2e.deaths.mortal_firefox import MortalFirefox
from tests.e2e.running_server import RunningServer

ALL_KILLS = pytest.StashKey[list[Kills]]()
ANOTHER_USER = """INSERT INTO users
    SELECT 'another', 'Another User', 'another@example.org', password_hash FROM users"""


@pytest.fixture(scope="module")
def mortal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Run a server that knows another user too, with the demo user's password."""
    data = tmp_path_factory.mktemp("data")
    with RunningServer(data) as server:
        with closing(sqlite3.connect(data / "auth.sqlite3")) as database, database:
            database.execute(ANOTHER_USER)
        yield server


@pytest.fixture(scope="module")
def kills(
    request: pytest.FixtureRequest,
    playwright: Playwright,
    browser_name: str,
    lacking: set[str],
    mortal_server: RunningServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kills]:
    """Return what kills a browser on a profile of its own."""
    if "a profile with preferences" in lacking:
        pytest.skip("there is not: a profile that outlives its browser")
    mortal = MortalFirefox if browser_name == "firefox" else MortalChromium
    browser = mortal(playwright, tmp_path_factory.mktemp("profile"))
    kills = Kills(browser, mortal_server.lab)
    request.config.stash.setdefault(ALL_KILLS, []).append(kills)
    yield kills
    browser.kill()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell how many kills there were, and how each sort ended."""
    for kills in config.stash.get(ALL_KILLS, []):
        for tally in kills.tallies:
            terminalreporter.write_line(str(tally))
