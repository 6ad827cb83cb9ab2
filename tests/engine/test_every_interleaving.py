"""Two tabs, two requests each, one fault: every order in which it can happen, as far as the first choices go.

Each time something takes a while (a write until the other tab sees it, a trip to the journal, the lock's way,
a message, the network's two ways) a choice is made between quick and slow. The first ``DEPTH`` choices are
tried in all combinations; ``SOAK=1`` goes deeper.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from silent_refresh import Response, SilentRefreshError
from tests.engine.faults import ALL, ENDS_THE_SESSION, World
from tests.engine.watch import Watch, holds
from tests.world.browser import Browser
from tests.world.loop import VirtualLoop, later
from tests.world.server import Call, Server

DEPTH = 13 if os.environ.get("SOAK") else 9
LONGEST = 110.0  # s within which a request ends: its own time-out thrice, and the wait for a renewal
# Seconds: quick and slow; what was seen in browsers, and what lets one overtake the other.
TAKES = {
    "storage": (0.0, 0.017),
    "journal": (0.001, 0.006),
    "lock": (0.0, 0.004),
    "channel": (0.001, 0.030),
    "there": (0.020, 0.045),
    "back": (0.020, 0.045),
}
explored = 0


class Choices:
    """Answers the questions "quick or slow?" with a given beginning, and quick from there on."""

    def __init__(self, beginning: tuple[int, ...]) -> None:
        self._beginning = beginning
        self.asked = 0
        self.begun = False

    def __call__(self, what: str) -> float:
        chosen = 0
        if self.begun:
            if self.asked < len(self._beginning):
                chosen = self._beginning[self.asked]
            self.asked += 1
        return TAKES[what][chosen]


def beginnings(depth: int = DEPTH) -> Iterator[tuple[int, ...]]:
    """Yield all combinations of the first choices."""
    for number in range(2**depth):
        yield tuple(number >> bit & 1 for bit in range(depth))


async def play(choices: Choices, fault: str, dpop: bool = False) -> None:
    """Play one round and check the invariants."""
    server = Server(delay=choices)
    browser = Browser(server, delay=choices)
    watch = Watch(server, browser)
    try:
        world = World(server, browser, watch, dpop=dpop)
        one, two = world.open(), world.open()
        await world.sign_in(one)
        await later(1)
        assert two.auth.signed_in

        async def strike(call: Call):  # type: ignore[no-untyped-def]
            return await ALL[fault](world, call)

        server.on_refresh = [strike]
        server.expire()
        choices.begun = True
        for number, page in enumerate((one, two, two, one)):
            world.ask(page, number, timeout=20)
        ended = await _end_of(world.requests, world)
        await _end_of(world.deeds, world)
        choices.begun = False

        for result in ended:
            watch.settled(result)
        _check_outcome(world, fault, ended)
        await _check_afterwards(world, fault)
        watch.check_in_the_end()
    finally:
        watch.close()


async def _end_of(tasks: list[asyncio.Task[object]], world: World) -> list[object]:
    if not tasks:
        return []
    _, pending = await asyncio.wait(tasks, timeout=LONGEST)
    alive = [task for task in pending if all(page.tab.alive for page in world.pages)]
    holds(4, not alive, f"{len(alive)} of {len(tasks)} never ended")
    for task in pending:  # a closed tab's: they'd wait for ever, as its page does
        task.cancel()
    return [await _outcome(task) for task in tasks if task not in pending and not task.cancelled()]


async def _outcome(task: asyncio.Task[object]) -> object:
    try:
        return await task
    except SilentRefreshError as error:
        return error
    except Exception as error:
        return error


def _check_outcome(world: World, fault: str, ended: list[object]) -> None:
    statuses = {result.status if isinstance(result, Response) else repr(result) for result in ended}
    if fault in ("nothing", "unavailable", "slow", "cancelled", "lost_before"):
        holds(15, statuses == {200}, f"{fault} became known to a request: {statuses}")
    if fault == "full":  # the other tab can't be given the new tokens, and may not use the old ones
        holds(18, 200 in statuses, f"a full store stopped the tab that renewed: {statuses}")
    for page in world.pages:
        holds(10, len(page.tab.gone_to) <= 1, f"a tab was sent away {len(page.tab.gone_to)} times")
    if fault not in ENDS_THE_SESSION:
        for page in world.pages:
            holds(10, page.auth.signed_in, f"{fault} ended the session")
            holds(10, not page.tab.gone_to, f"{fault} sent a tab away")


async def _check_afterwards(world: World, fault: str) -> None:
    """Once the fault is over, all living tabs go on, and agree on who is signed in."""
    await later(120)
    world.browser.full = False
    living = [page for page in world.pages if page.tab.alive]
    if fault == "frozen":  # its lock is free only when it's closed
        for page in world.pages:
            if not page.tab.alive:
                page.tab.kill()
    if fault == "full":  # whoever lacks the tokens that could not be stored gets them at the next attempt
        await _end_of([world.ask(page, 20 + n, timeout=20) for n, page in enumerate(living)], world)
    who = {
        page.auth._session._manager.session.id if page.auth._session._manager.session else None
        for page in living
    }
    holds(10, len(who) == 1, f"the tabs disagree on who is signed in after {fault}")
    world.server.expire()
    tasks = [world.ask(page, 10 + number, timeout=20) for number, page in enumerate(living)]
    results = await _end_of(tasks, world)
    for page, result in zip(living, results, strict=True):
        world.watch.settled(result)
        if page.auth.signed_in:
            holds(14, isinstance(result, Response) and result.status == 200, f"after {fault}: {result!r}")


@pytest.mark.parametrize("fault", ALL)
def test_with_keys_it_keeps_them_too(fault: str) -> None:
    """Where tokens are bound to a key, no request leaves without its proof, nor with another's."""
    for beginning in beginnings(DEPTH - 4):
        _run(beginning, fault, dpop=True)


def _run(beginning: tuple[int, ...], fault: str, *, dpop: bool) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(play(Choices(beginning), fault, dpop))
    except BaseException as error:
        error.add_note(f"fault {fault}, choices {beginning}")
        raise
    finally:
        loop.close()


@pytest.mark.parametrize("fault", ALL)
def test_every_interleaving_keeps_the_invariants(fault: str) -> None:
    """No choice of quick and slow breaks one."""
    global explored
    for beginning in beginnings():
        _run(beginning, fault, dpop=False)
        explored += 1


def test_the_number_of_interleavings_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The search was as wide as it claims to be."""
    assert explored == len(ALL) * 2**DEPTH
    with capsys.disabled():
        print(f"\n{explored} interleavings explored exhaustively: {len(ALL)} faults × 2^{DEPTH} choices")
