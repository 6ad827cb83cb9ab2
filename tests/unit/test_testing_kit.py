"""``silent_refresh.testing``: page code is tested in CPython, against the engine that runs in browsers."""

from __future__ import annotations

import re
import subprocess
import sys
from asyncio import gather
from pathlib import Path

import pytest

from silent_refresh import (
    Client,
    LocalStorage,
    NetworkError,
    NotSignedIn,
    RefreshRejected,
    RefreshUnavailable,
    SilentRefresh,
)
from silent_refresh.testing import Call, FakePage, FakeServer

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python (?P<name>\w+\.py)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)

pytest_plugins = ["silent_refresh.testing.fixtures"]


@pytest.fixture
async def client(fake_server: FakeServer, fake_page: FakePage) -> Client:
    """Return a page's client, ``ada`` signed in."""
    fake_server.answer("GET", "/api/profile", {"name": "Ada"})
    auth = SilentRefresh()
    await auth.sign_in(fake_server.sign_in())
    return Client("/api", auth=auth)


async def test_an_expired_token_is_renewed_once_for_all(client: Client, fake_server: FakeServer) -> None:
    """As in a browser."""
    fake_server.expire()

    answers = await gather(*(client.get("profile") for _ in range(20)))

    assert {"Ada"} == {(await answer.json())["name"] for answer in answers}
    assert 1 == fake_server.refreshes


async def test_time_ends_a_token(client: Client, fake_server: FakeServer) -> None:
    """The page's clock goes on with the server's, so that the token is renewed before it's sent."""
    fake_server.pass_time(1801)

    assert 200 == (await client.get("profile")).status
    assert ["/refresh", "/api/profile"] == [call.path for call in fake_server.calls]


async def test_a_revoked_session_ends_at_the_login(
    client: Client, fake_server: FakeServer, fake_page: FakePage
) -> None:
    """The page is told where it was sent to."""
    fake_server.revoke()

    with pytest.raises(RefreshRejected):
        await client.get("profile")
    assert ["/login?next=%2F&reason=rejected"] == fake_page.gone_to


async def test_a_used_refresh_token_ends_its_session(fake_server: FakeServer, fake_page: FakePage) -> None:
    """Two sessions that share one look like a theft (RFC 9700 §4.14.2)."""
    answer = fake_server.sign_in()
    first, second = SilentRefresh(), SilentRefresh(store=LocalStorage("another"))
    await first.sign_in(answer)
    await second.sign_in(answer)

    await first.refresh()
    with pytest.raises(RefreshRejected):
        await second.refresh()
    with pytest.raises(RefreshRejected):
        await first.refresh()


async def test_what_is_told_to_fail_fails_that_often(client: Client, fake_server: FakeServer) -> None:
    """The token endpoint as well as the API."""
    fake_server.fail("/api/profile", 500, times=2)

    assert [500, 500, 200] == [(await client.get("profile")).status for _ in range(3)]

    fake_server.fail("/refresh", 503, times=100)
    fake_server.expire()
    with pytest.raises(RefreshUnavailable):
        await client.get("profile")


async def test_offline_nothing_arrives(client: Client, fake_server: FakeServer) -> None:
    """And nothing is counted."""
    fake_server.offline = True

    with pytest.raises(NetworkError):
        await client.get("profile")
    assert [] == fake_server.calls


async def test_an_answer_may_be_worked_out(client: Client, fake_server: FakeServer) -> None:
    """From the call: who asks, and for what."""

    def greeting(call: Call) -> dict[str, object]:
        return {"user": call.user, "query": call.query, "sent": call.json()}

    fake_server.answer("POST", "/api/notes", greeting, status=201)
    response = await client.post("notes", params={"page": 2}, json={"text": "hello"})

    assert 201 == response.status
    assert {"user": "ada", "query": "page=2", "sent": {"text": "hello"}} == await response.json()


async def test_nobody_gets_what_is_not_public(fake_server: FakeServer, fake_page: FakePage) -> None:
    """Without a session a public path is answered, and another sends the page to the login."""
    fake_server.answer("GET", "/api/words", ["hello"], public=True)
    client = Client("/api", auth=SilentRefresh())

    assert ["hello"] == await (await client.get("words")).json()
    with pytest.raises(NotSignedIn):
        await client.get("profile")
    assert ["/login?next=%2F&reason=not_signed_in"] == fake_page.gone_to


async def test_a_page_is_found_only_while_it_is_entered(fake_page: FakePage) -> None:
    """Pages may stand in one another; without one there's no browser here."""
    store = LocalStorage()
    with FakeServer().page():
        assert LocalStorage() is not store
    assert LocalStorage() is store
    fake_page.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match=r"silent_refresh\.testing"):
        LocalStorage()


def test_the_recipe_runs_as_it_stands(tmp_path: Path) -> None:
    """docs/recipes/testing.md: its files, with pytest, in a folder of their own."""
    recipe = (ROOT / "docs/recipes/testing.md").read_text(encoding="utf-8")
    files = {found["name"]: found["code"] for found in BLOCK.finditer(recipe)}
    for name, code in files.items():
        (tmp_path / name).write_text(code, encoding="utf-8")

    assert {"orders.py", "conftest.py", "test_orders.py"} == files.keys()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "."],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "app"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr
