"""A request that a way in has sent by itself, and that was refused: the engine goes on with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from silent_refresh import Client, Headers, RefreshRejected, Request, Response, SilentRefresh
from silent_refresh.auth import session_of
from silent_refresh.engine.access import Refused
from tests.world.browser import Tab
from tests.world.server import Server

REQUEST = Request("GET", "/api/me", headers=Headers({"X-Request-ID": "1"}))
Resume = Callable[[str, str], Awaitable[Response]]


@pytest.fixture
def resume(client: Client, auth: SilentRefresh, tab: Tab) -> Resume:
    """Return what goes on with a request that was sent with this token, of this session."""

    async def resume(access_token: str, session: str) -> Response:
        refused = Refused(Response(401, Headers(), REQUEST.url, REQUEST), access_token, session)
        return await session_of(auth).send(REQUEST, tab.send, refused)

    return resume


def session_now(auth: SilentRefresh) -> tuple[str, str]:
    """Return the token, and the session's id, that an adapter would send with."""
    access = session_of(auth).access()
    assert access.credential is not None
    assert access.session is not None
    return access.credential.token, access.session


async def test_it_is_renewed_and_sent_once(auth: SilentRefresh, server: Server, resume: Resume) -> None:
    """Its first sending was outside; one more is all that it gets (F1)."""
    sent_with = session_now(auth)
    server.expire()

    assert 200 == (await resume(*sent_with)).status
    assert (1, 1) == (server.refreshes, server.sent["1"])


async def test_a_late_one_is_sent_with_the_newest_token(
    auth: SilentRefresh, server: Server, resume: Resume
) -> None:
    """Somebody renewed in the meantime: no second refresh, and nobody is signed out (F2)."""
    sent_with = session_now(auth)
    server.expire()
    await auth.refresh()

    assert 200 == (await resume(*sent_with)).status
    assert (1, 1) == (server.refreshes, server.sent["1"])
    assert auth.signed_in


async def test_one_of_another_session_is_its_callers(
    auth: SilentRefresh, server: Server, resume: Resume
) -> None:
    """It is never sent for whoever signed in since (F69)."""
    sent_with = session_now(auth)
    await auth.sign_in(server.sign_in("bob"))

    assert 401 == (await resume(*sent_with)).status
    assert 0 == server.sent["1"]


async def test_one_of_a_dead_session_is_told_so(auth: SilentRefresh, server: Server, resume: Resume) -> None:
    """What the server said of the session is what its late requests hear (F6)."""
    sent_with = session_now(auth)
    server.expire()
    server.revoke()
    with pytest.raises(RefreshRejected):
        await resume(*sent_with)

    with pytest.raises(RefreshRejected):
        await resume(*sent_with)
    assert 1 == server.refresh_calls
