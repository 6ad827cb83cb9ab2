"""When a token is renewed ahead of time, by whose clock, and what if that fails: F60, F62, F63."""

from __future__ import annotations

import pytest

from silent_refresh import Client, NotSignedIn, SilentRefresh, Tokens
from silent_refresh.session.tokens import ASKED_ANEW, Session
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
async def test_f60_what_was_fresh_is_looked_at_again(set_back_by: float) -> None:
    """A moment later; at once when somebody set the clock back in that moment."""
    clock = VirtualClock()
    session = Session.begin(Tokens("access", "refresh", expires_in=100), generation=1, clock=clock)
    await later(74.99)
    assert not session.is_due(clock, leeway=30)

    clock.skew = -set_back_by
    await later(0.02 if set_back_by else ASKED_ANEW + 0.02)
    assert session.is_due(clock, leeway=30)
