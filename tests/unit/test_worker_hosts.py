"""A worker without a page of its own, of a notebook say: the journal is all that keeps its session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from silent_refresh import Client, NotSignedIn, SessionChanged, SilentRefresh
from silent_refresh.session.memory import JournalStorage
from tests.world.browser import Browser, TabCoordinator
from tests.world.loop import later
from tests.world.server import Server

Act = Callable[[SilentRefresh, Client], Awaitable[None]]


class OfOneWorker(JournalStorage):
    """The same to nobody else: here all tabs and workers are in one Python."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def start_worker(browser: Browser) -> tuple[SilentRefresh, Client]:
    """Start one, and make its session."""
    return browser.open("/").sign(store=OfOneWorker(), login=None)


async def user_of(client: Client) -> str:
    """Ask who is signed in."""
    return str((await (await client.get("me", timeout=20)).raise_for_status().json())["user"])


@pytest.mark.parametrize("pause", [0, 2, 500])
async def test_f90_its_renewed_session_survives_the_browser(
    browser: Browser, server: Server, pause: float
) -> None:
    """However long after (F90)."""
    auth, client = start_worker(browser)
    await auth.sign_in(server.sign_in())
    server.expire()
    assert "ada" == await user_of(client)
    await later(pause)
    browser.die()

    assert "ada" == await user_of(start_worker(browser)[1])
    assert (1, 0) == (server.refreshes, server.reuses)


async def test_f91_its_sign_out_does_too(browser: Browser, server: Server) -> None:
    """Nobody comes back who left, neither here nor in a page (F91)."""
    auth, _ = start_worker(browser)
    await auth.sign_in(server.sign_in())
    await auth.sign_out()
    browser.die(kept=1.0)

    for _, client in (start_worker(browser), browser.open().sign()):
        with pytest.raises(NotSignedIn):
            await user_of(client)


async def test_pages_and_workers_share_one_session(browser: Browser, server: Server) -> None:
    """Whoever signs in, renews or signs out; one refresh for all."""
    page, of_page = browser.open().sign()
    worker, of_worker = start_worker(browser)
    _, of_another = start_worker(browser)
    await worker.sign_in(server.sign_in())
    await later(1)  # until they have heard
    clients = [of_page, of_worker, of_another]
    assert ["ada"] * 3 == [await user_of(client) for client in clients]

    for client in (of_another, of_page, of_worker):
        server.expire()
        assert "ada" == await user_of(client)
        assert ["ada"] * 3 == [await user_of(one) for one in clients]
    assert (3, 0) == (server.refreshes, server.reuses)

    await page.sign_in(server.sign_in("bob"))
    await later(1)
    assert ["bob"] * 3 == [await user_of(client) for client in clients]

    await page.sign_out()
    await later(1)
    for client in clients:
        with pytest.raises((NotSignedIn, SessionChanged)):
            await user_of(client)
    assert not worker.signed_in


async def test_a_worker_that_starts_long_after_has_the_pages_session(
    browser: Browser, server: Server
) -> None:
    """Its record is in the pages' storage, where no worker can look."""
    await browser.open().sign()[0].sign_in(server.sign_in())
    await later(500)

    assert "ada" == await user_of(start_worker(browser)[1])


async def access_token(auth: SilentRefresh, client: Client) -> None:
    """Ask for the token."""
    await auth.access_token()


async def refresh(auth: SilentRefresh, client: Client) -> None:
    """Renew it."""
    await auth.refresh()


async def ensure_signed_in(auth: SilentRefresh, client: Client) -> None:
    """Ask whether somebody is signed in."""
    assert await auth.ensure_signed_in()


async def send_request(auth: SilentRefresh, client: Client) -> None:
    """Send a request."""
    assert "ada" == await user_of(client)


@pytest.mark.parametrize("act", [access_token, refresh, ensure_signed_in, send_request])
@pytest.mark.parametrize("is_worker", [False, True])
async def test_a_sign_in_elsewhere_counts_though_its_messages_are_late(
    browser: Browser, server: Server, act: Act, is_worker: bool
) -> None:
    """On a busy machine they come after the next request; a page would go to the login, a worker raise."""
    page, _ = browser.open().sign()
    other = browser.open()
    auth, client = other.sign(store=OfOneWorker(), login=None) if is_worker else other.sign(login=None)
    await auth.restored()
    assert not auth.signed_in
    other.storage_listeners.clear()
    browser.delay = lambda what: 60.0 if what == "channel" else 0.0
    await page.sign_in(server.sign_in())
    await later(1)  # until the storage shows it

    await act(auth, client)
    assert auth.signed_in


async def test_a_journal_that_breaks_is_no_requests_error(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks it once more is told that nobody is signed in, as at the start."""
    auth, client = start_worker(browser)
    await auth.restored()

    async def broken(_: TabCoordinator) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(TabCoordinator, "read_journal", broken)
    with pytest.raises(NotSignedIn):
        await user_of(client)
    assert "the journal could not be made use of" in caplog.text


async def test_f96_who_clears_a_pages_storage_signs_the_worker_out(browser: Browser, server: Server) -> None:
    """The page that is open sees it (F96)."""
    tab = browser.open()
    page, _ = tab.sign()
    await page.sign_in(server.sign_in())
    worker, of_worker = start_worker(browser)
    assert "ada" == await user_of(of_worker)

    browser.stored.clear()
    tab.view.clear()
    for changed in tab.storage_listeners:
        changed()
    await later(3)
    assert [False, False] == [page.signed_in, worker.signed_in]
