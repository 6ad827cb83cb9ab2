"""Many requests, one refresh: rows F1–F13 of docs/faults.md."""

from __future__ import annotations

import asyncio
from asyncio import gather

import pytest

from silent_refresh import (
    Client,
    NetworkError,
    NotSignedIn,
    RefreshError,
    RefreshRejected,
    RefreshUnavailable,
    SilentRefresh,
    Tokens,
)
from tests.world.browser import Browser, Tab
from tests.world.loop import later, until
from tests.world.server import Answer, Call, Server, saying


def numbered(number: int) -> dict[str, str]:
    return {"X-Request-ID": str(number)}


async def test_f1_concurrent_401s_share_one_refresh(client: Client, server: Server) -> None:
    """Fifty requests with an expired token cost one refresh, and none is sent more than twice."""
    server.expire()

    responses = await gather(*(client.get("me", headers=numbered(n)) for n in range(50)))

    assert {200} == {response.status for response in responses}
    assert 1 == server.refreshes
    assert 2 == max(server.sent[str(n)] for n in range(50))


async def test_f2_a_late_401_of_an_older_token_is_replayed_without_a_second_refresh(
    client: Client, server: Server
) -> None:
    """The slow request left with the old token and comes back when the new one is there already."""

    async def slow(call: Call) -> Answer:
        user = server.user_of(call.token)
        await later(5)
        return Answer(200, {}) if user else server.refusal()

    server.routes["/api/slow"] = slow
    server.expire()
    late = asyncio.ensure_future(client.get("slow"))
    assert 200 == (await client.get("fast")).status

    assert 200 == (await late).status
    assert 1 == server.refreshes


async def test_f3_a_401_to_the_replay_is_returned(client: Client, server: Server) -> None:
    """Who refuses the new token as well is believed."""
    server.routes["/api/broken"] = saying(401, {})

    response = await client.get("broken", headers=numbered(1))

    assert 401 == response.status
    assert 2 == server.sent["1"]
    assert 1 == server.refreshes


async def test_f4_polling_what_always_answers_401_costs_one_refresh(client: Client, server: Server) -> None:
    """A resource that refused a brand-new token gets no further renewal until the token changes."""
    server.routes["/api/forbidden"] = saying(401, {})

    statuses = [(await client.get("forbidden")).status for _ in range(20)]

    assert {401} == set(statuses)
    assert 1 == server.refreshes


async def test_f4_two_resources_that_always_answer_401_do_not_renew_in_turns(
    client: Client, server: Server
) -> None:
    """Each may ask for one renewal; then both are known."""
    server.routes["/api/a"] = server.routes["/api/b"] = saying(401, {})

    for _ in range(10):
        await gather(client.get("a"), client.get("b"))

    assert server.refreshes <= 2


async def test_f5_a_401_of_the_refresh_endpoint_ends_the_session(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab
) -> None:
    """The refresh call passes no interceptor, so it can't wait for itself."""
    server.expire()
    server.revoke()

    with pytest.raises(RefreshRejected) as caught:
        await client.get("me")

    assert "invalid_grant" == caught.value.reason
    assert not auth.signed_in
    assert {} == tab.view
    assert ["/login?next=%2Forders%3Fpage%3D2&reason=rejected"] == tab.gone_to


async def test_f6_every_waiter_gets_an_exception_of_its_own(client: Client, server: Server, tab: Tab) -> None:
    """A rejected refresh fails all fifty, sends the page to the login once, and leaves none pending."""
    server.expire()
    server.revoke()

    errors = await gather(*(client.get("me") for _ in range(50)), return_exceptions=True)

    assert {RefreshRejected} == {type(error) for error in errors}
    assert 50 == len({id(error) for error in errors})
    assert 1 == len(tab.gone_to)
    assert 1 == server.refresh_calls


async def test_f6_a_late_401_of_a_rejected_session_is_told_the_same(client: Client, server: Server) -> None:
    """Who left together ends together, though the answer came when all was over."""

    async def slow(call: Call) -> Answer:
        await later(5)
        return server.refusal()

    server.routes["/api/slow"] = slow
    server.expire()
    server.revoke()
    late = asyncio.ensure_future(client.get("slow"))
    with pytest.raises(RefreshRejected):
        await client.get("fast")

    with pytest.raises(RefreshRejected, match="invalid_grant"):
        await late
    assert 1 == server.refresh_calls


async def test_f7_a_request_that_starts_during_a_refresh_goes_out_once(
    client: Client, server: Server
) -> None:
    """It waits for the new token instead of collecting a 401."""
    server.expire()
    first = asyncio.ensure_future(client.get("me"))
    await until(lambda: server.refresh_calls > 0)

    assert 200 == (await client.get("me", headers=numbered(2))).status
    assert 1 == server.sent["2"]
    assert 200 == (await first).status


async def test_f8_listeners_and_interceptors_may_use_the_client(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """A listener that sends a request whenever a refresh starts doesn't wait for itself."""
    asked: list[asyncio.Task[object]] = []

    def curious(event: object) -> None:
        if getattr(event, "name", "") in ("refresh-started", "refresh-done"):
            asked.append(asyncio.ensure_future(client.get("heard")))

    async def twice(request, send):  # type: ignore[no-untyped-def]
        await client.get("before")
        return await send(request)

    auth.listen(curious)
    server.expire()

    response = await Client("/api", auth=auth, interceptors=[twice]).get("me")

    assert 200 == response.status
    assert 2 == len(asked)
    assert {200} == {r.status for r in await gather(*asked)}  # type: ignore[attr-defined]


async def test_f9_an_exception_inside_the_refresh_leaves_no_trace(tab: Tab, server: Server) -> None:
    """A refresh function that raises fails its waiters; the next request refreshes again."""
    broken = True

    async def refresh(tokens):  # type: ignore[no-untyped-def]
        if broken:
            raise ZeroDivisionError
        answer = await server.refresh(Call("POST", "/refresh", None, {"refreshToken": tokens.refresh_token}))
        return Tokens(answer.body["accessToken"], answer.body["refreshToken"])

    auth, client = tab.sign(refresh=refresh)
    await auth.sign_in(server.sign_in())
    server.expire()

    with pytest.raises(RefreshError) as caught:
        await client.get("me")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert auth.signed_in

    broken = False
    assert 200 == (await client.get("me")).status


async def test_f10_two_clients_on_one_session_share_a_flight(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """The renewal belongs to the session, not to the client."""
    other = Client("/api/v2", auth=auth)
    server.expire()

    await gather(client.get("me"), other.get("me"))

    assert 1 == server.refreshes


async def test_f10_two_auths_in_one_page_share_a_flight(tab: Tab, client: Client, server: Server) -> None:
    """Two ``SilentRefresh`` over one record take turns as two tabs do."""
    _, other = tab.sign()
    server.expire()

    responses = await gather(client.get("me"), other.get("me"))

    assert [200, 200] == [response.status for response in responses]
    assert 1 == server.refreshes


async def test_f11_two_sessions_renew_independently(browser: Browser, server: Server) -> None:
    """One key, one session."""
    pairs = []
    for key, user in (("one", "ada"), ("two", "bob")):
        tab = browser.open()
        tab.store.key = key
        pairs.append(tab.sign())
        await pairs[-1][0].sign_in(server.sign_in(user))
    server.expire()

    responses = await gather(*(client.get("me") for _, client in pairs))

    assert ["ada", "bob"] == [(await response.json())["user"] for response in responses]
    assert 2 == server.refreshes


async def test_f12_a_failing_refresh_is_held_back_and_a_new_sign_in_is_not(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """A hundred requests in trouble are a handful of refresh calls; a new sign-in starts afresh."""
    server.expire()
    server.on_refresh = [saying(503)] * 1000

    for _ in range(100):
        with pytest.raises(RefreshUnavailable):
            await client.get("me")
    calls = server.refresh_calls
    assert calls <= 9

    server.on_refresh = []
    await auth.sign_in(server.sign_in())
    server.expire()
    assert 200 == (await client.get("me")).status


async def test_f12_who_was_offline_for_long_is_answered_soon_after(client: Client, server: Server) -> None:
    """What failed without a network was no load to the server: it holds nothing back for long."""
    await later(server.access_ttl + 1)
    server.reachable = False
    for _ in range(75):
        with pytest.raises(NetworkError):
            await client.get("me")
        await later(1.0)
    server.reachable = True
    await later(1.0)

    assert 200 == (await client.get("me")).status


async def test_f13_nobody_signed_in_is_told_at_once(auth: SilentRefresh, server: Server, tab: Tab) -> None:
    """Without a session the request goes out bare, and its 401 costs no refresh call."""
    with pytest.raises(NotSignedIn):
        await Client("/api", auth=auth).get("me")

    assert [None] == [call.token for call in server.calls]
    assert ["/login?next=%2Forders%3Fpage%3D2&reason=not_signed_in"] == tab.gone_to


async def test_f13_no_refresh_token_ends_the_session_at_the_first_401(
    auth: SilentRefresh, server: Server, tab: Tab
) -> None:
    """There's nothing to renew with."""
    await auth.sign_in({"accessToken": server.sign_in()["accessToken"]})
    server.expire()

    with pytest.raises(NotSignedIn):
        await Client("/api", auth=auth).get("me")

    assert not auth.signed_in
    assert 1 == len(tab.gone_to)
    assert 1 == len(server.calls)
