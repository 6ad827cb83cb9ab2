"""A Firefox that can be killed and started again on the same profile, as a MortalChromium can."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright

from tests.browsers.launch import launch_options
from tests.e2e.patience import be_patient


class MortalFirefox:
    """One profile folder, and the Firefox that runs on it, in a process group of its own."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self._playwright = playwright
        self._profile = profile / "profile"
        self._leader = profile / "leader"  # where the process group is told
        self._options = launch_options("firefox", profile)
        launcher = profile / "mortal"
        launcher.write_text(
            f'#!/bin/sh\necho $$ > {self._leader}\nexec {self._options["executable_path"]} "$@"\n'
        )
        launcher.chmod(0o755)
        self._options["executable_path"] = launcher
        self._context: BrowserContext | None = None

    def start(self) -> BrowserContext:
        """Start it, and return the context whose storage is the profile's."""
        self._context = self._playwright.firefox.launch_persistent_context(self._profile, **self._options)
        be_patient(self._context)
        return self._context

    def kill(self) -> None:
        """Kill all its processes; return when none is left."""
        if self._context is not None:
            group = int(self._leader.read_text())
            processes = [os.pidfd_open(pid) for pid in members(group)]
            os.killpg(group, signal.SIGKILL)
            for process in processes:
                select.select([process], [], [])
                os.close(process)
            self._context = None

    def quit(self) -> None:
        """Let it end by itself; return when it has written down what it has to."""
        if self._context is not None:
            self._context.close()
            self._context = None


def members(group: int) -> list[int]:
    """Return the processes of a group."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if group_of(pid) == group]


def group_of(pid: int) -> int | None:
    """Return the group of a process, unless it has ended meanwhile."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
