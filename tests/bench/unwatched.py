"""A browser that loads pages as a user's does, with nothing of DevTools attached.

DevTools, and so Playwright, costs a page time with each request and each compiled function. Here Chromium is
started, and tabs are opened, without either; once a page has loaded, Playwright reads from it what it noted.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Playwright

from tests.browsers.launch import CHROMIUM_ARGUMENTS
from tools.browser import ensure_browser

STARTUP = 30.0  # s


class Browser:
    """A Chromium that has seen nothing yet, and that nobody watches while it loads."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        arguments = [*CHROMIUM_ARGUMENTS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            [ensure_browser("chromium").path, *arguments, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.url = f"http://127.0.0.1:{self._port()}"

    def _port(self) -> str:
        told = self.profile / "DevToolsActivePort"
        until = time.monotonic() + STARTUP
        while time.monotonic() < until:
            if told.exists() and "\n" in (text := told.read_text()):
                return text.splitlines()[0]
            time.sleep(0.05)
        raise RuntimeError(f"Chromium did not start within {STARTUP:g} s")

    @property
    def version(self) -> str:
        """Which Chromium it is."""
        told = httpx.get(f"{self.url}/json/version", trust_env=False).raise_for_status().json()
        return str(told["Browser"].partition("/")[2])

    @contextmanager
    def page(self, address: str, lasts: float) -> Iterator[None]:
        """Open a page in a tab of its own, for so many seconds and while the block runs."""
        opened = httpx.put(f"{self.url}/json/new?{address}", trust_env=False).raise_for_status().json()
        time.sleep(lasts)
        yield
        httpx.get(f"{self.url}/json/close/{opened['id']}", trust_env=False).raise_for_status()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def ask(playwright: Playwright, browser: Browser, address: str, question: str, argument: Any) -> Any:
    """Return what JavaScript says in the page of this address."""
    connected = playwright.chromium.connect_over_cdp(browser.url)
    try:
        (page,) = (it for context in connected.contexts for it in context.pages if it.url == address)
        return page.evaluate(question, argument)
    finally:
        connected.close()
