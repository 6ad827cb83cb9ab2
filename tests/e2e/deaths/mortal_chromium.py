"""A Chromium that can be killed as a phone or a power cut does it, and be started again on the same profile.

browser = MortalChromium(playwright, tmp_path)
context = browser.start()
browser.kill()             # every process at once: the disk has what had been written down so far
context = browser.start()
browser.quit()             # as a user does: all is written down first
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from threading import Thread
from typing import IO

from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.browsers.launch import CHROMIUM_ARGUMENTS
from tools.browser import find_browser

LISTENING = "DevTools listening on "


class MortalChromium:
    """One profile folder, and the Chromium that runs on it, in a process group of its own."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self._playwright = playwright
        self._command = [
            find_browser("chromium").path,
            *CHROMIUM_ARGUMENTS,
            f"--user-data-dir={profile}",
            "--remote-debugging-port=0",
            "about:blank",
        ]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> BrowserContext:
        """Start it, and return the context whose storage is the profile's."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stderr is not None
        address = _address_in(self._process.stderr)
        # All its processes write to this pipe, which so ends with the last of them.
        self._end = Thread(target=self._process.communicate, daemon=True)
        self._end.start()
        self._browser: Browser = self._playwright.chromium.connect_over_cdp(address)
        return self._browser.contexts[0]

    def kill(self) -> None:
        """Kill all its processes; return when none is left."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._wait()

    def quit(self) -> None:
        """Let it end by itself; return when it has written down what it has to."""
        if self._process is not None:
            self._browser.new_browser_cdp_session().send("Browser.close")
            self._wait()

    def _wait(self) -> None:
        self._end.join()
        self._process = None


def _address_in(words: IO[str]) -> str:
    said = []
    for line in words:
        said.append(line)
        if line.startswith(LISTENING):
            return line.removeprefix(LISTENING).strip()
    raise RuntimeError("Chromium did not start; it said:\n" + "".join(said))
