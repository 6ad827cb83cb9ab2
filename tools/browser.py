"""Make sure that there is a Chromium for the end-to-end tests, and print where it is.

    python tools/browser.py

Looked for in this order: ``SILENT_REFRESH_CHROMIUM``, the system's own, Playwright's. When none of them runs,
Playwright's is downloaded, and where that fails the distribution's package is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

VARIABLE = "SILENT_REFRESH_CHROMIUM"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGE = "chromium"
INSTALL_TIMEOUT = 900  # seconds
DOWNLOAD_CONNECTION_TIMEOUT = (
    "15000"  # milliseconds; behind a closed firewall Playwright would try for minutes
)

WHAT_TO_DO = (
    "install Chromium or Chrome with the system's package manager, or name one with "
    f"{VARIABLE}=/path/to/chromium; then start again"
)
# In a process of its own, because a running test session already holds Playwright's event loop.
ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
)


class BrowserMissing(Exception):
    """No Chromium can be had; the message says what to do."""


def find_chromium() -> str:
    """Return the path of a Chromium that runs. Raises BrowserMissing, and installs nothing."""
    found = look_for_chromium()
    if found is None:
        raise BrowserMissing(
            f"there is no Chromium to test in: run {sys.executable} tools/browser.py, or {WHAT_TO_DO}"
        )
    return found


def ensure_chromium() -> str:
    """Return the path of a Chromium that runs, installed first if need be. Raises BrowserMissing."""
    found = look_for_chromium()
    for what, install in (("Playwright's", download), (f"the package {PACKAGE}", install_package)):
        if found is not None:
            break
        print(f"There is no Chromium yet: installing {what}", file=sys.stderr, flush=True)
        install()
        found = look_for_chromium()
    if found is None:
        raise BrowserMissing(f"no Chromium could be installed: {WHAT_TO_DO}")
    return found


def look_for_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of the first Chromium that runs, or None. Raises BrowserMissing for a bad variable."""
    if chosen := environment.get(VARIABLE):
        if not runs(chosen):
            raise BrowserMissing(f"{VARIABLE} names {chosen}, which does not run: correct it or unset it")
        return chosen
    for name in SYSTEM_NAMES:
        path = shutil.which(name, path=environment.get("PATH"))
        if path and runs(path):
            return path
    path = playwright_path()
    return path if path and runs(path) else None


def runs(path: str) -> bool:
    """Tell whether a browser starts: Ubuntu's `chromium-browser` may be a stub that only prints advice."""
    return Path(path).is_file() and succeeds([path, "--version"], quiet=True, timeout=30)


def playwright_path() -> str:
    """Return where Playwright keeps its Chromium, be it there or not; empty when Playwright can't tell."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def download() -> None:
    """Let Playwright download its Chromium."""
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    succeeds(command, {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": DOWNLOAD_CONNECTION_TIMEOUT})


def install_package() -> None:
    """Install the distribution's package; nothing happens where that isn't apt's to do."""
    if shutil.which("apt-get") is None:
        return
    # Without a terminal sudo must not wait for a password that nobody will type.
    sudo = [] if os.geteuid() == 0 else ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    succeeds([*sudo, "apt-get", "update"])
    succeeds([*sudo, "apt-get", "install", "--yes", "--no-install-recommends", PACKAGE])


def succeeds(
    command: Sequence[str],
    more_environment: Mapping[str, str] | None = None,
    *,
    quiet: bool = False,
    timeout: float = INSTALL_TIMEOUT,
) -> bool:
    """Run a command and tell whether it ended well; its output goes to stderr unless `quiet`."""
    try:
        finished = subprocess.run(
            command,
            env={**os.environ, **(more_environment or {})},
            stdout=subprocess.DEVNULL if quiet else sys.stderr,
            stderr=subprocess.DEVNULL if quiet else None,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return finished.returncode == 0


if __name__ == "__main__":
    try:
        print(ensure_chromium())
    except BrowserMissing as error:
        sys.exit(str(error))
