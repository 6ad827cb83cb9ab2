"""The browser dies, at every step of what a user does; it is started again with what its disk has.

A step is one turn of the event loop. The disk has got nothing, half or all of what was written to the storage
since the last quiet minute; the journal, when it is strict, all that was committed. A second mode has a
journal that isn't: there nothing is promised but that nobody is ever stuck.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from silent_refresh import NotSignedIn, RefreshRejected, Response, SilentRefreshError
from tests.engine.faults import Page, World
from tests.engine.watch import Watch, holds
from tests.world.browser import Browser
from tests.world.loop import VirtualLoop, later
from tests.world.server import Server

DEADLINE = 20.0  # s: a request's own time-out; a renewal's is half of it
TAKES = {"storage": 0.004, "journal": 0.002, "lock": 0.001, "channel": 0.003, "there": 0.02, "back": 0.02}
MOST_STEPS = 400
KEPT = (0.0, 0.5, 1.0) if os.environ.get("SOAK") else (0.0, 1.0)
explored = 0

Deed = Callable[[World, Page], Awaitable[object]]


async def renews(world: World, page: Page) -> None:
    """The access token has run out, and a request needs a new one."""
    world.server.expire()
    await page.auth.refresh()


async def asks(world: World, page: Page) -> None:
    """A request waits for its renewal."""
    world.server.expire()
    (await page.client.get("me", headers={"X-Request-ID": "1"})).raise_for_status()


async def signs_in(world: World, page: Page) -> None:
    """Nobody was signed in, and somebody is now."""
    await world.sign_in(page, "bob")


async def signs_out(world: World, page: Page) -> None:
    """The user leaves."""
    await world.sign_out(page)


async def switches(world: World, page: Page) -> None:
    """Another user signs in."""
    await world.sign_in(page, "bob")


async def leaves_and_comes(world: World, page: Page) -> None:
    """The user leaves, and another signs in, in another tab."""
    await world.sign_out(page)
    await world.sign_in(world.pages[-1], "bob")


async def is_refused(world: World, page: Page) -> None:
    """The server has ended the session."""
    world.server.revoke()
    world.server.expire()
    with pytest.raises(RefreshRejected):
        await page.auth.refresh()


DEEDS: dict[str, Deed] = {
    deed.__name__: deed
    for deed in (renews, asks, signs_in, signs_out, switches, leaves_and_comes, is_refused)
}
# Who is answered after the deed has returned; nobody is at the login.
AFTERWARDS = {
    "renews": "ada",
    "asks": "ada",
    "signs_in": "bob",
    "signs_out": None,
    "switches": "bob",
    "leaves_and_comes": "bob",
    "is_refused": None,
}


@dataclass
class Life:
    """One life of a browser with two tabs, and its next one."""

    deed: str
    is_strict: bool = True
    dpop: bool = False
    server: Server = field(default_factory=lambda: Server(delay=TAKES.__getitem__))

    async def prepare(self) -> None:
        """Sign ada in, and let a quiet minute pass."""
        self.browser = Browser(self.server, delay=TAKES.__getitem__)
        self.browser.is_strict = self.is_strict
        self.watch = Watch(self.server, self.browser)
        self.world = World(self.server, self.browser, self.watch, dpop=self.dpop)
        pages = [self.world.open(), self.world.open()]
        if self.deed != "signs_in":
            await self.world.sign_in(pages[0])
        await later(1)
        self.browser.write_down()
        self.task = asyncio.ensure_future(DEEDS[self.deed](self.world, pages[0]))

    async def die(self, kept: float, kept_commits: float) -> bool:
        """End it; return whether the deed had returned."""
        has_returned = self.task.done()
        if has_returned:
            self.task.result()
        self.task.cancel()
        self.was_rotating = any(call.path == "/refresh" for call in self.server.calls)
        self.browser.die(kept=kept, kept_commits=kept_commits)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()  # nothing of the browser's runs on
        await later(1)
        return has_returned

    async def look_back(self, has_returned: bool) -> None:
        """Open a page in the next life and ask for something."""
        page = self.world.open()
        reuses = self.server.reuses
        try:
            response = await page.client.get("me", headers={"X-Request-ID": "2"}, timeout=DEADLINE)
        except SilentRefreshError as error:
            is_at_login = bool(page.tab.gone_to)
            holds(20, isinstance(error, NotSignedIn | RefreshRejected) and is_at_login, f"{error!r}, stuck")
            user = None
        else:
            holds(20, isinstance(response, Response) and response.status == 200, f"{response!r}")
            user = (await response.json())["user"]
        self.watch.check() if has_returned and self.is_strict else None
        if has_returned and self.is_strict:
            holds(21, user == AFTERWARDS[self.deed], f"{self.deed}, and then {user} is signed in")
            holds(21, self.server.reuses == reuses, f"{self.deed} was committed, and a used token presented")
        elif self.is_strict and not self.was_rotating:
            holds(3, self.server.reuses == reuses, "the server took the next life for a thief")
        if has_returned and self.is_strict and user is None:
            holds(23, not self.browser.keys, "a session is over, and its key is there still")
        await self.world.sign_in(page, "eve")
        healed = await page.client.get("me", headers={"X-Request-ID": "3"}, timeout=DEADLINE)
        holds(20, (await healed.json())["user"] == "eve", "a new sign-in did not heal")


def play(life: Life, steps: int, kept: float, kept_commits: float) -> bool:
    """Let the browser die after so many steps; return whether the deed had returned by then."""
    global explored
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(life.prepare())
        for _ in range(steps):
            loop.step()
        has_returned = loop.run_until_complete(life.die(kept, kept_commits))
        loop.run_until_complete(life.look_back(has_returned))
        explored += 1
        return has_returned
    except BaseException as error:
        error.add_note(f"{life.deed}, died after {steps} steps, {kept} of the storage, {kept_commits}")
        raise
    finally:
        life.watch.close()
        asyncio.set_event_loop(None)
        loop.close()


@pytest.mark.parametrize("dpop", [False, True], ids=["", "dpop"])
@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("deed", DEEDS)
def test_no_death_leaves_anybody_stuck_or_brings_back_who_left(deed: str, kept: float, dpop: bool) -> None:
    """What was told as done has survived, whenever the browser dies (F90, F91, F92, F93, F94, F98)."""
    for steps in range(MOST_STEPS):
        if play(Life(deed, dpop=dpop), steps, kept, 1.0):
            break
    else:
        pytest.fail(f"{deed} did not return within {MOST_STEPS} steps")
    play(Life(deed, dpop=dpop), steps + 50, kept, 1.0)  # long after it has returned


@pytest.mark.parametrize("kept_commits", [0.0, 0.5])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_journal_that_forgets_leaves_nobody_stuck(deed: str, kept_commits: float) -> None:
    """Any suffix of its commits may be lost: a request is answered, or the page is at the login (F97)."""
    for steps in range(0, MOST_STEPS, 3):
        if play(Life(deed, is_strict=False), steps, 1.0, kept_commits):
            return


def test_the_number_of_deaths_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The search was as wide as it claims to be."""
    assert explored > 200
    with capsys.disabled():
        print(f"\n{explored} deaths of the browser explored: {len(DEEDS)} deeds, at every step")
