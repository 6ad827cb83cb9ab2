"""Functions of the page's may be async: rules that read a body, logins, listeners; a store may not."""

from __future__ import annotations

import asyncio
import json
from asyncio import gather
from typing import Any

import pytest

from silent_refresh import Event, MemoryStorage, RefreshRejected, Response, SilentRefresh
from silent_refresh.auth import session_of
from silent_refresh.engine.access import Refused
from silent_refresh.http.messages import Request, Send
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server

OVER = {"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}


async def is_over(response: Response) -> bool:
    """Tell what a GraphQL API says with a 200."""
    return "UNAUTHENTICATED" in await response.text()


def speaks_graphql(server: Server) -> None:
    """Let the API answer 200, whatever it thinks of the token."""

    async def answer(call: Call) -> Answer:
        user = server.user_of(call.token)
        return Answer(200, {"data": {"user": user}} if user else OVER)

    server.routes["/api/graphql"] = answer


async def signed_in(tab: Tab, server: Server, **options: Any) -> Any:
    auth, client = tab.sign(is_refused=is_over, **options)
    await auth.sign_in(server.sign_in())
    speaks_graphql(server)
    return client


async def test_a_rule_may_read_the_body(tab: Tab, server: Server) -> None:
    """A good answer is sent once and is whole; a refused one is renewed and sent again."""
    client = await signed_in(tab, server)
    assert {"data": {"user": "ada"}} == await (await client.post("graphql", json={})).json()
    assert [1, 0] == [len(server.calls), server.refresh_calls]

    server.expire()
    assert {"data": {"user": "ada"}} == await (await client.post("graphql", json={})).json()
    assert [4, 1] == [len(server.calls), server.refresh_calls]


async def test_many_that_are_told_so_share_one_refresh(tab: Tab, server: Server) -> None:
    """However they are told."""
    client = await signed_in(tab, server)
    server.expire()

    answers = await gather(*(client.post(f"graphql?{n}", json={}) for n in range(20)))

    assert [{"data": {"user": "ada"}}] * 20 == [await answer.json() for answer in answers]
    assert 1 == server.refresh_calls


async def test_f2_a_late_one_costs_no_second_refresh(tab: Tab, server: Server) -> None:
    """What was sent with the old token is sent again with the one that is there (F2)."""
    client = await signed_in(tab, server)
    late = asyncio.Event()

    async def slow(call: Call) -> Answer:
        answer = Answer(200, {"data": {}} if server.user_of(call.token) else OVER)
        if not late.is_set():
            await late.wait()
        return answer

    server.routes["/api/slow"] = slow
    server.expire()
    waiting = asyncio.ensure_future(client.post("slow", json={}))
    await later(1.0)
    await client.post("graphql", json={})
    late.set()

    assert {"data": {}} == await (await waiting).json()
    assert 1 == server.refresh_calls


async def test_one_that_no_token_helps_is_the_callers(tab: Tab, server: Server) -> None:
    """As for a 401 (F3, F4)."""
    client = await signed_in(tab, server)

    async def always(call: Call) -> Answer:
        return Answer(200, OVER)

    server.routes["/api/graphql"] = always

    assert [OVER] * 3 == [await (await client.post("graphql")).json() for _ in range(3)]
    assert 1 == server.refresh_calls


async def test_what_a_way_in_has_sent_is_judged_by_the_same_rule(tab: Tab, server: Server) -> None:
    """A body is read where it is: by what the adapter made the response from."""
    auth, _ = tab.sign(is_refused=is_over)
    await auth.sign_in(server.sign_in())
    session = session_of(auth)
    assert auth.tokens is not None
    request = Request("POST", "https://app.example/api/graphql")
    first = Response(200, "", request.url, request, text=json.dumps(OVER))
    refused = Refused(first, auth.tokens.access_token, session.access().session)

    async def send(signed: Request) -> Response:
        return Response(200, "", signed.url, signed, text="{}")

    sending: Send = send
    assert session.may_refuse(200)
    assert session.access().credential is None  # so that every request is the engine's
    assert "{}" == await (await session.send(request, sending, refused)).text()
    assert 1 == server.refresh_calls


def test_a_rule_that_is_built_in_costs_no_look_at_a_good_answer(tab: Tab) -> None:
    """Who asks for bodies pays for them, nobody else."""

    async def made() -> list[bool]:
        session = session_of(tab.sign()[0])
        return [session.may_refuse(status) for status in (200, 403, 401)]

    assert [False, False, True] == asyncio.run(made())


@pytest.mark.parametrize("verdict", ["no", 1, Response(200, "", "/", Request("GET", "/"))])
async def test_a_verdict_that_is_none_is_told(tab: Tab, server: Server, verdict: Any) -> None:
    """Whatever is true isn't a yes: every POST would be done twice."""
    auth, client = tab.sign(is_refused=lambda response: verdict)
    await auth.sign_in(server.sign_in())

    with pytest.raises(TypeError, match="True or False"):
        await client.post("me", json={})
    assert [1, 0] == [len(server.calls), server.refresh_calls]


async def test_a_login_and_a_listener_may_be_async(tab: Tab, server: Server) -> None:
    """Both are awaited, and both may fail."""
    shown: list[str | None] = []
    heard: list[str] = []

    async def show(event: Event) -> None:
        await later(0.1)
        shown.append(event.reason)

    async def hear(event: Event) -> None:
        await later(0.1)
        heard.append(event.name)

    auth, client = tab.sign(login=show)
    auth.listen(hear)
    await auth.sign_in(server.sign_in())
    server.expire()
    server.revoke()

    with pytest.raises(RefreshRejected):
        await client.get("me")
    await later(1.0)
    assert ["rejected"] == shown
    assert {"signed-in", "refused", "refresh-failed", "signed-out"} <= set(heard)


async def test_what_they_raise_is_logged(tab: Tab, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """It ends nothing else."""

    async def fails(event: Event) -> None:
        await later(0.1)
        raise RuntimeError("the page's own")

    auth, client = tab.sign(login=fails)
    auth.listen(fails)
    await auth.sign_in(server.sign_in())
    await later(1.0)
    assert "a listener failed on 'signed-in'" in caplog.text

    await auth.sign_out()
    await later(1.0)
    assert "the login callable failed on 'signed-out'" in caplog.text
    assert isinstance(auth, SilentRefresh)
    assert client is not None


@pytest.mark.parametrize("name", ["get", "set", "remove", "listen"])
async def test_a_store_cannot_be_async(tab: Tab, name: str) -> None:
    """Whoever reads the session can't wait: told at once."""

    async def later_on(*_: object) -> None:
        return None

    store = MemoryStorage()
    setattr(store, name, later_on)

    with pytest.raises(TypeError, match=rf"{name}\(\) of a store can't be async"):
        tab.sign(store=store)
