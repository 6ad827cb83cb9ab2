"""A session that the page ends by its own clock: so long after its sign-in, or after its last request."""

from __future__ import annotations

import asyncio
import json

import pytest

from silent_refresh import Event, NotSignedIn, RefreshEndpoint, SessionChanged, SilentRefresh
from silent_refresh.session.journal import from_text
from tests.world.browser import Browser, Tab
from tests.world.loop import later
from tests.world.server import Server

HOUR = 3600.0


def revoking() -> RefreshEndpoint:
    """Return the endpoint of a server that can be told of a sign-out."""
    return RefreshEndpoint.article(revoke="/logout")


def is_gone(browser: Browser) -> bool:
    """Tell whether neither the storage nor the journal has a session."""
    [entry] = [from_text(text) for text in browser.journal.values()]
    return not browser.stored.get("silent-refresh") and entry is not None and entry.ended


async def test_a_session_that_nobody_uses_ends(tab: Tab, browser: Browser, server: Server) -> None:
    """Here, in the storage, in the journal, at the server; the page is at the login, which is told why."""
    auth, client = tab.sign(refresh=revoking(), idle=900.0)
    told: list[Event] = []
    auth.listen(told.append)
    await auth.sign_in(server.sign_in())
    await later(800)
    await client.get("me")
    await later(800)
    assert auth.signed_in

    await later(110)
    assert not auth.signed_in
    assert is_gone(browser)
    assert 1 == len(server.revoked)
    assert ["/login?next=%2Forders%3Fpage%3D2&reason=idle"] == [
        url.removeprefix("https://app.example") for url in tab.gone_to
    ]
    assert ["idle"] == [event.reason for event in told if event.name == "signed-out"]


async def test_without_an_end_it_goes_on(tab: Tab, server: Server) -> None:
    """Both are off unless somebody asks for them."""
    auth, _ = tab.sign()
    await auth.sign_in(server.sign_in())
    await later(300 * HOUR)

    assert auth.signed_in


async def test_use_does_not_move_the_greatest_age(tab: Tab, browser: Browser, server: Server) -> None:
    """Nor do renewals."""
    auth, client = tab.sign(max_age=12 * HOUR)
    await auth.sign_in(server.sign_in())
    for _ in range(11):
        await later(HOUR)
        await auth.refresh()
        await client.get("me")
    assert auth.signed_in

    await later(HOUR)
    assert not auth.signed_in
    assert is_gone(browser)


@pytest.mark.parametrize("option", ["max_age", "idle"])
async def test_it_ends_when_the_next_page_starts(
    tab: Tab, browser: Browser, server: Server, option: str
) -> None:
    """Nobody had one open meanwhile: no request leaves with its token, and it doesn't come back."""
    auth, _ = tab.sign(**{option: HOUR})
    await auth.sign_in(server.sign_in())
    browser.write_down()
    browser.die()
    await later(2 * HOUR)
    server.calls.clear()

    after = browser.open("/orders")
    auth, client = after.sign(**{option: HOUR})
    with pytest.raises(NotSignedIn):
        await client.get("me")
    await later(10)

    assert not auth.signed_in
    assert is_gone(browser)
    assert [None] == [call.token for call in server.calls]
    browser.die()
    again, _ = browser.open().sign()
    await again.restored()
    assert not again.signed_in


async def test_use_in_one_tab_counts_in_all(browser: Browser, server: Server) -> None:
    """Whoever works in one is not signed out by another one, which nobody looks at."""
    one, other = browser.open("/one"), browser.open("/other")
    auth, client = one.sign(idle=900.0)
    idle, _ = other.sign(idle=900.0)
    await auth.sign_in(server.sign_in())
    for _ in range(10):
        await later(600)
        await client.get("me")

    assert auth.signed_in
    assert idle.signed_in
    assert [] == one.gone_to + other.gone_to


@pytest.mark.parametrize("noted", ["1e300", "-1", "nan", "[]", "9" * 400, ""])
async def test_no_date_that_somebody_wrote_keeps_it(
    tab: Tab, browser: Browser, server: Server, noted: str
) -> None:
    """One of the future is none, nor is what can't be read."""
    auth, _ = tab.sign(idle=900.0)
    await auth.sign_in(server.sign_in())
    [key] = [key for key in browser.stored if ":used:" in key]
    tab.store.set(key, noted)
    await later(1000)

    assert not auth.signed_in


async def test_what_waits_is_told(tab: Tab, server: Server) -> None:
    """A request that waits for a renewal at the end gets ``SessionChanged``."""
    auth, client = tab.sign(max_age=HOUR, timeout=100.0)
    await auth.sign_in(server.sign_in())
    await later(HOUR - 5)
    server.expire()
    server.delay = lambda way: 10.0
    waiting = asyncio.ensure_future(client.get("me"))

    with pytest.raises(SessionChanged, match="max_age"):
        await waiting


async def test_the_record_tells_when_the_session_began(tab: Tab, browser: Browser, server: Server) -> None:
    """A renewal keeps it; a date behind the renewal's was made up."""
    auth, _ = tab.sign()
    await auth.sign_in(server.sign_in())
    began_at = json.loads(browser.stored["silent-refresh"])["began_at"]
    await later(60)
    await auth.refresh()

    assert began_at == json.loads(browser.stored["silent-refresh"])["began_at"]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_an_end_that_makes_no_sense_is_refused(tab: Tab, seconds: float) -> None:
    """It is a number of seconds above zero."""
    for option in ("max_age", "idle"):
        with pytest.raises(ValueError, match="seconds above 0"):
            SilentRefresh(platform=tab.platform, **{option: seconds})  # type: ignore[arg-type]
