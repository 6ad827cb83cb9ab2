"""An error strikes each line of the library in turn: nobody waits for ever, and all goes on.

An interrupt may come anywhere, and so may the end of the memory.

``make test`` strikes each line in the first story that runs it; ``SOAK=1`` in each.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import silent_refresh
from silent_refresh import MemoryStorage, SilentRefreshError
from tests.world.page import LONGEST, PagesLoop, SimulatedPage

LIBRARY = str(Path(silent_refresh.__file__).parent)

Line = tuple[CodeType, int]


class Strike:
    """Comes before a line of the library's is run for the first time; ``None``: it notes which are."""

    def __init__(self, error: type[BaseException], line: Line | None = None) -> None:
        self._error = error
        self._line = line
        self.run: dict[Line, None] = {}

    def called(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._traced if frame.f_code.co_filename.startswith(LIBRARY) else None

    def _traced(self, frame: FrameType, event: str, argument: object) -> Any:
        line = frame.f_code, frame.f_lineno
        if event == "line":
            self.run[line] = None
            if line == self._line:  # Python traces no more then
                raise self._error
        return self._traced


async def ask(simulated: SimulatedPage) -> int:
    return (await simulated.client.get("things")).status


async def sign_in(simulated: SimulatedPage) -> None:
    await simulated.auth.sign_in(simulated.server.sign_in())


async def sign_out(simulated: SimulatedPage) -> None:
    await simulated.auth.sign_out()


def page(loop: PagesLoop) -> SimulatedPage:
    """Return a page; the token has expired."""
    simulated = SimulatedPage(loop)
    simulated.sign()
    return simulated


def page_in_memory(loop: PagesLoop) -> SimulatedPage:
    """Return one with a lock of its own."""
    simulated = SimulatedPage(loop)
    simulated.sign(store=MemoryStorage())
    return simulated


def page_with_a_queue(loop: PagesLoop) -> SimulatedPage:
    """Return one that lets two requests go at a time."""
    simulated = page(loop)
    simulated.auth._session._limiter.most = 2  # type: ignore[attr-defined]
    return simulated


def page_at_its_end(loop: PagesLoop) -> SimulatedPage:
    """Return one whose refresh token the server refuses."""
    simulated = page(loop)
    simulated.server.revoke()
    return simulated


def page_with_cookie(loop: PagesLoop) -> SimulatedPage:
    """Return one that has a cookie, and no token yet."""
    simulated = SimulatedPage(loop)
    simulated.sign_by_cookie()
    return simulated


STORIES = {
    "renewal": (page, ask),
    "memory": (page_in_memory, ask),
    "queue": (page_with_a_queue, ask),
    "end": (page_at_its_end, ask),
    "cookie": (page_with_cookie, ask),
    "sign-in": (page, sign_in),
    "sign-out": (page, sign_out),
}


def played(
    make: Callable[[PagesLoop], SimulatedPage],
    act: Callable[[SimulatedPage], Awaitable[Any]],
    error: type[BaseException] = KeyboardInterrupt,
    line: Line | None = None,
) -> tuple[list[Line], list[str]]:
    """Let three tasks act at once; return the lines that were run, and what isn't as it should be."""
    wrong = []
    with closing(PagesLoop()) as loop:
        loop.set_exception_handler(lambda loop, context: None)  # nobody asks what a task came to
        simulated = make(loop)
        strike = Strike(error, line)

        async def acts() -> None:
            await act(simulated)

        tasks = [loop.create_task(acts()) for _ in range(3)]
        sys.settrace(strike.called)
        try:
            loop.run_for(LONGEST)
        finally:
            sys.settrace(None)
        if not all(task.done() for task in tasks):
            wrong.append("somebody waits for ever")
        session: Any = simulated.auth._session
        if session._renewal._in_flight:
            wrong.append("a renewal stays under way")
        if session._limiter.active > 1:
            wrong.append("requests stay under way")
        if simulated.browser.holder:
            wrong.append("the lock stays held")
        ends = simulated.ends(2)
        if not all(end == 200 or isinstance(end, SilentRefreshError) for end in ends):
            wrong.append(f"the next two: {ends}")
        if not simulated.auth.signed_in:
            loop.run(sign_in(simulated))
        simulated.server.expire()
        if (ends := simulated.ends(2)) != [200, 200]:
            wrong.append(f"two later: {ends}")
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_for(1)
    return list(strike.run), wrong


def lines_of(story: str) -> list[Line]:
    """Return those to strike."""
    lines: dict[str, list[Line]] = {}
    for name, parts in STORIES.items():
        lines[name], wrong = played(*parts)
        assert not wrong
        if name == story:
            break
    own = lines.pop(story)
    before = set() if os.environ.get("SOAK") else {line for others in lines.values() for line in others}
    return [line for line in own if line not in before]


def where(line: Line) -> str:
    code, number = line
    return f"{Path(code.co_filename).relative_to(LIBRARY)}:{number} {code.co_qualname}"


@pytest.mark.filterwarnings("ignore")  # of coroutines that never ran
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("story", STORIES)
def test_f9_an_error_strikes_each_line(story: str, error: type[BaseException]) -> None:
    """Three tasks do the same; afterwards all is at rest, and an expired token is renewed (F9)."""
    lines = lines_of(story)
    assert len(lines) > 20
    found = {where(line): played(*STORIES[story], error, line)[1] for line in lines}
    gc.collect()  # what never ran ends here, and not in the middle of another test
    assert {} == {where: wrong for where, wrong in found.items() if wrong}
