"""The browser is killed while a session lives in a worker, which has no localStorage: the journal is all.

The tokens are bound to a key, which is kept there too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Playwright

from tests.e2e.bare_worker import BareWorker
from tests.e2e.bound_session import KEYS
from tests.e2e.deaths.kills import COUNT, SEED
from tests.e2e.deaths.mortal_chromium import MortalChromium
from tests.e2e.page_python import empty_storage
from tests.e2e.running_server import RunningServer

BOUND = "RefreshEndpoint('/refresh', dpop=True)"
SIGN_IN_BOUND = """
fields = {"username": "demo", "password": "demo-password"}
answer = await Client().post("/login", json=fields, auth=auth.proving)
await auth.sign_in(await answer.json())
"""
SIGN_OUT = "await auth.sign_out()"


class WorkerHost:
    """A browser on a profile of its own, and the worker in it."""

    def __init__(self, browser: MortalChromium, server: RunningServer) -> None:
        self.lab = server.lab
        self._browser = browser
        self._url = server.url

    def start(self, *, empty: bool = False) -> BareWorker:
        """Start the browser, with an empty storage or what it had, and a worker in it."""
        page = self._browser.start().new_page()
        if empty:
            page.goto(f"{self._url}/static/icon.svg")
            empty_storage(page)
        return BareWorker(page, "module", url=self._url, endpoint=BOUND)

    def kill(self, number: int) -> None:
        """Kill the browser: at once every second time, else after what it has to write things down in."""
        time.sleep(number % 2 * Random(f"{SEED} {number}").uniform(0.3, 3))  # the experiment itself
        self._browser.kill()
        self.lab.reset()


@pytest.fixture
def host(playwright: Playwright, mortal_server: RunningServer, tmp_path: Path) -> Iterator[WorkerHost]:
    """Return such a host."""
    browser = MortalChromium(playwright, tmp_path / "profile")
    yield WorkerHost(browser, mortal_server)
    browser.kill()


def test_a_renewal_in_a_worker_is_kept(host: WorkerHost) -> None:
    """It comes back with the new tokens and their key: no sign-in, no reuse (F90)."""
    for number in range(COUNT):
        worker = host.start(empty=True)
        worker.run(SIGN_IN_BOUND)
        host.lab.expire()
        assert [200] == worker.ask(1)
        host.kill(number)

        again = host.start()
        assert [200] == again.ask(1)
        host.lab.expire()  # the refresh token has to be the newest too
        assert [200] == again.ask(1)
        assert (1, 0) == (host.lab.counters()["refresh"], host.lab.counters()["reuse"])
        host.kill(0)


def test_a_sign_out_in_a_worker_is_kept(host: WorkerHost) -> None:
    """The key is gone, and nobody comes back, though the server would take the tokens (F91)."""
    for number in range(COUNT):
        worker = host.start(empty=True)
        worker.run(SIGN_IN_BOUND)
        assert 1 == len(worker.page.evaluate(KEYS))
        worker.run(SIGN_OUT)
        host.kill(number)

        again = host.start()
        assert [] == again.page.evaluate(KEYS)
        assert ["NotSignedIn"] == again.ask(1)
        assert 0 == host.lab.counters()["refresh"]
        host.kill(0)
