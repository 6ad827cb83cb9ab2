"""Timers in a real browser: throttled where nobody looks, and overflowing when they are long; row F62."""

from __future__ import annotations

import pytest

from tests.e2e.page_session import PageSession

# A page in the background has its timers slowed down, to once a minute say; these never fire at all.
# Those that end what hangs are let alone, this test's own among them.
STOP_TIMERS = """() => {
    const setTimeout = window.setTimeout;
    window.setTimeout = (callback, delay) => (delay >= 10_000 ? setTimeout(callback, delay) : 0);
}"""
DAY = 24 * 3600.0  # s
OVERFLOWING = 25 * DAY  # 2³¹ ms are 24.9 days


def test_a_renewal_needs_no_timer(fresh_page, lab):
    """The refresh is made when a request asks for it: late timers make nothing late (F62)."""
    session = PageSession(fresh_page())
    session.open(lab.sign_in())
    session.page.evaluate(STOP_TIMERS)
    for refreshes in (1, 2):
        lab.expire()
        assert [200] * 5 == session.get(*["profile"] * 5)
        assert refreshes == lab.counters()["refresh"]


async def read_slowly(timeouts):
    from opened import client

    return [(await client.get("profile", timeout=timeout)).status for timeout in timeouts]


def test_a_long_timeout_is_long(session, lab):
    """What a browser's timer can't hold would fire at once (F62)."""
    lab.api(delay=0.2, times=3)

    assert [200] * 3 == session.python(read_slowly, [OVERFLOWING, 365 * DAY, 1e300])


@pytest.mark.parametrize("seconds", [OVERFLOWING, 365 * DAY, 1e300])
def test_a_long_deadline_of_a_refresh_is_long(session, lab, seconds):
    """So is that of the wait for the lock (F62)."""
    session.open(timeout=seconds)
    lab.refresh(delay=0.2)
    lab.expire()

    assert [200] == session.get("profile")
    assert 1 == lab.counters()["refresh"]


@pytest.mark.parametrize("seconds", [OVERFLOWING, 9 * 365 * DAY])
def test_a_token_of_a_long_life_is_not_renewed(session, lab, seconds):
    """Its end is looked at when it is sent, and nothing waits for it (F53, F62)."""
    session.open({**lab.sign_in(), "expiresIn": seconds})

    assert [200] * 2 == session.get("profile", "notes")
    assert 0 == lab.counters()["refresh"]
