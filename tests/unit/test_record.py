"""The session in the store: one record, adopted, corrupt, cleared, refused by a full store: F27–F33."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silent_refresh import Client, MemoryStorage, SilentRefresh, Tokens
from silent_refresh.http.json import DEEPEST, parse_json
from silent_refresh.session.tokens import Session
from tests.world.browser import Browser, Tab
from tests.world.loop import VirtualClock
from tests.world.server import Answer, Call, Server

KEY = "silent-refresh"


async def test_f27_a_full_store_costs_nothing_but_the_reload(
    auth: SilentRefresh, client: Client, server: Server, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """New tokens that can't be stored live in memory; one warning; requests are replayed."""
    browser.full = True
    for _ in range(3):
        server.expire()
        assert 200 == (await client.get("me")).status

    assert 3 == server.refreshes
    assert auth.signed_in
    assert 1 == caplog.text.count("could not be stored")


async def test_f28_one_record_holds_both_tokens(client: Client, tab: Tab) -> None:
    """Nothing can tear them apart."""
    assert [KEY] == list(tab.view)
    assert {"access_token", "refresh_token", "generation"} < json.loads(tab.view[KEY]).keys()


@pytest.mark.parametrize(
    "text",
    [
        *("undefined", "null", " ", "{", "[]", "7", '"x"', "{}", '{"access_token": null}'),
        *('{"access_token": 7}', '{"access_token": "undefined"}', '{"access_token": "a\\nb"}'),
        *('{"access_token": "ключ"}', '{"access_token": "a", "refresh_token": 7}'),
        '{"access_token": "a", "generation": -1}',
        pytest.param("[" * 100_000, id="a deep list"),
        pytest.param('{"access_token": "a", "b": ' + '{"b": ' * 100_000, id="a deep object"),
    ],
)
async def test_f29_f32_a_corrupt_record_means_signed_out_and_is_never_sent(
    browser: Browser, server: Server, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The page is told why, in the console, without the value; the next sign-in replaces it."""
    browser.stored[KEY] = text
    auth, client = browser.open().sign(login=None)

    assert not auth.signed_in
    assert "can't be used" in caplog.text
    server.routes["/api/me"] = _whoever
    await client.get("me")
    assert [None] == [call.token for call in server.calls]

    await auth.sign_in(server.sign_in())
    assert auth.signed_in


async def _whoever(call: Call) -> Answer:
    return Answer(200, {})


async def test_f30_the_two_keys_of_the_recipe_are_adopted(browser: Browser, server: Server) -> None:
    """Who switches to this library stays signed in."""
    answer = server.sign_in()
    browser.stored |= {"accessToken": answer["accessToken"], "refreshToken": answer["refreshToken"]}
    tab = browser.open()
    auth, client = tab.sign()
    server.expire()

    assert 200 == (await client.get("me")).status
    assert [KEY] == list(tab.view)
    assert auth.signed_in


async def test_f30_two_tabs_that_adopt_have_one_session(browser: Browser, server: Server) -> None:
    """The id comes from the tokens, so both find the same."""
    answer = server.sign_in()
    browser.stored |= {"accessToken": answer["accessToken"], "refreshToken": answer["refreshToken"]}
    tabs = [browser.open(), browser.open()]
    clients = [tab.sign()[1] for tab in tabs]
    server.expire()

    assert [200, 200] == [(await client.get("me")).status for client in clients]
    assert (1, 0) == (server.refreshes, server.reuses)


@pytest.mark.parametrize("is_over", [True, False])
async def test_f30_keys_that_are_written_later_are_adopted_then(
    browser: Browser, server: Server, is_over: bool
) -> None:
    """Code that knows nothing of this library may sign in after it signed out, or in its place."""
    earlier, _ = browser.open().sign()
    await earlier.sign_in(server.sign_in("bob"))
    await earlier.refresh()
    if is_over:
        await earlier.sign_out()
    browser.die(kept=0.0)
    answer = server.sign_in("ada")
    browser.stored |= {"accessToken": answer["accessToken"], "refreshToken": answer["refreshToken"]}

    auth, client = browser.open().sign()
    await auth.restored()
    server.expire()

    assert "ada" == (await (await client.get("me")).json())["user"]
    browser.die(kept=0.0)
    auth, client = browser.open().sign()
    assert "ada" == (await (await client.get("me")).json())["user"]


async def test_f30_a_record_of_an_older_version_is_read(browser: Browser, server: Server) -> None:
    """Fields that are missing are made up."""
    answer = server.sign_in()
    record = {"access_token": answer["accessToken"], "refresh_token": answer["refreshToken"]}
    browser.stored[KEY] = json.dumps(record)

    auth, client = browser.open().sign()

    assert auth.signed_in
    assert 200 == (await client.get("me")).status


async def test_f33_new_tokens_are_stored_before_anybody_goes_on(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab
) -> None:
    """When the replay leaves, the record has its token."""
    seen: list[bool] = []

    async def look(call: Call) -> Answer:
        user = server.user_of(call.token)
        if user:
            seen.append(json.loads(tab.view[KEY])["access_token"] == call.token)
        return Answer(200, {}) if user else server.refusal()

    server.routes["/api/me"] = look
    server.expire()
    await client.get("me")

    assert [True] == seen


async def test_memory_storage_needs_no_browser(tab: Tab, server: Server) -> None:
    """Its session ends with the page."""
    auth, client = tab.sign(store=MemoryStorage())
    await auth.sign_in(server.sign_in())
    server.expire()

    assert 200 == (await client.get("me")).status
    assert {} == tab.view


@pytest.mark.parametrize("token", ["", "undefined", "null", "a\nb", "a b\x00", "ключ", None, 7, b"x"])
def test_a_token_that_cannot_travel_is_refused(token: Any) -> None:
    """With what is wrong, and without the token."""
    with pytest.raises(ValueError, match="access_token") as caught:
        Tokens(token)
    assert "ключ" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_life", "life"),
    [
        *((60, 60), ("60", 60), ("60.5", 60.5), (-1, None), (0, None), ("soon", None), (1e300, None)),
        *((float("nan"), None), (True, None), ([], None)),
    ],
)
def test_f53_expires_in_is_normalised_or_ignored(given_life: Any, life: float | None) -> None:
    """A life that can't be one is unknown."""
    assert life == Tokens("token", expires_in=given_life).expires_in


def test_the_life_of_a_jwt_is_read_from_it() -> None:
    """``exp − iat``, whatever the clocks say; anything else is unknown."""
    # {"alg":"none"} . {"iat": 1000, "exp": 1900}
    assert 900 == Tokens("eyJhbGciOiJub25lIn0.eyJpYXQiOiAxMDAwLCAiZXhwIjogMTkwMH0.x").expires_in
    assert Tokens("a.b.c").expires_in is None
    assert Tokens("a.e30.c").expires_in is None


def test_what_is_nested_too_deep_for_the_browser_is_not_parsed() -> None:
    """Pyodide's Python would not survive it; brackets in strings, and beside each other, are no depth."""
    deep = "[" * DEEPEST + "]" * DEEPEST
    strings = json.dumps(['\\"[' * 3 * DEEPEST, "{" * DEEPEST])
    wide = json.dumps([{"a": []}] * 3 * DEEPEST)

    for text in (deep, strings, wide):
        assert json.loads(text) == parse_json(text) == parse_json(text.encode())
    for text in (f"[{deep}]", '{"]": ' * 100_000, '["]",' * 100_000, '"[" ' + "[" * 100_000, "[" * 100_000):
        with pytest.raises(ValueError, match="deep"):
            parse_json(text)


def test_a_token_with_deep_claims_is_a_token_like_any_other() -> None:
    """Only its life is unknown."""
    claims = base64.urlsafe_b64encode(b'{"iat": 1, "exp": 61, "a": ' + b"[" * 100_000).decode()

    assert Tokens(f"a.{claims}.c").expires_in is None


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists)
RECORDS = st.dictionaries(
    st.sampled_from(["access_token", "refresh_token", "expires_in", "generation", "id", "issued_at"]), JSON
)


@given(st.text() | JSON.map(json.dumps) | RECORDS.map(json.dumps))
def test_no_text_in_the_store_breaks_the_page(text: str) -> None:
    """Reading a record gives a session that can be written again, or raises ``ValueError``."""
    try:
        session = Session.from_json(text, clock=_Stopped())
    except ValueError:
        return
    assert session.tokens == Session.from_json(session.to_json(), clock=_Stopped()).tokens


class _Stopped(VirtualClock):
    def monotonic(self) -> float:
        return 0.0


def test_a_record_survives_its_writing() -> None:
    """What was written is read again."""
    session = Session.begin(Tokens("a", "r", expires_in=60), generation=3, clock=_Stopped())

    again = Session.from_json(session.to_json(), clock=_Stopped())

    assert (session.id, 3, session.tokens, 60.0) == (again.id, 3, again.tokens, again.tokens.expires_in)
