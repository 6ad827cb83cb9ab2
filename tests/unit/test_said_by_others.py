"""What another page of this origin says, in a message or by a mark, about a session that isn't this one.

It may be mad: neither is it believed about this session, nor does it hold this one back.
"""

from __future__ import annotations

import pytest

from silent_refresh import SilentRefresh
from silent_refresh.platform.values import JournalEntry, Mark
from silent_refresh.session.journal import newest
from silent_refresh.session.manager import SessionManager
from tests.world.browser import Browser, Tab, TabCoordinator
from tests.world.loop import later
from tests.world.server import Server

FOREIGN = "another's"


@pytest.fixture
async def signed_in(auth: SilentRefresh, server: Server, tab: Tab) -> SessionManager:
    """Return the manager of a page where ``ada`` is signed in."""
    await auth.sign_in(server.sign_in())
    manager: SessionManager = auth._session._manager  # type: ignore[attr-defined]
    return manager


def mark_all(monkeypatch: pytest.MonkeyPatch, mark: Mark) -> None:
    """Let the database hold a mark without a record, as a version without a journal writes it."""
    read = TabCoordinator.read_journal

    async def read_with_mark(coordinator: TabCoordinator) -> JournalEntry | None:
        return newest(await read(coordinator), mark)

    monkeypatch.setattr(TabCoordinator, "read_journal", read_with_mark)


@pytest.mark.parametrize("ended", [False, True])
async def test_a_message_about_another_session_holds_nobody_back(
    signed_in: SessionManager, browser: Browser, ended: bool
) -> None:
    """One about this session does: then its token is renewed already, and can't be seen here yet."""
    session = signed_in.session
    assert session is not None
    other = TabCoordinator(browser.open(), "")

    other.announce(Mark(session.generation + 1, FOREIGN, ended))
    await browser.all_heard.wait()
    assert not signed_in.is_behind(session)

    other.announce(Mark(session.generation + 1, session.id, ended=False))
    await browser.all_heard.wait()
    assert signed_in.is_behind(session)


@pytest.mark.parametrize("ended", [False, True])
async def test_a_mark_of_another_session_ends_nothing_and_holds_nobody_back(
    signed_in: SessionManager,
    auth: SilentRefresh,
    server: Server,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    ended: bool,
) -> None:
    """However large its generation is, and though this session has no entry of its own yet."""
    browser.journal.clear()
    mark_all(monkeypatch, Mark(10**15, FOREIGN, ended))
    await auth.refresh()
    await later(1)

    assert auth.signed_in
    assert signed_in.session is not None
    assert not signed_in.is_behind(signed_in.session)
    assert 1 == server.refreshes


async def test_a_mark_of_another_session_hides_no_sign_out(
    signed_in: SessionManager, auth: SilentRefresh, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal holds the end, or a browser that dies would come back signed in."""
    browser.journal.clear()
    with monkeypatch.context() as marked:
        mark_all(marked, Mark(10**15, FOREIGN, ended=False))
        await auth.sign_out()

    [entry] = [await TabCoordinator(browser.tabs[0], owner).read_journal() for owner in browser.journal]
    assert entry is not None
    assert entry.ended
