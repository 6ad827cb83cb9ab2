"""The options of fetch that ``Client`` takes."""

from __future__ import annotations

import pytest

from silent_refresh import Client, Request
from tests.world.browser import Tab
from tests.world.server import Server


@pytest.fixture
def sent(tab: Tab) -> list[Request]:
    """Return the requests that leave the page."""
    requests: list[Request] = []
    tab.browser.sent = lambda tab, request: requests.append(request)
    return requests


async def test_they_are_handed_on_under_fetchs_names(client: Client, sent: list[Request]) -> None:
    """One call's are that call's, and also those of what is streamed."""
    await client.get("me", redirect="error", cache="no-store", referrer_policy="no-referrer")
    async with client.stream("GET", "me", keepalive=True, priority="low"):
        pass
    await client.get("me")

    assert [
        {"redirect": "error", "cache": "no-store", "referrerPolicy": "no-referrer"},
        {"keepalive": True, "priority": "low"},
        None,
    ] == [request.options for request in sent]


async def test_they_go_with_the_replay_too(client: Client, sent: list[Request], server: Server) -> None:
    """A request that is sent again follows no more redirects than before."""
    server.expire()
    await client.get("me", redirect="error")

    asked = [request.options for request in sent if request.url.endswith("/me")]
    assert [{"redirect": "error"}] * 2 == asked


async def test_what_fetch_has_not_is_refused(client: Client, sent: list[Request]) -> None:
    """With its name, and before anything is sent."""
    with pytest.raises(TypeError, match="allow_redirects"):
        await client.get("me", allow_redirects=False)
    with pytest.raises(TypeError, match="allow_redirects"):
        async with client.stream("GET", "me", allow_redirects=False):
            pass

    assert [] == sent
