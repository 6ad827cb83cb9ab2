"""Whatever ends a renewal, or any other code of the page's: who waits is told, and the next request goes on.

Each kind of ending is sent through each place where code of the page runs; and a keyboard interrupt strikes
each callback of the event loop in turn, as Pyodide's interrupt buffer does.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from silent_refresh import (
    Client,
    MemoryStorage,
    RefreshError,
    RefreshUnavailable,
    Request,
    Response,
    SilentRefreshError,
    Tokens,
)
from silent_refresh.http.challenges import refuses_token
from tests.world.browser import TabStorage
from tests.world.page import LONGEST, PagesLoop, SimulatedPage, end_of

ENDINGS = [ZeroDivisionError, asyncio.CancelledError, SystemExit, KeyboardInterrupt]
# Before, an asynchronous generator in the middle of a wait, for the lock say, hears nothing of its end.
CLOSES_GENERATORS = sys.version_info >= (3, 13)


class Once:
    """Raises an error at its first call."""

    def __init__(self, ending: type[BaseException]) -> None:
        self.ending = ending
        self.is_over = False

    def __call__(self) -> None:
        if not self.is_over:
            self.is_over = True
            raise self.ending


@pytest.fixture
def simulated() -> Iterator[SimulatedPage]:
    """Return a page; nobody is signed in."""
    loop = PagesLoop()
    yield SimulatedPage(loop)
    loop.close()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("late", [False, True])
def test_f9_the_pages_refresh_function(
    simulated: SimulatedPage, ending: type[BaseException], late: bool
) -> None:
    """All who wait get an error of their own; the next request renews (F9)."""
    end = Once(ending)

    async def refresh(tokens: Tokens) -> Tokens:
        if late:
            await asyncio.sleep(1)
        end()
        return await simulated.refresh(tokens)

    simulated.sign(refresh=refresh)

    ends = simulated.ends(within=2.0)
    assert {True} == {isinstance(error, RefreshError) for error in ends}
    assert 5 == len({id(error) for error in ends})
    assert simulated.is_at_rest()
    assert [200, 200] == simulated.ends(2)


@pytest.mark.parametrize("ending", ENDINGS)
def test_f9_is_refused(simulated: SimulatedPage, ending: type[BaseException]) -> None:
    """The one request ends by it; the others are renewed (F9)."""
    end = Once(ending)

    def is_refused(response: Response) -> bool:
        end()
        return refuses_token(response)

    simulated.sign(is_refused=is_refused)

    ends = simulated.ends()
    assert [200] * 4 == [status for status in ends if status == 200]
    assert [ending] == [type(error) for error in ends if error != 200]
    assert simulated.is_at_rest()


@pytest.mark.parametrize("ending", ENDINGS)
def test_f9_login(simulated: SimulatedPage, ending: type[BaseException]) -> None:
    """Who waited is told; and at the end of the next session it is called again (F9)."""
    called = []

    def login(event: object) -> None:
        called.append(event)
        raise ending

    simulated.sign(login=login)
    for times in (1, 2):
        simulated.server.revoke()
        assert {"RefreshRejected"} == {type(error).__name__ for error in simulated.ends()}
        assert simulated.is_at_rest()
        assert times == len(called)
        simulated.sign_in()
    assert [200, 200] == simulated.ends(2)


@pytest.mark.parametrize("ending", ENDINGS)
def test_f9_login_when_nobody_is_signed_in(simulated: SimulatedPage, ending: type[BaseException]) -> None:
    """One request may end by it; all end (F9)."""
    end = Once(ending)
    simulated.sign(login=lambda event: end())
    simulated.loop.run(simulated.auth.sign_out())
    end.is_over = False

    assert 5 == len(simulated.ends())
    assert simulated.is_at_rest()


@pytest.mark.parametrize("ending", ENDINGS)
def test_f8_listeners(simulated: SimulatedPage, ending: type[BaseException]) -> None:
    """Each event strikes; nobody notices, another listener neither (F8)."""

    def strike(event: object) -> None:
        raise ending

    simulated.sign()
    heard: list[str] = []
    simulated.auth.listen(strike)
    simulated.auth.listen(lambda event: heard.append(event.name))

    assert [200] * 5 == simulated.ends()
    of_a_renewal = {"renewing-changed", "refresh-started", "refresh-done"}
    assert {"sent", "refused", "queued", *of_a_renewal, "replayed", "answered"} == set(heard)
    assert simulated.is_at_rest()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("before", [False, True])
def test_f8_interceptors(simulated: SimulatedPage, ending: type[BaseException], before: bool) -> None:
    """The one request ends by it (F8)."""
    end = Once(ending)

    async def strike(request: Request, send: Any) -> Response:
        if before:
            end()
        response: Response = await send(request)
        end()
        return response

    simulated.sign()
    simulated.client = Client("/api", auth=simulated.auth, interceptors=[strike])

    ends = simulated.ends()
    assert [200] * 4 == [status for status in ends if status == 200]
    assert [ending] == [type(error) for error in ends if error != 200]
    assert simulated.is_at_rest()


def store_that_ends(method: str, end: Once) -> MemoryStorage:
    """Return a store of the page's, whose ``method`` ends so."""

    class Store(MemoryStorage):
        pass

    def strike(self: MemoryStorage, *arguments: Any) -> Any:
        end()
        return getattr(MemoryStorage, method)(self, *arguments)

    setattr(Store, method, strike)
    end.is_over = True
    return Store()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("method", ["get", "set"])
def test_f9_a_store_of_the_pages(simulated: SimulatedPage, ending: type[BaseException], method: str) -> None:
    """Who waits is told, and tokens that it did not take live in memory (F9, F27)."""
    end = Once(ending)
    simulated.sign(store=store_that_ends(method, end))
    end.is_over = False

    ends = simulated.ends()
    assert end.is_over
    assert {True} == {end == 200 or isinstance(end, RefreshError) for end in ends}
    assert simulated.is_at_rest()
    assert [200, 200] == simulated.ends(2)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("method", ["get", "set", "remove"])
def test_f9_a_store_of_the_pages_at_a_sign_out(
    simulated: SimulatedPage, ending: type[BaseException], method: str
) -> None:
    """The user is signed out, whatever it says, and can sign in again (F9)."""
    end = Once(ending)
    simulated.sign(store=store_that_ends(method, end))
    end.is_over = False

    told = simulated.loop.run(simulated.auth.sign_out())
    assert end.is_over
    assert told is None or (type(told) is ending and not issubclass(ending, Exception))
    assert not simulated.auth.signed_in
    assert simulated.is_at_rest()
    simulated.sign_in()
    assert [200, 200] == simulated.ends(2)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("leaves", [False, True])
def test_f22_other_tabs_are_heard_after_that(
    simulated: SimulatedPage, ending: type[BaseException], leaves: bool
) -> None:
    """A sign-in or sign-out that a store has ended holds nobody's next one up (F9, F22)."""
    end = Once(ending)
    end.is_over = True

    class Store(TabStorage):
        def set(self, key: str, text: str) -> None:
            end()
            super().set(key, text)

    simulated.sign(store=Store(simulated.tab))
    end.is_over = False

    async def act() -> None:
        await (simulated.auth.sign_out() if leaves else simulated.auth.sign_in(simulated.server.sign_in()))

    told = simulated.loop.run(act())
    assert end.is_over
    assert told is None or (type(told) is ending and not issubclass(ending, Exception))
    assert simulated.is_at_rest()
    simulated.browser.full = True  # so that the journal alone tells

    async def sign_in_elsewhere() -> Tokens | None:
        auth, _ = simulated.browser.open().sign()
        await auth.sign_in(simulated.server.sign_in("bob"))
        return auth.tokens

    theirs = simulated.loop.run(sign_in_elsewhere())
    assert simulated.auth.tokens == theirs


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.021, 0.041, 0.05, 0.061, 0.081])
def test_f9_all_tasks_are_cancelled(simulated: SimulatedPage, moment: float) -> None:
    """A page may do that at any time; its own requests end so, and no other waits (F9, F71)."""
    simulated.sign()
    simulated.ask()
    simulated.loop.run_for(moment)
    for task in asyncio.all_tasks(simulated.loop):
        task.cancel()
    simulated.loop.run_for(LONGEST)

    assert simulated.is_at_rest()
    ends = simulated.ends(2)
    assert {True} == {end == 200 or isinstance(end, SilentRefreshError) for end in ends}
    assert simulated.is_at_rest()


def test_f39_a_renewal_that_never_ends_is_written_off(simulated: SimulatedPage) -> None:
    """Though it takes no cancelling: all who wait are told, and the next request renews (F39)."""
    hanging = True

    async def refresh(tokens: Tokens) -> Tokens:
        while hanging:
            try:
                await asyncio.sleep(1e6)
            except asyncio.CancelledError:
                continue
        return await simulated.refresh(tokens)

    simulated.sign(refresh=refresh, store=MemoryStorage())
    asked = simulated.loop.time()
    assert {RefreshUnavailable} == {type(end) for end in simulated.ends()}
    assert simulated.loop.time() - asked <= LONGEST
    assert not simulated.auth._session._renewal._in_flight  # type: ignore[attr-defined]


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.3])
def test_f9_the_sign_in_from_a_cookie(simulated: SimulatedPage, moment: float) -> None:
    """All tasks are cancelled meanwhile: who waits is told, and can try again (F9)."""
    simulated.sign_by_cookie(takes=0.5)
    asking = [simulated.loop.create_task(simulated.auth.refresh()) for _ in range(3)]
    simulated.loop.run_for(moment)
    for task in asyncio.all_tasks(simulated.loop) - set(asking[1:]):
        task.cancel()
    simulated.loop.run_for(LONGEST)

    told = {type(end_of(task)) for task in asking[1:]}
    assert told <= {RefreshUnavailable, type(None)}
    assert simulated.loop.run(simulated.auth.refresh()) is None
    assert simulated.auth.signed_in
    assert simulated.is_at_rest()


@pytest.fixture
def little_to_collect() -> Iterator[None]:
    """Let the collector look at nothing that was there before: it is called hundreds of times."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.filterwarnings(
    "ignore"
)  # of coroutines that never ran, and of generators in the middle of a wait
def test_f9_an_interrupt_strikes_the_loop(little_to_collect: None) -> None:
    """Each callback in turn is lost: the task that it was for may be, and nobody else waits for ever (F9)."""
    struck, was_struck = 0, True
    while was_struck:
        struck += 1
        with closing(PagesLoop()) as loop:
            simulated = SimulatedPage(loop)
            simulated.sign()
            loop.called, loop.strikes = 0, struck
            tasks = simulated.ask()
            loop.run_for(LONGEST)
            was_struck, loop.strikes = loop.called >= struck, 0
            ends = simulated.ends(2)

            assert sum(task.done() for task in tasks) >= 4, struck
            assert {True} == {end == 200 or isinstance(end, SilentRefreshError) for end in ends}, struck
            assert simulated.auth._session._limiter.active <= 1, struck  # type: ignore[attr-defined]
            assert simulated.browser.holder is None or not CLOSES_GENERATORS, struck
            del simulated, tasks
            gc.collect()  # what was lost ends here, and not in the middle of another test

    assert struck > 50


@pytest.mark.filterwarnings("ignore")
def test_f9_an_interrupt_strikes_the_loop_at_the_start(little_to_collect: None) -> None:
    """The journal is being asked meanwhile: nobody waits for an answer that was lost (F9)."""
    struck, was_struck = 0, True
    while was_struck:
        struck += 1
        with closing(PagesLoop()) as loop:
            simulated = SimulatedPage(loop)
            simulated.sign()
            simulated.tab = simulated.browser.open()
            simulated.browser.delay = lambda what: 0.01

            async def start(simulated: SimulatedPage = simulated, number: int = struck) -> None:
                simulated.loop.called, simulated.loop.strikes = 0, number
                simulated.auth, simulated.client = simulated.tab.sign()

            loop.run(start())
            was_struck, loop.strikes = loop.called >= struck, 0
            ends = simulated.ends(2)

            assert {True} == {end == 200 or isinstance(end, SilentRefreshError) for end in ends}, struck
            assert simulated.auth._session._limiter.active <= 1, struck  # type: ignore[attr-defined]
            del simulated
            gc.collect()

    assert struck > 3
