"""Several APIs of one sign-in: an access token each, one refresh token that rotates for all, in all tabs."""

from __future__ import annotations

import itertools
from asyncio import gather
from typing import Any
from urllib.parse import parse_qs

import pytest

from silent_refresh import (
    Client,
    NotSignedIn,
    RefreshEndpoint,
    RefreshRejected,
    RefreshUnavailable,
    SilentRefresh,
)
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server, saying

REPORTS = "https://reports.example"


class Provider:
    """Gives tokens for one resource each, and rotates strictly; each API takes its own alone."""

    def __init__(self, server: Server) -> None:
        self.refresh_token = "refresh-0"
        self.reuses = 0
        self.asked: list[str] = []
        self.alive = True
        self.good: dict[str, str] = {}
        self.seen: dict[str, list[str | None]] = {}
        self._numbers = itertools.count(1)
        server.routes["/token"] = self._token
        server.routes["/api/me"] = self._api("main")
        for name in ("daily", "monthly"):
            server.routes[f"{REPORTS}/{name}"] = self._api(REPORTS)
        server.routes["https://other.example/x"] = self._api("other")

    def expire(self) -> None:
        """End all access tokens."""
        self.good.clear()

    async def _token(self, call: Call) -> Answer:
        form = {name: values[0] for name, values in parse_qs(call.body).items()}
        resource = form.get("resource") or form.get("scope") or "main"
        self.asked.append(resource)
        if not self.alive or form["refresh_token"] != self.refresh_token:
            self.reuses += self.alive
            return Answer(400, {"error": "invalid_grant"})
        number = next(self._numbers)
        self.refresh_token = f"refresh-{number}"
        self.good[resource] = f"{resource}-{number}"
        return Answer(
            200,
            {"access_token": self.good[resource], "refresh_token": self.refresh_token, "expires_in": 1800},
        )

    def _api(self, resource: str) -> Any:
        async def answer(call: Call) -> Answer:
            self.seen.setdefault(resource, []).append(call.token)
            is_good = call.token is not None and call.token == self.good.get(resource)
            return Answer(200 if is_good else 401, {})

        return answer


@pytest.fixture
def provider(server: Server) -> Provider:  # type: ignore[override]
    """Return the provider."""
    return Provider(server)


def open_page(tab: Tab) -> tuple[SilentRefresh, Client, Client]:
    auth, client = tab.sign(refresh=RefreshEndpoint.oauth2("/token", "my-page"))
    return auth, client, Client(REPORTS, auth=auth.for_resource(REPORTS))


async def sign_in(auth: SilentRefresh, provider: Provider) -> None:
    provider.good["main"] = "main-0"
    await auth.sign_in({"access_token": "main-0", "refresh_token": provider.refresh_token})


async def test_each_has_an_access_token_of_its_own(tab: Tab, provider: Provider) -> None:
    """One flight each, and none gets the other's token."""
    auth, client, reports = open_page(tab)
    await sign_in(auth, provider)

    for _ in range(2):
        answers = await gather(*(reports.get(name) for name in ["daily", "monthly"] * 5), client.get("me"))
        assert {200} == {answer.status for answer in answers}
        assert 1 == provider.asked.count(REPORTS)
    assert all(token is None or token.startswith(REPORTS) for token in provider.seen[REPORTS])
    assert all(token is not None and token.startswith("main") for token in provider.seen["main"])


async def test_the_refresh_token_rotates_for_all(tab: Tab, provider: Provider) -> None:
    """Whoever renews, the next one has what that brought; nothing is presented twice."""
    auth, client, reports = open_page(tab)
    other = Client("https://other.example", auth=auth.for_resource(scope="other"))
    await sign_in(auth, provider)

    for _ in range(4):
        provider.expire()
        answers = await gather(reports.get("daily"), client.get("me"), other.get("x"), reports.get("monthly"))
        assert [200] * 4 == [answer.status for answer in answers]
    assert 0 == provider.reuses
    assert [4, 4, 4] == [provider.asked.count(name) for name in (REPORTS, "main", "other")]


async def test_f14_in_all_tabs(tab: Tab, provider: Provider) -> None:
    """The lock and the record are the session's (F14)."""
    auth, client, reports = open_page(tab)
    await sign_in(auth, provider)
    await later(0.1)
    _, client_2, reports_2 = open_page(tab.browser.open("/other"))

    for _ in range(3):
        provider.expire()
        tab.browser.server.delay = lambda what: 0.05
        # Each tab has a token of its own for the second API: the later one's is what this server takes.
        answers = await gather(reports.get("daily"), client.get("me"), client_2.get("me"))
        answers += [await reports_2.get("daily")]
        assert {200} == {answer.status for answer in answers}
    assert 0 == provider.reuses


async def test_a_dead_one_ends_the_session_for_all(tab: Tab, provider: Provider) -> None:
    """Whichever API's renewal met it; the login is shown once."""
    auth, _, reports = open_page(tab)
    await sign_in(auth, provider)
    provider.alive = False

    with pytest.raises(RefreshRejected):
        await reports.get("daily")
    assert [False, 1] == [auth.signed_in, len(tab.gone_to)]
    with pytest.raises(NotSignedIn):
        await reports.get("daily")


async def test_a_server_that_is_down_keeps_all(tab: Tab, server: Server, provider: Provider) -> None:
    """And the other API goes on with the token that it has."""
    auth, client, reports = open_page(tab)
    await sign_in(auth, provider)
    server.routes["/token"] = saying(503)

    with pytest.raises(RefreshUnavailable):
        await reports.get("daily")
    assert 200 == (await client.get("me")).status
    assert auth.signed_in
    assert {None} == set(provider.seen[REPORTS])


async def test_another_users_token_is_another(tab: Tab, provider: Provider) -> None:
    """A late 401 of the first's is its caller's (F69), and the next one asks anew."""
    auth, _, reports = open_page(tab)
    await sign_in(auth, provider)
    assert 200 == (await reports.get("daily")).status
    provider.expire()
    waiting = gather(reports.get("daily"))
    await later(0.01)
    await sign_in(auth, provider)

    assert 401 == (await waiting)[0].status
    assert 200 == (await reports.get("daily")).status
    await auth.sign_out()
    with pytest.raises(NotSignedIn):
        await auth.for_resource(REPORTS).access_token()


async def test_one_resource_is_one(tab: Tab, provider: Provider) -> None:
    """However often it's asked for: a WebSocket's token is the client's."""
    auth, _, reports = open_page(tab)
    await sign_in(auth, provider)
    await reports.get("daily")

    assert provider.good[REPORTS] == await auth.for_resource(REPORTS).access_token()
    assert auth.for_resource(REPORTS).tokens is not None
    assert auth.for_resource("https://new.example").tokens is None


async def test_f75_the_token_goes_to_its_own_api_alone(tab: Tab, server: Server, provider: Provider) -> None:
    """Neither does the session's go there, nor this one elsewhere (F75)."""
    auth, client, reports = open_page(tab)
    await sign_in(auth, provider)
    await reports.get("https://other.example/x")
    await client.get(f"{REPORTS}/daily")

    assert [[None], [None]] == [provider.seen["other"], provider.seen[REPORTS]]


async def test_a_function_of_the_page_cannot_be_asked(tab: Tab) -> None:
    """Nobody knows where it would put the resource."""
    auth, _ = tab.sign(refresh=lambda tokens: tokens)

    with pytest.raises(ValueError, match="function of your own"):
        auth.for_resource(REPORTS)
