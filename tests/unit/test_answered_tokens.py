"""devise_token_auth as it is by default: each answer of the API brings the token for the next request."""

from __future__ import annotations

import asyncio
import itertools
import json
from asyncio import gather

import pytest

from silent_refresh import (
    Client,
    Headers,
    RefreshEndpoint,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    Response,
    SilentRefresh,
    Tokens,
)
from tests.world.browser import Browser, Tab
from tests.world.loop import later

BATCH = 5.0  # s in which requests share a token, and the one before the newest is good
FIELD = "access-token"
API = "https://api.example.com"


class Devise:
    """The server, by its ``set_user_by_token.rb``."""

    def __init__(self) -> None:
        self.newest = self.before = ""
        self.changed_at = 0.0
        self.statuses: list[int] = []
        self.seen: list[str | None] = []
        self.validations = 0
        self._numbers = itertools.count(1)

    def sign_in(self, user: str = "ada") -> Tokens:
        """Give a user a first token."""
        self.newest, self.before, self.changed_at = self._next(user), "", self._now()
        return Tokens(self.newest, self.newest)

    def _next(self, user: str) -> str:
        return f"{user}-{next(self._numbers)}"

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def transport(self, request: Request) -> Response:
        """Answer, as a ``Transport``: 20 ms there, 20 ms back."""
        await asyncio.sleep(0.02)
        fields = request.sent_headers()
        token = fields.get(FIELD)
        is_in_batch = self._now() - self.changed_at < BATCH
        is_good = token == self.newest or (token == self.before and is_in_batch)
        self.validations += request.sent_url().endswith("/auth/validate_token")
        self.seen.append(token)
        status, answered = (200, {FIELD: " "}) if is_good and "client" in fields else (401, {})
        if is_good and not is_in_batch:
            self.before, self.newest, self.changed_at = self.newest, self._next("ada"), self._now()
            answered = {FIELD: self.newest}
        self.statuses.append(status)
        await asyncio.sleep(0.02)
        return Response(status, Headers(answered), request.sent_url(), request, text=json.dumps({}))


@pytest.fixture
def devise() -> Devise:
    """Return the server."""
    return Devise()


@pytest.fixture
def tab(devise: Devise) -> Tab:
    """Return a page."""
    return Browser(devise).open("/orders")  # type: ignore[arg-type]  # it asks for transport() alone


def open_page(tab: Tab) -> tuple[SilentRefresh, Client]:
    """Return what the recipe's lines make."""
    same = {"client": "c", "uid": "ada@example.com"}
    endpoint = RefreshEndpoint(
        f"{API}/auth/validate_token", method="GET", headers=same, header=FIELD, next_token=FIELD
    )
    auth, _ = tab.sign(refresh=endpoint)
    return auth, Client(API, auth=auth, headers=same)


async def test_each_answer_brings_the_next_token(tab: Tab, devise: Devise) -> None:
    """No request is refused, none is sent twice, and nothing is renewed."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())

    for _ in range(5):
        await later(BATCH + 1)
        assert 200 == (await client.get("/orders")).status
        assert devise.newest == auth.tokens.access_token
    assert [200] * 5 == devise.statuses
    assert 5 == len(set(devise.seen))


async def test_requests_at_once_share_a_token(tab: Tab, devise: Devise) -> None:
    """One of them brings the next; the blank ones bring none."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())
    await later(BATCH + 1)

    for _ in range(3):
        assert {200} == {answer.status for answer in await gather(*(client.get("/x") for _ in range(10)))}
        await later(1)
    assert devise.newest == auth.tokens.access_token
    assert 2 == len(set(devise.seen))


async def test_f14_another_tab_goes_on_with_it(tab: Tab, devise: Devise) -> None:
    """Even one that was asleep when the token changed, twice (F14)."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())
    other_auth, other = open_page(tab.browser.open("/other"))
    await other_auth.restored()

    for _ in range(2):
        await later(BATCH + 1)
        assert 200 == (await client.get("/x")).status
    await later(BATCH + 1)
    assert 200 == (await other.get("/y")).status
    assert 200 == (await client.get("/x")).status
    assert devise.newest == auth.tokens.access_token == other_auth.tokens.access_token
    assert 0 == devise.validations


async def test_whoever_gives_up_on_an_answer_loses_no_token(tab: Tab, devise: Devise) -> None:
    """The old one is over: what came is kept though nobody waits for it any more."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())
    await later(BATCH + 1)
    tab.browser.delay = lambda what: 0.05
    task = asyncio.ensure_future(client.get("/x"))
    while not devise.statuses:
        await later(0.01)
    await later(0.03)  # the answer is there, and its token on the way to the journal
    task.cancel()
    await later(1)

    assert devise.newest == auth.tokens.access_token


async def test_f69_another_users_answer_brings_nothing(tab: Tab, devise: Devise) -> None:
    """A late one, to the token of whoever was signed in before (F69)."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())
    await later(BATCH + 1)
    waiting = asyncio.ensure_future(client.get("/x"))
    await later(0.03)
    bobs = devise.sign_in("bob")
    await auth.sign_in(bobs)

    await gather(waiting, return_exceptions=True)
    assert bobs == auth.tokens


async def test_a_dead_token_signs_out(tab: Tab, devise: Devise) -> None:
    """The server is asked whether it's good, and says no."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())
    devise.newest = "somebody else's"

    with pytest.raises(RefreshRejected):
        await client.get("/x")
    assert [False, 1] == [auth.signed_in, len(tab.gone_to)]


async def test_a_token_that_is_good_stays(tab: Tab, devise: Devise) -> None:
    """Within five seconds there is no other one: that is said, and nothing is lost."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())

    with pytest.raises(RefreshUnavailable, match="without a next token"):
        await auth.refresh()
    await later(BATCH + 1)
    await auth.refresh()
    assert devise.newest == auth.tokens.access_token
    assert 200 == (await client.get("/x")).status


@pytest.mark.parametrize("odd", ["", "a\u0080b", "undefined"])
async def test_what_is_no_token_is_not_kept(
    tab: Tab, devise: Devise, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    """The answer is its caller's all the same."""
    auth, client = open_page(tab)
    await auth.sign_in(devise.sign_in())
    first = auth.tokens
    monkeypatch.setattr(devise, "_next", lambda user: odd)
    await later(BATCH + 1)

    assert 200 == (await client.get("/x")).status
    assert first == auth.tokens


async def test_f91_a_sign_out_in_another_tab_is_not_undone(tab: Tab, devise: Devise) -> None:
    """An answer that arrives before the word of it does brings nobody back (F91)."""
    auth, _ = open_page(tab)
    await auth.sign_in(devise.sign_in())
    other_auth, other = open_page(tab.browser.open("/other"))
    await other_auth.restored()
    await later(BATCH + 1)
    tab.browser.delay = lambda what: 1.0 if what in ("storage", "channel") else 0.0
    waiting = asyncio.ensure_future(other.get("/x"))
    await later(0.03)
    await auth.sign_out()

    await gather(waiting, return_exceptions=True)
    await later(5)
    third, _ = open_page(tab.browser.open("/third"))
    await third.restored()
    assert [False, False, False] == [page.signed_in for page in (auth, other_auth, third)]
