"""How those who wait for a renewal go on: each by itself, in the order in which they came."""

from __future__ import annotations

import pytest


async def in_order(count):
    import asyncio

    from opened import auth

    seen = []

    async def wait(number):
        await auth.refresh()
        seen.append(number)

    await asyncio.gather(*map(wait, range(count)))
    return seen


async def before_the_loop_turns():
    import asyncio

    from opened import auth

    seen = []
    renewal = auth._session._renewal
    conclude = renewal._conclude

    async def conclude_and_note(*outcome):
        session = await conclude(*outcome)
        asyncio.get_running_loop().call_soon(seen.append, "loop")
        return session

    renewal._conclude = conclude_and_note
    await auth.refresh()
    seen.append("went on")
    await asyncio.sleep(0)
    return seen


async def with_one_that_blocks():
    import asyncio

    from opened import auth
    from pyodide.ffi import run_sync

    released = asyncio.Event()

    async def block():
        await auth.refresh()
        run_sync(asyncio.wait_for(released.wait(), 10))
        return "blocked"

    async def release():
        await auth.refresh()
        released.set()
        return "released"

    return await asyncio.gather(block(), release())


async def with_one_that_cancels():
    import asyncio

    from opened import auth

    async def cancel():
        await auth.refresh()
        return tasks[1].cancel()

    async def wait():
        await auth.refresh()
        return "went on"

    tasks = [asyncio.ensure_future(work()) for work in (cancel, wait, wait)]
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    return [end if isinstance(end, str | bool) else type(end).__name__ for end in ends]


def test_who_came_first_goes_on_first(page_session, lab):
    """Fifty wait for one renewal and go on in their order."""
    page_session.open(lab.sign_in())

    assert list(range(50)) == page_session.python(in_order, 50)
    assert 1 == lab.counters()["refresh"]


def test_they_go_on_before_the_loop_turns(page_session, lab):
    """What the loop was given before the renewal ended comes after them."""
    page_session.open(lab.sign_in())

    assert ["went on", "loop"] == page_session.python(before_the_loop_turns)


@pytest.mark.needs("stack switching")
def test_one_that_blocks_does_not_hold_up_the_others(page_session, lab):
    """Even when it waits, by run_sync, for something that the next one does."""
    page_session.open(lab.sign_in())

    assert ["blocked", "released"] == page_session.python(with_one_that_blocks)


def test_one_can_be_cancelled_in_the_moment_before_it_goes_on(page_session, lab):
    """It ends cancelled, as with a real Future; the next one doesn't notice (F70)."""
    page_session.open(lab.sign_in())

    assert [True, "CancelledError", "went on"] == page_session.python(with_one_that_cancels)
