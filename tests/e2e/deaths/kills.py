"""Kills a browser at a moment, starts it again, and judges what the user comes back to.

    for kill in kills("after a request"):       # the demo user is signed in, and the disk has that
        kill.tab.get("profile")
        kill.strike(after=1.5)
        kill.judge("demo", stays=True)
    assert NONE == kills.bad_ends

The server takes each refresh token once. What is judged is what arrived there, and where the page ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Any

from playwright.sync_api import BrowserContext

from tests.e2e.deaths.mortal_chromium import MortalChromium
from tests.e2e.deaths.mortal_firefox import MortalFirefox
from tests.e2e.page_python import ADDRESS, PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

COUNT = 20 if os.environ.get("SOAK") else 2  # kills of each sort
SEED = os.environ.get("SEED") or str(SystemRandom().randrange(10**6))
DEAD_END, RESURRECTION, REUSE, SIGN_IN = "dead ends", "resurrections", "reuses", "needless sign-ins"
NONE = dict.fromkeys((DEAD_END, RESURRECTION, REUSE, SIGN_IN), 0)
REFRESH_DEADLINE = 10  # s; what hasn't passed by then doesn't pass
RUN_TIMEOUT = 60.0  # s that the page has for it on a busy machine

# Chromium and Firefox write localStorage down 5 s after the first change that the disk doesn't have.
CHANGE_SOMETHING_ELSE = "mark => localStorage.setItem('something else', mark)"
READ_SOMETHING_ELSE = "() => localStorage.getItem('something else')"


async def ask_until_told(patience):
    """Ask who is signed in, until an answer or a redirect tells; `patience` (s) bounds errors that pass."""
    import asyncio
    import time

    import js
    from opened import client

    from silent_refresh import SilentRefreshError

    until = time.monotonic() + patience
    ends = []
    while True:
        try:
            response = await client.get("profile")
            if response.status == 200:
                return {"user": (await response.json())["username"], "before": ends}
            ends.append(response.status)
        except SilentRefreshError as error:
            ends.append(type(error).__name__)
        await asyncio.sleep(0.2)  # until the user clicks once more
        if js.redirects.length or time.monotonic() > until:
            return {"user": None, "before": ends}


class Kill:
    """A life of the browser, its death, and the life after it."""

    def __init__(self, what: str, number: int, browser: MortalChromium | MortalFirefox, lab: Lab) -> None:
        self.number = number
        self.random = Random(f"{SEED} {what} {number}")
        self.lab = lab
        self.bad_ends: set[str] = set()
        self._browser = browser
        self._context = browser.start()
        self._mark = str(self.random.random())
        self.tab = self.open_tab()

    def open_tab(self) -> PageSession:
        """Open the test page in one more tab, which writes to localStorage what isn't the library's."""
        tab = open_tab(self._context, self.lab)
        tab.page.evaluate(CHANGE_SOMETHING_ELSE, self._mark)
        return tab

    def strike(self, *, after: float) -> None:
        """Kill the browser after so many seconds, and start it again."""
        time.sleep(after)  # the experiment itself: the time that the browser has to write things down
        self._browser.kill()
        self._context = self._browser.start()
        # Not before: what the browser had sent last may reach the server after its death.
        counted = self.lab.counters()
        self.was_renewed = counted["api"] > counted["unauthorized"]  # then a request had the new token
        self.lab.reset()
        self.tab = open_tab(self._context, self.lab)
        self.storage_is_behind = self._mark != self.tab.page.evaluate(READ_SOMETHING_ELSE)

    def judge(self, user: str | None, *, stays: bool, may_reuse: bool = False) -> None:
        """Send requests from the restarted page, and note each bad end.

        `user` may be answered, and nobody else; `stays`: nobody may be asked to sign in; `may_reuse`: the
        tokens that replaced the stored ones were lost on their way, and the server may find that out.
        """
        told = [self._ask()]
        if told[0]["user"]:
            self.lab.expire()  # the refresh token has to be the newest too
            told.append(self._ask())
        counted = self.lab.counters()
        accepted = counted["api"] - counted["unauthorized"]
        answered = [it["user"] for it in told if it["user"]]
        self.redirects = self.tab.redirects()
        if told[-1]["user"] is None and not self.redirects:
            self.bad_ends.add(DEAD_END)
        if accepted != answered.count(user) or (user is None and counted["refresh"]):
            self.bad_ends.add(RESURRECTION)
        if counted["reuse"] and not may_reuse:
            self.bad_ends.add(REUSE)
        if self.redirects and stays:
            self.bad_ends.add(SIGN_IN)
        if self.redirects:
            told += self._sign_in_anew(counted["refresh"])
        self.story = f"told {told}, counted {counted}, localStorage behind: {self.storage_is_behind}"

    def _sign_in_anew(self, refreshes: int) -> list[dict[str, Any]]:
        """See that nothing is left of the session that ended, and that a sign-in heals whatever was."""
        self.tab.open()
        told = [self._ask()]
        if told[0]["user"] or self.lab.counters()["refresh"] > refreshes:
            self.bad_ends.add(RESURRECTION)
        self.tab.open(self.lab.sign_in())
        told.append(self._ask())
        if told[1]["user"] is None:
            self.bad_ends.add(DEAD_END)
        return told

    def _ask(self) -> dict[str, Any]:
        told: dict[str, Any] = self.tab.python(ask_until_told, REFRESH_DEADLINE, timeout=RUN_TIMEOUT)
        return told


@dataclass
class Tally:
    """What came of the kills of one sort."""

    what: str
    kills: int = 0
    behind: int = 0  # times that the disk had not seen what localStorage had
    renewed: int = 0  # times that a request had left with a renewed token
    bad_ends: dict[str, int] = field(default_factory=NONE.copy)

    def count(self, kill: Kill) -> None:
        """Count one kill."""
        self.kills += 1
        self.behind += kill.storage_is_behind
        self.renewed += kill.was_renewed
        for name in kill.bad_ends:
            self.bad_ends[name] += 1

    def __str__(self) -> str:
        bad_ends = ", ".join(f"{count} {name}" for name, count in self.bad_ends.items())
        known = f"localStorage behind in {self.behind}, renewed before in {self.renewed}"
        return f"{self.kills} kills {self.what} ({known}): {bad_ends}"


class Kills:
    """Kills one browser again and again; `tallies` tells how each sort went, `bad_ends` the latest."""

    def __init__(self, browser: MortalChromium | MortalFirefox, lab: Lab) -> None:
        self._browser = browser
        self._lab = lab
        self._tab: PageSession | None = None  # of a browser that came to no harm since the last kill
        self.tallies: list[Tally] = []

    @property
    def bad_ends(self) -> dict[str, int]:
        """How many of the latest sort ended badly, by the name of the end."""
        return self.tallies[-1].bad_ends

    def __call__(self, what: str, *, signed_in: bool = True) -> Iterator[Kill]:
        """Yield kills, each in a browser that has just been started, the demo user signed in or nobody."""
        tally = Tally(what)
        self.tallies.append(tally)
        for number in range(COUNT):
            self._prepare(signed_in)
            kill = Kill(what, number, self._browser, self._lab)
            yield kill
            self._tab = kill.tab
            tally.count(kill)
            if kill.bad_ends:
                print(f"kill {number} {what}, SEED={SEED}: {', '.join(kill.bad_ends)}; {kill.story}")

    def _prepare(self, signed_in: bool) -> None:
        """See that the disk has one session, or none."""
        if self._tab is None:  # the first one, or what a test left that broke off
            self._browser.kill()
            self._tab = open_tab(self._browser.start(), self._lab)
        tab, self._tab = self._tab, None
        tab.python.forget()
        tab.open(self._lab.sign_in() if signed_in else None)
        self._browser.quit()
        self._lab.reset()


def open_tab(context: BrowserContext, lab: Lab) -> PageSession:
    """Open the test page, and its session."""
    page = PagePython(context.new_page(), lab.url + ADDRESS)
    page.open()
    tab = PageSession(page)
    tab.open()
    return tab
