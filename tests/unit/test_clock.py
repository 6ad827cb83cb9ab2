"""When a token is renewed ahead of time, by whose clock, and what if that fails: F60, F62, F63."""

from __future__ import annotations

import pytest

from silent_refresh import Client, NotSignedIn, SilentRefresh, Tokens
from silent_refresh.engine.renewal import ASKED_ANEW
from silent_refresh.session import tokens
from silent_refresh.session.tokens import Session
from tests.world.browser import Browser, Tab
from tests.world.loop import Stuck, VirtualClock, VirtualLoop, later
from tests.world.server import Server, saying


async def test_f63_a_failed_renewal_ahead_of_time_leaves_the_session_going(
    client: Client, server: Server
) -> None:
    """The token is good for half a minute yet."""
    await later(server.access_ttl - 20)
    server.on_refresh = [saying(503)] * 100

    assert 200 == (await client.get("me")).status
    before = server.refresh_calls
    assert 200 == (await client.get("me")).status
    assert before == server.refresh_calls


async def test_a_token_about_to_end_is_renewed_before_it_is_sent(client: Client, server: Server) -> None:
    """No 401 at all."""
    await later(server.access_ttl - 20)

    assert 200 == (await client.get("me", headers={"X-Request-ID": "1"})).status
    assert 1 == server.sent["1"]
    assert 1 == server.refreshes


async def test_f60_a_wrong_clock_neither_renews_too_often_nor_keeps_a_dead_token(
    tab: Tab, server: Server
) -> None:
    """The life of a token is counted from its arrival; the computer's date doesn't matter."""
    tab.clock.skew = -400 * 86400
    auth, client = tab.sign()
    await auth.sign_in(server.sign_in())

    assert 200 == (await client.get("me")).status
    assert 0 == server.refreshes

    tab.clock.skew = 0.0  # set right while the page lives: older by a year, and renewed once
    assert 200 == (await client.get("me")).status
    assert 200 == (await client.get("me")).status
    assert 1 == server.refreshes


def test_f62_no_timer_waits_for_the_end_of_a_token() -> None:
    """A browser slows timers down where nobody looks: signed in, the page waits for nothing at all."""
    loop = VirtualLoop()
    server = Server()
    auth, client = Browser(server).open().sign()

    async def renew_and_rest() -> int:
        await auth.sign_in(server.sign_in())
        server.expire()
        return (await client.get("me")).status

    assert 200 == loop.run_until_complete(renew_and_rest())
    now = loop.time()
    with pytest.raises(Stuck):
        loop.run_until_complete(loop.create_future())
    assert now == loop.time()
    loop.close()


async def test_access_token_returns_one_that_can_be_used(auth: SilentRefresh, server: Server) -> None:
    """For a WebSocket, say; renewed first when it is about to end."""
    with pytest.raises(NotSignedIn):
        await auth.access_token()
    await auth.sign_in(server.sign_in())
    await later(server.access_ttl - 5)

    assert "ada" == server.user_of(await auth.access_token())
    assert 1 == server.refreshes


@pytest.mark.parametrize("set_back_by", [0, 3600])
async def test_f60_what_was_fresh_is_looked_at_again(tab: Tab, server: Server, set_back_by: float) -> None:
    """A moment later; at once when somebody set the clock back in that moment."""
    server.access_ttl = 100
    auth, client = tab.sign(leeway=30)
    await auth.sign_in(server.sign_in())
    await later(74.99)
    assert 200 == (await client.get("me")).status
    assert 0 == server.refreshes

    tab.clock.skew = -set_back_by
    await later(0.02 if set_back_by else ASKED_ANEW + 0.02)
    assert 200 == (await client.get("me")).status
    assert 1 == server.refreshes


def due_after(session: Session, clock: VirtualClock, leeway: float = 30) -> float:
    """Return the seconds until a token is due."""
    due = session.time_until_due(clock, leeway)
    assert due is not None
    return due


async def test_sessions_of_one_minute_are_not_renewed_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is due at a time of its own, within a quarter of its token's life; in all its tabs the same."""
    monkeypatch.setattr(tokens, "SPREAD", 0.25)
    clock = VirtualClock()
    sessions = [
        Session.begin(Tokens("access", "refresh", expires_in=1000), generation=1, clock=clock)
        for _ in range(200)
    ]
    dues = [due_after(session, clock) for session in sessions]
    elsewhere = Session.from_json(sessions[0].to_json(), clock=clock)

    assert 970 - 250 <= min(dues) < 970 - 200
    assert 970 - 50 < max(dues) <= 970
    assert dues[0] == due_after(elsewhere, clock)
    await later(dues[0] - 0.01)
    assert not sessions[0].is_due(clock, leeway=30)
    await later(0.02)
    assert sessions[0].is_due(clock, leeway=30)


@pytest.mark.parametrize(("life", "leeway"), [(100, 30), (1000, 0)], ids=["a short life", "no leeway"])
async def test_what_is_renewed_at_its_end_stays_so(
    monkeypatch: pytest.MonkeyPatch, life: float, leeway: float
) -> None:
    """There is no time to be early in, or nobody wants it."""
    monkeypatch.setattr(tokens, "SPREAD", 0.25)
    clock = VirtualClock()
    session = Session.begin(Tokens("access", "refresh", expires_in=life), generation=1, clock=clock)

    assert life - min(leeway, life / 4) == due_after(session, clock, leeway)
