"""Numbers without measure, depth without end, bytes like ends of lines: none of them stops the page."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from silent_refresh import (
    AuthorizationError,
    Client,
    Headers,
    NotJSON,
    RefreshUnavailable,
    Request,
    Response,
    SilentRefresh,
    Tokens,
)
from silent_refresh.http.json import DEEPEST
from silent_refresh.protocol.result import Unavailable
from silent_refresh.protocol.transaction import KEY
from silent_refresh.protocol.words import result_of_status
from tests.world.browser import ORIGIN, Browser, Tab
from tests.world.loop import later
from tests.world.provider import ISSUER, Provider, discovered
from tests.world.server import Answer, Call, Server, saying

HUGE = int("9" * 400)  # more than a float can hold
LONGEST = int("9" * 4299)  # nearly as long as Python takes
NUMBERS = [
    HUGE,
    -HUGE,
    LONGEST,
    10**18,
    1e308,
    -1,
    0,
    float("nan"),
    float("inf"),
    "9" * 100_000,
    True,
    [],
    {},
]
DEEP = "[" * 100_000 + "]" * 100_000

RECORD = {"id": "1", "generation": 3, "issued_at": 1_764_000_000.0, "expires_in": 1800}
REQUEST = Request("GET", "/api/me")


def _name(value: object) -> str:
    return str(value)[:12]


@pytest.mark.parametrize("number", NUMBERS, ids=_name)
@pytest.mark.parametrize("field", ["issued_at", "expires_in", "generation"])
async def test_a_number_in_the_record_is_believed_or_not(
    browser: Browser, server: Server, field: str, number: Any
) -> None:
    """The page starts, a request is answered, and a new sign-in counts."""
    granted = server.sign_in()
    record = {"access_token": granted["accessToken"], "refresh_token": granted["refreshToken"], **RECORD}
    browser.stored["silent-refresh"] = json.dumps({**record, field: number})
    auth, client = browser.open().sign(login=None)

    if auth.signed_in:
        assert 200 == (await client.get("me")).status
    await auth.sign_in(server.sign_in("bob"))
    server.expire()

    assert "bob" == (await (await client.get("me")).json())["user"]


@pytest.mark.parametrize("number", NUMBERS, ids=_name)
async def test_a_number_in_an_answer_is_believed_or_not(
    auth: SilentRefresh, client: Client, server: Server, number: Any
) -> None:
    """To a sign-in or to a refresh: the life is unknown then, and the first 401 tells."""
    await auth.sign_in({**server.sign_in(), "expiresIn": number})
    server.expire()

    async def refresh(call: Call) -> Answer:
        answer = await server.refresh(call)
        return Answer(200, {**answer.body, "expiresIn": number})

    server.on_refresh = [refresh]

    assert [200, 200] == [(await client.get("me")).status for _ in range(2)]
    assert 1 == server.refreshes


@pytest.mark.parametrize("exp", [HUGE, LONGEST, 1.5, float("inf")], ids=_name)
@pytest.mark.parametrize("iat", [HUGE, LONGEST, 1.5, -HUGE, "1", None], ids=_name)
def test_the_numbers_of_a_jwt_are_believed_or_not(exp: Any, iat: Any) -> None:
    """What they come to can't be a life."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": exp, "iat": iat}).encode()).decode()

    assert Tokens(f"a.{claims}.c").expires_in is None


# Depth


async def test_an_answer_that_is_too_deep_is_told(client: Client, server: Server) -> None:
    """Pyodide's Python would not outlive it; what is as deep as may be is read."""
    server.routes["/api/deep"] = saying(200, DEEP)
    server.routes["/api/as-may-be"] = saying(200, "[" * DEEPEST + "]" * DEEPEST)

    with pytest.raises(NotJSON, match="GET /api/deep") as caught:
        await (await client.get("deep")).json()
    assert "nested more than 500 deep" in str(caught.value.__cause__)
    assert 1 == len(await (await client.get("as-may-be")).json())


async def test_what_a_tab_remembers_is_not_parsed_when_it_is_too_deep(tab: Tab, provider: Provider) -> None:
    """The answer of the provider belongs to no sign-in then."""
    auth = await discovered(tab)
    tab.memory[KEY] = DEEP
    tab.url = f"{ORIGIN}/?code=1&state=2&iss={ISSUER}"

    with pytest.raises(AuthorizationError) as caught:
        await auth.complete_authorization()
    assert "state" == caught.value.reason


async def test_metadata_that_are_too_deep_are_none(tab: Tab, provider: Provider, server: Server) -> None:
    """They are asked for in both places."""
    server.routes[f"{ISSUER}/.well-known/openid-configuration"] = saying(200, DEEP)

    with pytest.raises(AuthorizationError) as caught:
        await discovered(tab)
    assert "metadata" == caught.value.reason


# Header fields


@pytest.mark.parametrize("byte", ["\x85", "\x1c", "\x1d", "\x1e", "\x0b", "\x0c", "\xa0"])
async def test_no_byte_of_a_value_makes_a_field(byte: str) -> None:
    """Python counts more ends of a line than HTTP does; each of these may stand in a value, or in UTF-8."""
    text = f"x-note: caf{byte}www-authenticate: Bearer{byte}\ncontent-type: text/plain\n"
    response = Response(200, text, "/api/me", REQUEST)

    assert ["x-note", "content-type"] == list(response.headers)
    assert f"caf{byte}www-authenticate: Bearer{byte}" == response.headers["X-Note"]


async def test_a_foreign_answer_is_not_judged(tab: Tab, server: Server) -> None:
    """Nobody asks what it refuses, nor reads its challenge."""
    asked: list[str] = []
    auth, client = tab.sign(is_refused=lambda response: asked.append(response.url))
    await auth.sign_in(server.sign_in())

    async def moved(call: Call) -> Answer:
        return Answer(401, {}, url="https://elsewhere.example/login")

    server.routes["/api/moved"] = moved
    assert 401 == (await client.get("moved")).status
    await client.get("me")

    assert [f"{ORIGIN}/api/me"] == asked


# Retry-After

NOW = 1_764_043_200.0  # Tue, 25 Nov 2025 04:00:00 GMT


@pytest.mark.parametrize(
    ("value", "date", "pause"),
    [
        *(("7", "", 7), ("0", "", 0), ("3600", "", 3600), ("3601", "", 30), ("9" * 5000, "", 30)),
        *(("Tue, 25 Nov 2025 04:00:07 GMT", "", 7), ("Mon, 24 Nov 2025 04:00:00 GMT", "", 0)),
        ("Tue, 25 Nov 2025 06:00:03 GMT", "", 30),
        ("Tue, 25 Nov 2025 06:00:03 GMT", "Tue, 25 Nov 2025 06:00:00 GMT", 3),
        ("Tue, 25 Nov 2025 06:00:03 GMT", "whenever", 30),
        *(("Fri, 31 Dec 9999 23:59:59 GMT", "", 30), ("Tue, 31 Feb 2026 00:00:00 GMT", "", None)),
        *(("-7", "", None), ("7.5", "", None), ("1e3", "", None), ("٣", "", None), ("", "", None)),
    ],
    ids=_name,
)
def test_f37_a_pause_is_one_by_the_servers_clock_and_at_most_an_hour(
    value: str, date: str, pause: float | None
) -> None:
    """What asks for more is a mistake: it counts as half a minute, the longest pause of our own (F37)."""
    answer = Response(503, Headers({"Retry-After": value, "Date": date}), "/refresh", REQUEST)

    assert Unavailable("it answered 503", pause) == result_of_status(answer, NOW)


async def test_f37_a_day_is_not_waited_for(client: Client, server: Server) -> None:
    """Half a minute later the server is asked again (F37)."""
    server.expire()
    server.on_refresh = [saying(503, Retry_After="86400")]
    with pytest.raises(RefreshUnavailable) as caught:
        await client.get("me")
    assert 30 == caught.value.retry_after

    await later(31)

    assert 200 == (await client.get("me")).status


@pytest.mark.parametrize("pause", [1e11, HUGE, float("inf"), float("nan"), -7, "soon"], ids=_name)
async def test_f37_a_pause_of_the_pages_own_function_is_bounded_too(
    tab: Tab, server: Server, pause: Any
) -> None:
    """A mistake there costs half a minute as well (F37)."""
    renewals = 0

    async def refresh(tokens: Tokens) -> Tokens:
        nonlocal renewals
        renewals += 1
        if renewals == 1:
            raise RefreshUnavailable("not now", retry_after=pause)
        answer = await server.refresh(Call("POST", "/refresh", None, {"refreshToken": tokens.refresh_token}))
        return Tokens(answer.body["accessToken"], answer.body["refreshToken"])

    auth, client = tab.sign(refresh=refresh, retries=0)
    await auth.sign_in(server.sign_in())
    server.expire()
    with pytest.raises(RefreshUnavailable):
        await client.get("me")

    await later(31)

    assert 200 == (await client.get("me")).status
