"""More requests at once than may be under way: the rest wait without a token, for the newest."""

from __future__ import annotations

import asyncio
from asyncio import gather

import pytest

from silent_refresh import (
    Client,
    RefreshRejected,
    Request,
    RequestTimeout,
    Response,
    SessionChanged,
    SilentRefresh,
)
from silent_refresh.engine.limiter import MOST, Limiter
from silent_refresh.platform.platform import Platform, future_of_the_loop
from tests.world.browser import ORIGIN, Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server

MORE = MOST + 60
HELD = [str(number) for number in range(MOST, MORE)]
REQUEST = Request("GET", "/api/me")


def ask(
    client: Client, path: str = "me", *, count: int = MORE, timeout: float | None = 60.0
) -> list[asyncio.Task]:
    """Send so many requests at once, each with its number as its id."""
    return [
        asyncio.ensure_future(client.get(path, headers={"X-Request-ID": str(number)}, timeout=timeout))
        for number in range(count)
    ]


class Slow:
    """A route that answers after ten seconds, and counts how many requests are there."""

    def __init__(self, server: Server) -> None:
        self.there = self.most = 0
        server.routes["/api/slow"] = self

    async def __call__(self, call: Call) -> Answer:
        self.there += 1
        self.most = max(self.most, self.there)
        await later(10)
        self.there -= 1
        return Answer(200, {})


async def test_what_waits_is_sent_once_with_the_new_token(client: Client, server: Server) -> None:
    """Only those that had left are refused; the others cost the server one request each."""
    server.expire()
    responses = await gather(*ask(client))

    assert {200} == {response.status for response in responses}
    assert 1 == server.refreshes
    assert [2] * MOST + [1] * len(HELD) == [server.sent[str(number)] for number in range(MORE)]


async def test_so_many_are_under_way_and_all_are_answered(client: Client, server: Server) -> None:
    """As one ends the next one goes; the browser never has to wait for us."""
    slow = Slow(server)
    responses = await gather(*ask(client, "slow"))

    assert MORE == len(responses)
    assert MOST == slow.most
    assert 20 < asyncio.get_running_loop().time() < 21


def speaking_http1(tab: Tab, origins: set[str]) -> Platform:
    """Return the tab's platform, where a browser speaks HTTP/1.1 to ``origins``: by six connections."""
    connections = asyncio.Semaphore(6)

    async def send(request: Request) -> Response:
        async with connections:
            return await tab.send(request)

    return tab.platform._replace(transport=send, is_http1=origins.__contains__)


async def test_f39_over_http1_the_refresh_call_is_not_behind_those_that_wait_for_it(
    tab: Tab, server: Server
) -> None:
    """It comes after those that had left, and not after all the 90, however slow they are (F39)."""

    async def refuse_slowly(call: Call) -> Answer:
        await later(1)
        return Answer(200, {}) if server.user_of(call.token) else server.refusal()

    server.routes["/api/slow"] = refuse_slowly
    platform = speaking_http1(tab, {ORIGIN})
    auth = SilentRefresh(platform=platform)
    await auth.sign_in(server.sign_in())
    server.expire()
    responses = await gather(*ask(Client("/api", auth=auth), "slow", count=90))

    assert {200} == {response.status for response in responses}
    assert ["/api/slow"] * 20 + ["/refresh"] == [call.path for call in server.calls[:21]]
    assert 90 + 20 + 1 == len(server.calls)


async def test_an_origin_that_may_take_more_is_sent_more(tab: Tab, server: Server) -> None:
    """Of one at which nobody knows the protocol it isn't supposed; the limit follows what the page allows."""
    slow, elsewhere = Slow(server), "https://api.example"
    server.routes[f"{elsewhere}/api/slow"] = slow
    auth = SilentRefresh(platform=speaking_http1(tab, {ORIGIN})._replace(transport=tab.send))
    await auth.sign_in(server.sign_in())
    client = Client(f"{elsewhere}/api", auth=auth)
    await gather(*ask(client, "slow"))

    assert MOST == slow.most


async def test_a_sign_out_ends_what_waits(auth: SilentRefresh, client: Client, server: Server) -> None:
    """At once, and unsent; what had left is answered."""
    Slow(server)
    tasks = ask(client, "slow")
    await later(1)
    await auth.sign_out()
    errors = await gather(*tasks[MOST:], return_exceptions=True)

    assert {SessionChanged} == {type(error) for error in errors}
    assert asyncio.get_running_loop().time() < 5
    assert {200} == {response.status for response in await gather(*tasks[:MOST])}
    assert {0} == {server.sent[number] for number in HELD}


async def test_f68_what_waits_is_not_sent_as_another_user(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """It was asked for by whoever was signed in then."""
    Slow(server)
    tasks = ask(client, "slow")
    await later(1)
    await auth.sign_in(server.sign_in("bob"))
    errors = await gather(*tasks[MOST:], return_exceptions=True)

    assert {SessionChanged} == {type(error) for error in errors}
    assert {0} == {server.sent[number] for number in HELD}
    await gather(*tasks[:MOST])


@pytest.mark.parametrize("count", [MORE, 3 * MOST])
async def test_f6_a_rejected_refresh_ends_what_waits(
    client: Client, server: Server, tab: Tab, count: int
) -> None:
    """Each gets an exception of its own, nothing more is sent, and the page goes to the login once."""
    server.expire()
    server.revoke()
    errors = await gather(*ask(client, count=count, timeout=None), return_exceptions=True)

    assert {RefreshRejected} == {type(error) for error in errors}
    assert count == len({id(error) for error in errors})
    assert {0} == {server.sent[str(number)] for number in range(MOST, count)}
    assert 1 == len(tab.gone_to)


async def test_f70_cancelling_what_waits_holds_nobody_up(client: Client, server: Server) -> None:
    """Who gives up ends at once, is not sent, and nobody else notices."""
    Slow(server)
    tasks = ask(client, "slow")
    await later(1)
    given_up = tasks[MOST : MOST + 30]
    for task in given_up:
        task.cancel()
    await asyncio.wait(given_up)

    assert asyncio.get_running_loop().time() < 2
    others = [*tasks[:MOST], *tasks[MOST + 30 :]]
    assert {200} == {response.status for response in await gather(*others)}
    assert {0} == {server.sent[number] for number in HELD[:30]}


def full_limiter() -> Limiter:
    """Return one that has no room: its requests don't end."""
    limiter = Limiter(future_of_the_loop)
    limiter.active = limiter.most
    return limiter


async def test_who_waits_is_admitted_though_nobody_says_so() -> None:
    """An interrupt struck whoever would have: what there's room for goes on, and no more (F9)."""
    limiter = full_limiter()
    waits = [asyncio.ensure_future(limiter.wait(REQUEST)) for _ in range(3)]
    await later(1)
    limiter.active -= 2
    await later(1.5)

    assert [True, True, False] == [wait.done() for wait in waits]
    limiter.active -= 1
    await waits[2]


@pytest.mark.parametrize("is_admitted_first", [True, False])
async def test_an_admission_that_nobody_takes_is_passed_on(is_admitted_first: bool) -> None:
    """Who is cancelled in the moment in which it is admitted leaves that to the next, and to no other."""
    limiter = full_limiter()
    first, second, third = (asyncio.ensure_future(limiter.wait(REQUEST)) for _ in range(3))
    await later(1)
    if is_admitted_first:
        limiter.admit_next()
    first.cancel()
    if not is_admitted_first:
        limiter.admit_next()
    with pytest.raises(asyncio.CancelledError):
        await first

    await second  # or the loop is stuck
    await later(1)
    assert not third.done()
    limiter.admit_all()
    await third


async def test_deadlines_are_kept_in_whatever_order() -> None:
    """One alarm is set for all, for the earliest; who has no deadline waits on."""
    limiter, ends = full_limiter(), {}

    async def wait(timeout: float | None) -> None:
        try:
            await limiter.wait(Request("GET", "/api/me", timeout=timeout))
        except RequestTimeout:
            ends[timeout] = asyncio.get_running_loop().time()

    waits = [asyncio.ensure_future(wait(timeout)) for timeout in (5, None, 2, 9, 2)]
    await later(20)

    assert {2: 2, 5: 5, 9: 9} == {timeout: pytest.approx(end, abs=0.01) for timeout, end in ends.items()}
    assert [True, False, True, True, True] == [wait.done() for wait in waits]
    limiter.admit_next()
    await waits[1]


async def test_a_request_that_has_no_turn_in_time_says_so(client: Client, server: Server) -> None:
    """Its deadline counts while it waits, and it is not sent."""
    Slow(server)
    tasks = ask(client, "slow", count=MOST)
    await later(1)

    with pytest.raises(RequestTimeout, match=f"GET /api/me.* within 2 s: {MOST} others") as told:
        await client.get("me?secret=1", timeout=2)
    assert 3 == pytest.approx(asyncio.get_running_loop().time(), abs=0.01)
    assert "/api/me?secret=1" == told.value.request.url
    assert "secret" not in str(told.value)
    assert MOST == len(server.calls)
    await gather(*tasks)
