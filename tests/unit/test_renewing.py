"""``auth.renewing``: a spinner that is right in every tab."""

from __future__ import annotations

import asyncio

import pytest

from silent_refresh import (
    Client,
    MemoryStorage,
    NetworkError,
    RefreshEndpoint,
    SessionChanged,
    SilentRefresh,
)
from tests.world.browser import Browser, Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server, saying, silence

TAKES = 3.0  # s that the server needs for a renewal


class Spinner:
    """What a page shows, changed by events alone; ``seen`` lists each change."""

    def __init__(self, auth: SilentRefresh) -> None:
        self._auth = auth
        self.seen: list[bool] = [auth.renewing]
        self.stop = auth.listen(self._show, "renewing-changed")

    def _show(self, event: object) -> None:
        self.seen.append(self._auth.renewing)


@pytest.fixture
async def slow(server: Server) -> Server:
    """Let each renewal take its time."""

    async def refresh(call: Call) -> Answer:
        await later(TAKES)
        return await server.refresh(call)

    server.on_refresh = [refresh] * 9
    return server


@pytest.fixture
async def tabs(browser: Browser, slow: Server) -> list[Tab]:
    """Return three tabs; each has a session, and the demo user is signed in."""
    return [browser.open() for _ in range(3)]


async def opened(tabs: list[Tab], server: Server) -> tuple[list[SilentRefresh], list[Client]]:
    auths, clients = zip(*(tab.sign() for tab in tabs), strict=True)
    await auths[0].sign_in(server.sign_in())
    await later(1)
    return list(auths), list(clients)


async def test_every_tab_shows_a_renewal_of_one(tabs: list[Tab], slow: Server) -> None:
    """On while it is under way, off after it; each tab is told twice."""
    auths, clients = await opened(tabs, slow)
    spinners = [Spinner(auth) for auth in auths]
    slow.expire()
    asking = asyncio.ensure_future(clients[0].get("me"))
    await later(TAKES / 2)

    assert [True] * 3 == [auth.renewing for auth in auths]
    assert 200 == (await asking).status
    await later(0.1)
    assert [False] * 3 == [auth.renewing for auth in auths]
    assert [[False, True, False]] * 3 == [spinner.seen for spinner in spinners]


async def test_tabs_that_wait_for_each_other_blink_once(tabs: list[Tab], slow: Server) -> None:
    """All of them ask at once: one refresh, and one spell of spinning in each."""
    auths, clients = await opened(tabs, slow)
    spinners = [Spinner(auth) for auth in auths]
    slow.expire()
    await asyncio.gather(*(client.get(f"items/{n}") for client in clients for n in range(5)))
    await later(0.1)

    assert 1 == slow.refreshes
    assert [[False, True, False]] * 3 == [spinner.seen for spinner in spinners]


async def test_a_good_request_shows_nothing(tabs: list[Tab], slow: Server) -> None:
    """Nobody is told anything while the token is good."""
    auths, clients = await opened(tabs, slow)
    spinners = [Spinner(auth) for auth in auths]
    await asyncio.gather(*(client.get("me") for client in clients))

    assert [[False]] * 3 == [spinner.seen for spinner in spinners]


async def test_a_tab_that_is_killed_leaves_no_spinner_on(
    browser: Browser, tabs: list[Tab], slow: Server
) -> None:
    """The others show none from that moment on, long before the renewal would have been given up."""
    auths, clients = await opened(tabs, slow)
    slow.on_refresh = [silence]
    slow.expire()
    asking = asyncio.ensure_future(clients[0].get("me", timeout=None))
    await later(1)
    before = [auth.renewing for auth in auths]
    tabs[0].kill()
    await later(0.1)

    assert [True] * 3 == before
    assert [False] * 2 == [auth.renewing for auth in auths[1:]]
    asking.cancel()


async def test_a_tab_that_comes_later_shows_it(browser: Browser, tabs: list[Tab], slow: Server) -> None:
    """It finds what is under way, though it heard nobody tell of it."""
    _, clients = await opened(tabs, slow)
    slow.expire()
    asking = asyncio.ensure_future(clients[0].get("me"))
    await later(TAKES / 2)
    auth, _ = browser.open().sign()
    await later(0.1)

    assert auth.renewing
    await asking
    await later(0.1)
    assert not auth.renewing


@pytest.mark.parametrize("status", [401, 500, None])
async def test_a_renewal_that_fails_is_over_as_well(
    tabs: list[Tab], slow: Server, status: int | None
) -> None:
    """Refused, out of order, or without a network."""
    auths, clients = await opened(tabs, slow)
    spinners = [Spinner(auth) for auth in auths]
    slow.on_refresh = [saying(status, {"error": "invalid_grant"})] * 3 if status else []
    slow.expire()
    if status is None:
        slow.reachable = False
        asking = asyncio.ensure_future(auths[0].refresh())
    else:
        asking = asyncio.ensure_future(clients[0].get("me"))
    await asyncio.wait({asking})
    await later(0.1)

    assert isinstance(asking.exception(), Exception)
    assert not isinstance(asking.exception(), NetworkError)
    assert [[False, True, False]] * 3 == [spinner.seen for spinner in spinners]


@pytest.mark.parametrize("ends", ["sign_out", "close"])
async def test_what_ends_the_session_ends_it_too(tabs: list[Tab], slow: Server, ends: str) -> None:
    """Who waited is told, and nothing spins."""
    auths, clients = await opened(tabs, slow)
    slow.expire()
    asking = asyncio.ensure_future(clients[0].get("me"))
    await later(TAKES / 2)
    if ends == "close":
        auths[0].close()
    else:
        await auths[1].sign_out()
    await later(0.1)

    assert [False] * 3 == [auth.renewing for auth in auths]
    with pytest.raises(SessionChanged):
        await asking


async def test_all_of_one_page_know_of_one_another(tab: Tab, slow: Server) -> None:
    """A second ``auth``, and one for another API: they are one session's."""
    one, client = tab.sign()
    await one.sign_in(slow.sign_in())
    two, _ = tab.sign()
    other = one.for_resource(scope="reports")
    spinners = [Spinner(auth) for auth in (one, two, other)]
    slow.expire()
    await client.get("me")
    await other.refresh()
    await later(0.1)

    assert [[False, True, False, True, False]] * 3 == [spinner.seen for spinner in spinners]


async def test_another_applications_session_is_another(browser: Browser, slow: Server) -> None:
    """Two at one origin don't show each other's; nor does a store that no other tab sees."""
    one, client = browser.open().sign()
    other, _ = browser.open().sign(refresh=RefreshEndpoint.oauth2("/token", "other"))
    alone, _ = browser.open().sign(store=MemoryStorage())
    await one.sign_in(slow.sign_in())
    slow.expire()
    asking = asyncio.ensure_future(client.get("me"))
    await later(TAKES / 2)

    assert [True, False, False] == [auth.renewing for auth in (one, other, alone)]
    await asking


async def test_who_listens_for_other_names_hears_of_no_request(client: Client, auth: SilentRefresh) -> None:
    """So that a spinner doesn't lead each call of ``install()`` through Python."""
    everything: list[str] = []
    stop_one = auth.listen(lambda event: None, "renewing-changed", "signed-out")
    assert auth._session.access().credential is not None
    stop_all = auth.listen(lambda event: everything.append(event.name))
    assert auth._session.access().credential is None
    await client.get("me")
    await later(0)
    stop_all()

    assert ["sent", "answered"] == everything
    assert auth._session.access().credential is not None
    stop_one()
    with pytest.raises(ValueError, match="'renewed'"):
        auth.listen(print, "renewed")  # type: ignore[arg-type]
