"""Stories that Hypothesis makes up: tabs open and die, users come and go, servers fail, storage lags.

``make test`` plays the same thousand each time, so that a change is judged by what it changed; ``SOAK=1``
searches through many thousands of new ones.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from silent_refresh import Response, SilentRefreshError
from silent_refresh.engine import limiter
from tests.engine.faults import ALL, Page, World
from tests.engine.test_every_interleaving import LONGEST, TAKES
from tests.engine.watch import Watch, holds
from tests.world.browser import Browser
from tests.world.loop import VirtualLoop, later
from tests.world.server import Answer, Call, Server

IS_SEARCH = bool(os.environ.get("SOAK"))
STORIES = 5000 if IS_SEARCH else 1000
SURVIVED = sorted(ALL.keys() - {"frozen"})  # a frozen tab is found by nobody until it's closed
tab_numbers = st.integers(0, 2)


class Story(RuleBasedStateMachine):
    """One to three tabs of one browser, and one server."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.patch = pytest.MonkeyPatch()
        # The same story is to end the same when it is played again: pauses and ids are drawn, too.
        self.patch.setattr(os, "urandom", random.Random(0).randbytes)
        self.asked = 0

    def wait(self, seconds: float) -> None:
        self.loop.run_until_complete(later(seconds))

    @initialize(
        seed=st.integers(0, 2**32),
        tabs=st.integers(1, 3),
        most=st.sampled_from([1, 2, limiter.MOST]),
        dpop=st.booleans(),
    )
    def begin(self, seed: int, tabs: int, most: int, dpop: bool) -> None:
        """Open the first tabs, and sign in; ``most`` requests of a tab may be under way."""
        self.patch.setattr("silent_refresh.engine.local_session.MOST", most)
        chance = random.Random(seed)

        async def start() -> None:
            server = Server(delay=lambda what: chance.uniform(*TAKES[what]))
            browser = Browser(server, delay=lambda what: chance.uniform(*TAKES[what]))
            self.world = World(server, browser, Watch(server, browser), dpop=dpop)
            for _ in range(tabs):
                self.world.open()
            await self.world.sign_in(self.world.pages[0])

        self.loop.run_until_complete(start())

    def page(self, number: int) -> Page:
        living = [page for page in self.world.pages if page.tab.alive]
        return living[number % len(living)]

    @rule(number=tab_numbers, count=st.integers(1, 4))
    def ask(self, number: int, count: int) -> None:
        """Send some requests from one tab."""

        async def send() -> None:
            for _ in range(count):
                self.asked += 1
                self.world.ask(self.page(number), self.asked, timeout=20)

        self.loop.run_until_complete(send())

    @rule()
    def expire(self) -> None:
        """All access tokens end."""
        self.loop.run_until_complete(self._call(self.world.server.expire))

    async def _call(self, function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    @rule(seconds=st.sampled_from([0.001, 0.01, 0.03, 0.3, 3.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        """Wait."""
        self.wait(seconds)

    @rule(fault=st.sampled_from(SURVIVED))
    def fail(self, fault: str) -> None:
        """Let the next refresh call meet a fault."""

        async def strike(call: Call) -> Answer:
            if fault.startswith("killed") and sum(page.tab.alive for page in self.world.pages) == 1:
                return await self.world.server.refresh(call)
            return await ALL[fault](self.world, call)

        self.world.server.on_refresh.append(strike)

    @rule(number=tab_numbers)
    def sign_out(self, number: int) -> None:
        """A user signs out."""
        self.loop.run_until_complete(self._call(self.world.do, self.world.sign_out(self.page(number))))

    @rule(number=tab_numbers, user=st.sampled_from(["ada", "bob"]))
    def sign_in(self, number: int, user: str) -> None:
        """A user signs in."""

        async def start() -> None:
            self.world.do(self.world.sign_in(self.page(number), user))

        self.loop.run_until_complete(start())

    @precondition(lambda self: sum(page.tab.alive for page in self.world.pages) < 3)
    @rule()
    def open(self) -> None:
        """One more tab."""
        self.loop.run_until_complete(self._call(self.world.open))

    @rule(kept=st.sampled_from([0.0, 0.5, 1.0]), is_written_down=st.booleans())
    def die(self, kept: float, is_written_down: bool) -> None:
        """The browser is killed, and started again with what its disk has."""

        async def restart() -> None:
            if is_written_down:
                self.world.browser.write_down()
            self.world.watch.may_reuse = True  # whatever was under way
            self.world.browser.die(kept=kept)
            self.world.open()

        self.loop.run_until_complete(restart())

    @rule(index=st.integers(0, 50))
    def cancel(self, index: int) -> None:
        """Somebody gives a request up."""
        if self.world.requests:
            self.loop.run_until_complete(
                self._call(self.world.requests[index % len(self.world.requests)].cancel)
            )

    @invariant()
    def nothing_broke(self) -> None:
        """Look at what the watch saw."""
        if hasattr(self, "world"):
            self.world.watch.check()

    def teardown(self) -> None:
        """Let everything end, and check what must hold then."""
        try:
            if hasattr(self, "world"):
                self.loop.run_until_complete(self._end())
        finally:
            self.loop.close()
            self.patch.undo()
            if hasattr(self, "world"):
                self.world.watch.close()

    async def _end(self) -> None:
        world = self.world
        world.server.on_refresh.clear()
        tasks = [*world.requests, *world.deeds]
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=LONGEST)
            all_live = all(page.tab.alive for page in world.pages)
            holds(4, not pending or not all_live, f"{len(pending)} never ended")
            for task in pending:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if not isinstance(result, asyncio.CancelledError | None):
                    world.watch.settled(result)
        world.browser.full = False
        await later(120)
        living = [page for page in world.pages if page.tab.alive]
        who = {
            page.auth._session._manager.session.id if page.auth._session._manager.session else None
            for page in living
        }
        # What can't be stored can't be shared: with a full store each tab goes on with what it has.
        holds(10, world.was_full or len(who) == 1, f"the tabs disagree on who is signed in: {who}")
        # Tokens that could not be stored die with their tab; the others wait for a sign-in, and risk nothing.
        died_with_the_only_tokens = world.was_full and len(living) < len(world.pages)
        if world.was_full:  # whoever lacks the tokens that could not be stored gets them at the next attempt
            for page in living:
                self.asked += 1
                await asyncio.wait([world.ask(page, self.asked, timeout=20)])
        world.server.expire()
        for page in living:
            if page.auth.signed_in:
                self.asked += 1
                try:
                    result: Any = await world.ask(page, self.asked, timeout=20)
                except SilentRefreshError as error:
                    result = error
                if page.auth.signed_in and not died_with_the_only_tokens:
                    good = isinstance(result, Response) and result.status == 200
                    holds(14, good, f"long after all faults: {result!r}")
        world.watch.check_in_the_end()


Story.TestCase.settings = settings(
    max_examples=STORIES,
    stateful_step_count=25,
    deadline=None,
    derandomize=not IS_SEARCH,
    suppress_health_check=list(HealthCheck),
)
TestAnyStory = Story.TestCase
