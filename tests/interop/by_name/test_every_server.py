"""Servers by name, docs/recipes/servers.md: each with the recipe's lines, in four situations.

| expired       | renewed, and the request is answered |
| dead          | signed out, the login is shown       |
| down          | the session is kept                  |
| misconfigured | kept, and loud                       |
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from silent_refresh import (
    Client,
    NotSignedIn,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    SilentRefresh,
    Tokens,
)
from tests.interop.by_name import table
from tests.interop.by_name.contracts import CONTRACTS, Contract, Fake, Says
from tests.world.browser import Browser, Tab
from tests.world.loop import later

RECIPE = Path(__file__).resolve().parents[3] / "docs" / "recipes" / "servers.md"
CHAPTER = RECIPE.read_text(encoding="utf-8").partition("\n## Servers by name\n")[2].partition("\n## ")[0]
PARTS = re.split(r"^### (.+)\n", CHAPTER, flags=re.MULTILINE)
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEFORE, BEHIND = CODE.findall(PARTS[0])
ROWS = {name: CODE.findall(text)[0] for name, text in zip(PARTS[1::2], PARTS[2::2], strict=True)}
MOST_OPTIONS = 6
DEAD = [(name, number) for name, contract in CONTRACTS.items() for number in range(len(contract.dead))]


class Opened:
    """A page that has a row's lines, somebody signed in at the row's server."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.contract: Contract = CONTRACTS[name]
        document = SimpleNamespace(cookie="")
        pyscript = ModuleType("pyscript")
        pyscript.document = document  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "pyscript", pyscript)
        names = run(BEFORE, {})
        tab_of_recipe = Tab(Browser(_Nobody()), "https://app.example/orders")  # type: ignore[arg-type]
        for module in ("auth", "client", "protocol.endpoint"):
            monkeypatch.setattr(f"silent_refresh.{module}.current_platform", lambda: tab_of_recipe.platform)
        names = run(ROWS[name], names)
        self.fake = Fake(self.contract, names["endpoint"].url)
        tab_of_recipe.browser.server = self.fake  # type: ignore[assignment]
        self.tab = tab_of_recipe
        if "auth" not in names:
            names = run(BEHIND, names)
        elif "client" not in names:
            names["client"] = Client("https://api.example.com", auth=names["auth"])
        self.auth: SilentRefresh = names["auth"]
        self.client: Client = names["client"]
        self._document = document

    async def sign_in(self) -> None:
        answer = self.fake.sign_in()
        self._show_cookie()
        if self.contract.cookie == "both":
            await self.auth.sign_in({"user": "ada"})
        elif any(name.startswith("Access") for name in answer.headers):
            token = answer.headers["Access-Token"]
            await self.auth.sign_in(Tokens(token, token))
        else:
            await self.auth.sign_in(sign_in_answer(answer, self.fake))

    async def ask(self) -> Any:
        """Ask the API, as often as the page does."""
        self._show_cookie()
        answer = await self.client.get("https://api.example.com/orders")
        self._show_cookie()
        return answer.status, await answer.json()

    def _show_cookie(self) -> None:
        names = ("XSRF-TOKEN", "csrf_refresh_token")
        self._document.cookie = "; ".join(f"{name}={self.fake.cookie_csrf}" for name in names)

    async def expire(self) -> None:
        """End the access token; where the API doesn't say so, by the clock."""
        self.fake.expire()
        if self.contract.makes_jwt:
            await later(598)


class _Nobody:
    """A network before the server is known."""


def sign_in_answer(answer: Says, fake: Fake) -> dict[str, Any] | Tokens:
    """Return what a sign-in gives; at Cognito that has the refresh token, and a renewal hasn't."""
    body: dict[str, Any] = answer.body
    found = body.get("AuthenticationResult")
    return Tokens(found["AccessToken"], fake.refresh_token) if found else body


def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run lines of the recipe."""
    exec(compile(code, RECIPE.name, "exec"), names)
    return names


@pytest.fixture
async def opened(name: str, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Return the page."""
    page = Opened(name, monkeypatch)
    await page.sign_in()
    assert (200, {"ok": True, "user": "ada"}) == await page.ask()
    assert 0 == page.fake.refreshes
    return page


def test_every_row_is_run() -> None:
    """The recipe's sections are the contracts'."""
    assert list(CONTRACTS) == list(ROWS)


def test_the_table_says_what_was_met() -> None:
    """Each server's answers are those of the tests, and nobody needs more than six options."""
    assert table.table() == table.written()
    assert all(int(options) <= MOST_OPTIONS for _, options, *_ in table.rows())


@pytest.mark.parametrize("name", CONTRACTS)
async def test_an_expired_token_is_renewed(opened: Opened) -> None:
    """Once each time, with the refresh token of the time before, and the request is answered."""
    for number in (1, 2, 3):
        await opened.expire()
        assert (200, {"ok": True, "user": "ada"}) == await opened.ask()
        assert number == opened.fake.refreshes
    assert [] == opened.tab.gone_to


@pytest.mark.parametrize(("name", "number"), DEAD)
async def test_a_dead_one_signs_out(opened: Opened, number: int) -> None:
    """However this server says so: the login is shown, once."""
    opened.fake.die(opened.contract.dead[number])
    await opened.expire()

    with pytest.raises(RefreshRejected):
        await opened.ask()
    assert not opened.auth.signed_in
    assert 1 == len(opened.tab.gone_to)


@pytest.mark.parametrize("name", CONTRACTS)
async def test_a_server_that_is_down_keeps_the_session(opened: Opened) -> None:
    """And goes on when it is there again."""
    opened.fake.situation = "down"
    await opened.expire()
    if not opened.contract.makes_jwt:  # renewed ahead: the request goes out, and is answered with nothing
        with pytest.raises(RefreshUnavailable):
            await opened.ask()
    assert opened.auth.signed_in

    opened.fake.situation = "well"
    await later(60)
    assert (200, {"ok": True, "user": "ada"}) == await opened.ask()
    assert [] == opened.tab.gone_to


@pytest.mark.parametrize("name", CONTRACTS)
async def test_a_client_that_is_not_understood_is_told(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """It says what to change, and keeps the session."""
    opened.fake.situation = "confused"

    with pytest.raises(RefreshMisconfigured):
        await opened.auth.refresh()
    assert opened.auth.signed_in
    assert "the refresh endpoint can't be used" in caplog.text
    assert [] == opened.tab.gone_to


@pytest.mark.parametrize("server", ["Spring Authorization Server", "fastapi-users"])
async def test_where_there_is_nothing_to_renew(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    """Every caller is told to sign in, and the page leaves once."""
    page = Opened("ASP.NET Core Identity (MapIdentityApi)", monkeypatch)
    access = page.fake.sign_in().body["accessToken"]
    await page.auth.sign_in(Tokens(access))
    assert (200, {"ok": True, "user": "ada"}) == await page.ask()
    page.fake.expire()

    for _ in range(2):
        with pytest.raises(NotSignedIn):
            await page.ask()
    assert [0, 1] == [page.fake.refreshes, len(page.tab.gone_to)]
