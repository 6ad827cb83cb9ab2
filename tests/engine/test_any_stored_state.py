"""Whatever is stored, in the store and in the journal: each request ends as it should (F99).

Hypothesis writes both places: what JSON and text can hold, what this and earlier versions could have left,
torn, swapped, ahead of each other, of another origin's making. Then a new sign-in heals, always.
"""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silent_refresh import (
    NotSignedIn,
    RefreshEndpoint,
    RefreshRejected,
    SilentRefresh,
    SilentRefreshError,
)
from tests.engine.watch import holds
from tests.world.browser import Browser
from tests.world.loop import VirtualLoop, later
from tests.world.server import Server

STATES = 20_000 if os.environ.get("SOAK") else 2000
OWNER = "https://app.example/refresh"
DEADLINE = 20.0  # s

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
generations = st.integers(-2, 6) | st.sampled_from([2**53, 2**53 + 1, 10**18, 10**400, 1.5, "3", True, None])
sessions = st.sampled_from(["ours", "another", "third", "", None, 7])
access_tokens = st.sampled_from(["good", "old", "access-eve-9", "undefined", "", "with\nline", None, 5])
refresh_tokens = st.sampled_from(["good", "old", "refresh-eve-9", "null", None, []])
times = st.sampled_from([1_764_000_000.0, 0, -5, 10**400, 1e300, "now", None, 1_764_000_000.0 + 1e6])


def records() -> st.SearchStrategy[dict[str, Any]]:
    """Return records of all versions, whole and in parts."""
    return st.fixed_dictionaries(
        {"access_token": access_tokens, "refresh_token": refresh_tokens},
        optional={
            "version": st.sampled_from([1, 2, 0, "1", None]),
            "owner": st.sampled_from([OWNER, "https://app.example/b/refresh", "", 5, None]),
            "id": sessions,
            "generation": generations,
            "issued_at": times,
            "expires_in": st.sampled_from([1800, 0, -1, 10**400, "1800", "inf", None, [], 1e-300]),
            "key": st.sampled_from(["the session's", "K" * 43, "", 5, None]),
        },
    )


texts = (
    records().map(json.dumps)
    | anything.map(json.dumps)
    | st.text(max_size=40)
    | records().map(lambda record: json.dumps(record)[:-9])
    | st.sampled_from(["[" * 9000, '{"a":' * 9000, "9" * 5000, "undefined", "null", ""])
)
entries = (
    st.fixed_dictionaries(
        {"generation": generations, "session": sessions, "ended": st.sampled_from([True, False, 0, None])},
        optional={
            "version": st.sampled_from([1, 2, "x"]),
            "record": texts | records().map(json.dumps) | st.none() | anything,
            "in_store": st.sampled_from([True, False, None]),
            "at": times,
        },
    ).map(json.dumps)
    | texts
    | st.none()
    | st.integers()
    | st.binary(max_size=9)
)


def filled_in(text: object, answer: dict[str, Any], old: dict[str, Any], key: str | None = None) -> Any:
    """Put in the tokens that the server knows, those that it knew, and the name of their key."""
    if not isinstance(text, str):
        return text
    text = text.replace("the session's", key or "none")
    for kind, name in (("access_token", "accessToken"), ("refresh_token", "refreshToken")):
        for word, source in (("good", answer), ("old", old)):
            text = text.replace(f'{kind}": "{word}"', f'{kind}": "{source[name]}"')
            text = text.replace(f'{kind}\\": \\"{word}\\"', f'{kind}\\": \\"{source[name]}\\"')
    return text


async def signed_in(auth: SilentRefresh, server: Server, user: str) -> dict[str, Any]:
    """Sign in, with tokens that are bound to a key where the page wants that; return the answer."""
    answer = server.sign_in(user, await auth._session.proving_key())
    await auth.sign_in(answer)
    return answer


async def start_with(
    stored: dict[str, str | None], entry: object, *, expires: bool, dpop: bool, has_key: bool
) -> None:
    """Start a page with what is stored, ask for something, and sign in anew."""
    server = Server()
    browser = Browser(server)
    endpoint = RefreshEndpoint.article(dpop=dpop)
    writer, asker = browser.open().sign(refresh=endpoint)
    old = await signed_in(writer, server, "ada")
    server.expire()
    await asker.get("me")
    assert writer.tokens is not None
    answer = {"accessToken": writer.tokens.access_token, "refreshToken": writer.tokens.refresh_token}
    browser.die()
    key = browser.keys.get(f"silent-refresh {OWNER}")
    browser.stored = {
        name: filled_in(text, answer, old, key) for name, text in stored.items() if text is not None
    }
    browser.journal = {f"silent-refresh {OWNER}": filled_in(entry, answer, old, key)}
    if not has_key:
        browser.keys.clear()
    if expires:
        server.expire()
    page = browser.open("/orders")
    auth, client = page.sign(refresh=endpoint)
    before = page.clock.monotonic()
    try:
        response = await client.get("me", timeout=DEADLINE)
        holds(20, response.status == 200, f"{response!r}")
    except SilentRefreshError as error:
        is_told = isinstance(error, NotSignedIn | RefreshRejected)
        holds(20, is_told and page.gone_to, f"{error!r}, and the page is at {page.gone_to}")
    holds(20, page.clock.monotonic() - before <= DEADLINE, "it took too long")
    await signed_in(auth, server, "eve")
    server.expire()
    healed = await client.get("me", timeout=DEADLINE)
    holds(20, (await healed.json())["user"] == "eve", "a new sign-in did not heal")
    await later(3)
    browser.die(kept=1.0)
    again = await browser.open().sign(refresh=endpoint)[1].get("me", timeout=DEADLINE)
    holds(21, (await again.json())["user"] == "eve", "the new sign-in did not survive")


@settings(max_examples=STATES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    record=texts | st.none(),
    beside=st.none() | texts,
    article=st.none() | st.sampled_from(["good", "undefined", "old", ""]),
    entry=entries,
    expires=st.booleans(),
    dpop=st.booleans(),
    has_key=st.booleans(),
)
def test_no_stored_state_leaves_anybody_stuck(
    record: str | None,
    beside: str | None,
    article: str | None,
    entry: object,
    expires: bool,
    dpop: bool,
    has_key: bool,
) -> None:
    """From each, within the deadline of a refresh; and a new sign-in heals it (F97, F99)."""
    loop = VirtualLoop()
    stored = {
        "silent-refresh": record,
        f"silent-refresh@{OWNER}": beside,
        "accessToken": article,
        "refreshToken": article,
    }
    try:
        loop.run_until_complete(start_with(stored, entry, expires=expires, dpop=dpop, has_key=has_key))
    finally:
        loop.close()
