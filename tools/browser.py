"""Make sure that there are the browsers for the end-to-end tests, and print where they are.

    python tools/browser.py                       # Chromium
    python tools/browser.py chromium firefox webkit

``SILENT_REFRESH_CHROMIUM``, ``_FIREFOX`` or ``_WEBKIT`` names one. Else the system's own Chromium comes
before Playwright's, and Playwright's own Firefox and WebKit before the system's, since it can do more with
these. What there isn't is downloaded by Playwright, and where that fails the distribution's package is
installed.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

INSTALL_TIMEOUT = 900  # seconds
DOWNLOAD_CONNECTION_TIMEOUT = (
    "15000"  # milliseconds; behind a closed firewall Playwright would try for minutes
)
# In a process of its own, because a running test session already holds Playwright's event loop.
ASK_PLAYWRIGHT = (
    "import sys; from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(getattr(playwright, sys.argv[1]).executable_path)"
)


class Kind(NamedTuple):
    """One of the three, and how a system has it."""

    title: str
    names: tuple[str, ...]  # in the PATH, or a pattern of whole paths
    packages: tuple[str, ...]  # Debian's
    is_playwrights_better: bool = True
    needs: tuple[str, ...] = ()  # other programs in the PATH that the system's own needs
    tells_version: bool = True  # without a display


KINDS = {
    "chromium": Kind(
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ("chromium",),
        is_playwrights_better=False,
    ),
    "firefox": Kind("Firefox", ("firefox-esr", "firefox"), ("firefox-esr",)),
    "webkit": Kind(
        "WebKit",
        ("/usr/lib/*/webkit2gtk-4.1/MiniBrowser", "/usr/libexec/webkit2gtk-4.1/MiniBrowser"),
        ("libwebkit2gtk-4.1-0", "xvfb"),
        needs=("Xvfb",),
        tells_version=False,
    ),
}


class Found(NamedTuple):
    """A browser that runs. One of Playwright's is driven in Playwright's own way, others aren't."""

    path: str
    is_playwrights: bool = False


class BrowserMissing(Exception):
    """No such browser can be had; the message says what to do."""


def find_browser(name: str) -> Found:
    """Return a browser that runs: chromium, firefox, webkit. Raises BrowserMissing, and installs nothing."""
    found = look_for(name)
    if found is None:
        raise BrowserMissing(
            f"there is no {KINDS[name].title} to test in: run {sys.executable} tools/browser.py {name}, "
            f"or {what_to_do(name)}"
        )
    return found


def ensure_browser(name: str) -> Found:
    """Return a browser that runs, installed first if need be. Raises BrowserMissing."""
    kind = KINDS[name]
    found = look_for(name)
    for what, install in (
        ("Playwright's", lambda: download(name)),
        (f"the package {' and '.join(kind.packages)}", lambda: install_packages(kind.packages)),
    ):
        if found is not None:
            break
        print(f"There is no {kind.title} yet: installing {what}", file=sys.stderr, flush=True)
        install()
        found = look_for(name)
    if found is None:
        raise BrowserMissing(f"no {kind.title} could be installed: {what_to_do(name)}")
    return found


def variable_of(name: str) -> str:
    """Return the name of the environment variable that may name the browser."""
    return f"SILENT_REFRESH_{name.upper()}"


def what_to_do(name: str) -> str:
    """Say how else to come by one."""
    return (
        f"install {KINDS[name].title} with the system's package manager, or name one with "
        f"{variable_of(name)}=/path/to/{name}; then start again"
    )


def look_for(name: str, environment: Mapping[str, str] = os.environ) -> Found | None:
    """Return the first that runs, or None. Raises BrowserMissing for a bad variable."""
    if chosen := environment.get(variable_of(name)):
        if not runs(name, chosen):
            raise BrowserMissing(
                f"{variable_of(name)} names {chosen}, which does not run: correct it or unset it"
            )
        return Found(chosen)
    own = [Found(path, is_playwrights=True) for path in [playwright_path(name)]]
    systems = [Found(path) for path in system_paths(name, environment.get("PATH"))]
    candidates = [*own, *systems] if KINDS[name].is_playwrights_better else [*systems, *own]
    return next((found for found in candidates if runs(name, found.path)), None)


def system_paths(name: str, path: str | None) -> Iterator[str]:
    """Yield where the system may have it."""
    kind = KINDS[name]
    if all(shutil.which(other, path=path) for other in kind.needs):
        for pattern in kind.names:
            found = shutil.which(pattern, path=path)
            yield from [found] if found else glob.glob(pattern)


def runs(name: str, path: str) -> bool:
    """Tell whether a browser starts: Ubuntu's `chromium-browser` may be a stub that only prints advice."""
    if not Path(path).is_file():
        return False
    return not KINDS[name].tells_version or succeeds([path, "--version"], quiet=True, timeout=30)


def playwright_path(name: str) -> str:
    """Return where Playwright keeps its own, be it there or not; empty when Playwright can't tell."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK_PLAYWRIGHT, name], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def download(name: str) -> None:
    """Let Playwright download its own."""
    command = [sys.executable, "-m", "playwright", "install", name]
    succeeds(command, {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": DOWNLOAD_CONNECTION_TIMEOUT})


def install_packages(packages: Sequence[str]) -> None:
    """Install the distribution's packages; nothing happens where that isn't apt's to do."""
    if shutil.which("apt-get") is None:
        return
    # Without a terminal sudo must not wait for a password that nobody will type.
    sudo = [] if os.geteuid() == 0 else ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    succeeds([*sudo, "apt-get", "update"])
    succeeds([*sudo, "apt-get", "install", "--yes", "--no-install-recommends", *packages])


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
        for browser in sys.argv[1:] or ["chromium"]:
            print(ensure_browser(browser).path)
    except BrowserMissing as error:
        sys.exit(str(error))
