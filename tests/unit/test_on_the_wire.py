"""Small truths on the wire: what isn't there isn't sent, and what is no number is told."""

from __future__ import annotations

from asyncio import gather
from typing import Any

import pytest

from silent_refresh import Client, NotSignedIn, Request, Tokens
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.server import Server, saying

FORMS = [
    ({"q": None, "page": 2}, "page=2"),
    ({"q": None}, ""),
    ({"yes": True, "no": False}, "yes=true&no=false"),
    ({"id": [1, None, 2], "tags": ("a", "b")}, "id=1&id=2&tags=a&tags=b"),
    ([("a", 1), ("a", None), ("b", 2.5)], "a=1&b=2.5"),
    ({"raw": b"x", "empty": ""}, "raw=x&empty="),
]


@pytest.fixture
def sent(tab: Tab, server: Server) -> list[Request]:
    """Return the requests that left."""
    found: list[Request] = []
    tab.browser.sent = lambda _, request: found.append(request)
    server.routes["/x"] = saying(200, {})
    return found


@pytest.fixture
def client(tab: Tab) -> Client:
    """Return a client without auth."""
    return Client(platform=tab.platform, headers={"X-Trace": "t"})


@pytest.mark.parametrize(("fields", "text"), FORMS)
async def test_a_query_and_a_form_have_what_is_there(
    client: Client, sent: list[Request], fields: Any, text: str
) -> None:
    """No "None", no "True"."""
    await client.get("/x", params=fields)
    if isinstance(fields, dict):
        await client.post("/x", data=fields)
        assert text == sent[1].body

    assert f"/x?{text}".removesuffix("?") == sent[0].url


async def test_a_header_that_is_none_is_left_out(client: Client, sent: list[Request]) -> None:
    """The client's own of that name, too, as with requests."""
    await client.get("/x", headers={"X-Trace": None, "X-Other": None})

    assert {} == dict(sent[0].headers)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("where", ["params", "data", "json"])
async def test_what_is_no_number_is_told(
    client: Client, sent: list[Request], where: str, number: float
) -> None:
    """JSON has none of these (RFC 8259 §6), and no server expects the word."""
    with pytest.raises(ValueError):  # noqa: PT011  # json's own words
        await client.post("/x", **{where: {"v": number}})
    assert [] == sent


async def test_a_header_may_be_read_at_each_request(tab: Tab, sent: list[Request]) -> None:
    """A CSRF cookie's value changes."""
    values = iter(["one", "two"])
    client = Client(platform=tab.platform, headers={"X-XSRF-TOKEN": lambda: next(values), "X-A": "a"})
    for _ in range(2):
        await client.get("/x")
    await client.get("/x", headers={"X-XSRF-TOKEN": "mine"})

    assert [("one", "a"), ("two", "a"), ("mine", "a")] == [
        (request.headers["x-xsrf-token"], request.headers["x-a"]) for request in sent
    ]


async def test_five_requests_of_nobody_are_five_errors(tab: Tab, server: Server) -> None:
    """Without a refresh token: each is told so, and the page leaves once (F13)."""
    auth, client = tab.sign()
    await auth.sign_in(Tokens(server.sign_in()["accessToken"]))
    server.expire()

    ends = await gather(*(client.get(f"items/{n}") for n in range(5)), return_exceptions=True)

    assert [NotSignedIn] * 5 == [type(end) for end in ends]
    assert 1 == len(tab.gone_to)


async def test_f69_a_late_401_after_a_sign_out_is_the_callers(tab: Tab, server: Server) -> None:
    """That ended by the user's own will (F69)."""
    auth, client = tab.sign(login=None)
    await auth.sign_in(Tokens(server.sign_in()["accessToken"]))
    server.expire()
    server.delay = lambda what: 1.0
    first = gather(client.get("me"), return_exceptions=True)
    await later(0.5)
    await auth.sign_out()

    assert 401 == (await first)[0].status  # type: ignore[union-attr]


async def test_a_replay_has_the_values_of_its_moment(tab: Tab, server: Server) -> None:
    """A renewal brings another CSRF value, and the request that waited for it is sent with that."""
    sent: list[Request] = []
    auth, _ = tab.sign()
    client = Client("/api", auth=auth, headers={"X-CSRF": lambda: f"csrf-{server.refreshes}"})
    await auth.sign_in(server.sign_in())
    server.expire()
    tab.browser.sent = lambda _, request: sent.append(request)

    assert 200 == (await client.post("me")).status
    assert ["csrf-0", None, "csrf-1"] == [request.headers.get("x-csrf") for request in sent]
