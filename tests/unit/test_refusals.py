"""APIs that refuse tokens which are new: a few renewals, then their answers as they are, then another try."""

from __future__ import annotations

import asyncio
from asyncio import gather

from silent_refresh import Client, SilentRefresh
from tests.world.loop import later
from tests.world.server import Answer, Call, Server

AGE = 4.0  # s that the clock of the API is behind the token server's


class Api:
    """Answers under ``/api/items/…``; ``accepts(token)`` tells which tokens are good."""

    def __init__(self, server: Server, count: int) -> None:
        self.server = server
        self.seen: dict[str, float] = {}
        for number in range(count):
            server.routes[f"/api/items/{number}"] = self._answer

    async def _answer(self, call: Call) -> Answer:
        now = asyncio.get_running_loop().time()
        born = self.seen.setdefault(call.token or "", now)
        is_good = self.server.user_of(call.token) and self.accepts(now - born)
        return Answer(200, {}) if is_good else self.server.refusal()

    def accepts(self, age: float) -> bool:
        """Tell whether a token of this age (s) is good."""
        return True


class LateApi(Api):
    """Takes a token for one of the future until it is some seconds old (``nbf``, RFC 7519 §4.1.5)."""

    def accepts(self, age: float) -> bool:
        return age >= AGE


class DeafApi(Api):
    """Takes no token at all: it has another key, or a proxy takes the field away."""

    def accepts(self, age: float) -> bool:
        return False


async def ask(client: Client, count: int, *, every: float) -> list[int]:
    """Open ever other URLs."""
    statuses = []
    for number in range(count):
        statuses.append((await client.get(f"items/{number}")).status)
        await later(every)
    return statuses


async def test_f4_an_api_whose_clock_is_behind_gets_tokens_that_grow_old_enough(
    client: Client, server: Server
) -> None:
    """Ever other URLs refuse a new token; after a few renewals it is left to grow older (F4)."""
    LateApi(server, 30)
    server.expire()

    statuses = await ask(client, 30, every=0.5)

    assert {200} == set(statuses[12:])
    assert server.refreshes <= 3


async def test_f4_an_api_that_takes_no_token_costs_a_refresh_a_minute(client: Client, server: Server) -> None:
    """A few at once, then ever fewer; the answers are the caller's as they are (F4)."""
    DeafApi(server, 1200)

    statuses = await ask(client, 300, every=1)
    first = server.refreshes
    await ask(client, 1200, every=1)

    assert {401} == set(statuses)
    assert 3 < first <= 12
    assert 18 < server.refreshes - first < 24


async def test_f4_requests_at_once_count_as_one_renewal_in_vain(client: Client, server: Server) -> None:
    """However many of them a new token helped nothing."""
    LateApi(server, 100)
    server.expire()

    await gather(*(client.get(f"items/{number}") for number in range(50)))
    await gather(*(client.get(f"items/{number}") for number in range(50, 100)))

    assert 2 == server.refreshes


async def test_f4_a_renewal_that_helped_ends_the_pause(client: Client, server: Server) -> None:
    """What is refused, and accepted with the new token, was too old: that is what renewals are for."""
    DeafApi(server, 100)
    await ask(client, 3, every=0.1)
    for _ in range(20):
        await later(6)  # the token is older than the first pause
        server.expire()
        assert 200 == (await client.get("me")).status
        assert 401 == (await client.get("items/7")).status


async def test_f4_a_new_sign_in_is_not_held_back(auth: SilentRefresh, client: Client, server: Server) -> None:
    """It has a token of its own, which nobody has refused yet."""
    DeafApi(server, 100)
    await ask(client, 20, every=0.1)
    await auth.sign_in(server.sign_in())
    server.expire()

    assert 200 == (await client.get("me")).status


async def test_f4_a_token_that_ended_on_its_way_is_no_dead_end(client: Client, server: Server) -> None:
    """The one resource of a page, and nobody knows of that end: it is asked for anew after a minute."""
    server.expire()
    arrivals = iter([False, False, True])  # the request, the refresh call, and the replay, whose token ends
    server.arrived = lambda call: server.expire() if next(arrivals, False) else None

    assert [401, 401] == [(await client.get("me")).status for _ in range(2)]
    await later(61)
    assert [200, 200] == [(await client.get("me")).status for _ in range(2)]
    assert 2 == server.refreshes


async def test_f4_a_token_that_is_revoked_as_soon_as_it_was_renewed_is_no_dead_end(
    client: Client, server: Server
) -> None:
    """A deployment changes its key, say, just when a user comes back: it is asked for anew in seconds."""
    await later(server.access_ttl)
    arrivals = iter([False, True])  # the refresh call, and the request
    server.arrived = lambda call: server.expire() if next(arrivals, False) else None

    assert [401, 401] == [(await client.get("me")).status for _ in range(2)]
    await later(6)
    assert [200, 200] == [(await client.get("me")).status for _ in range(2)]
    assert 2 == server.refreshes


async def test_f4_a_resource_that_takes_no_token_costs_ever_less(client: Client, server: Server) -> None:
    """Asked every ten seconds for a day, for want of a permission say."""
    DeafApi(server, 1)
    refreshes = []
    for _ in range(24):
        for _ in range(360):
            assert 401 == (await client.get("items/0")).status
            await later(10)
        refreshes.append(server.refreshes)
        server.calls.clear()

    assert refreshes[0] <= 8 + 2  # 60 s, 120 s, …; and a token lives for half an hour
    assert refreshes[-1] - refreshes[-2] <= 1 + 2
