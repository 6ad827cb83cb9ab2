"""The lab: switches, faults and counters for tests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from app.server.counters import Counters, CountRequests, RequestIds
from tests.server.site import START, Site, bearer

SWITCHES = ["expire", "revoke", "refresh", "api", "ttl", "grace", "nonces", "reset"]
READINGS = ["counters", "requests", "unauthorized"]


async def test_there_is_no_lab_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Without --lab the routes and the test pages don't exist."""
    async with Site(tmp_path, lab=False) as site:
        responses = [await site.http.post(f"/lab/{name}", json={}) for name in SWITCHES]
        responses += [await site.http.get(f"/lab/{name}") for name in READINGS]

    assert {404} == {response.status_code for response in responses}


async def test_expire_ends_every_access_token_but_no_session(site: Site) -> None:
    """Tokens issued before are refused, even of the same instant; those issued afterwards work."""
    tokens = await site.sign_in()

    await site.lab("expire")

    assert "expired" in (await site.get("/api/profile", tokens["accessToken"])).text
    renewed = (await site.refresh(tokens["refreshToken"])).json()
    assert 200 == (await site.get("/api/profile", renewed["accessToken"])).status_code


async def test_revoke_ends_every_refresh_token_but_no_access_token(site: Site) -> None:
    """The session lives as long as its access token does."""
    tokens = await site.sign_in()

    await site.lab("revoke")

    assert 401 == (await site.refresh(tokens["refreshToken"])).status_code
    assert 200 == (await site.get("/api/profile", tokens["accessToken"])).status_code


async def test_counters_count_what_arrived(site: Site) -> None:
    """Refreshes, reuses, API requests and their 401s; sign-ins and the lab itself don't count."""
    tokens = await site.sign_in()
    await site.next_token(await site.next_token(tokens["refreshToken"]))
    await site.get("/api/profile", tokens["accessToken"])
    await site.refresh(tokens["refreshToken"])
    await site.get("/api/profile", tokens["accessToken"])
    await site.http.get("/lab/unauthorized")

    assert {"refresh": 3, "reuse": 1, "api": 2, "unauthorized": 1} == await site.counters()
    await site.lab("reset")
    assert {"refresh": 0, "reuse": 0, "api": 0, "unauthorized": 0} == await site.counters()


async def test_requests_are_counted_by_their_id(site: Site) -> None:
    """A replay has the id of its original, so it shows up as a second one."""
    token = (await site.sign_in())["accessToken"]
    for request_id in ("a", "b", "a"):
        await site.http.get("/api/profile", headers=bearer(token) | {"X-Request-ID": request_id})
    await site.http.get("/api/profile", headers={"X-Request-ID": "c"})
    await site.get("/api/profile", token)
    await site.http.get("/login", headers={"X-Request-ID": "d"})

    assert {"a": 2, "b": 1, "c": 1} == (await site.http.get("/lab/requests")).json()
    await site.lab("reset")
    assert {} == (await site.http.get("/lab/requests")).json()


async def test_the_memory_of_request_ids_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids beyond the limit, or too long, are passed over; known ones still count."""
    monkeypatch.setattr("app.server.counters.MAX_IDS", 2)
    for request_id in ("a", "x" * 201, "b", "c", "a"):
        await site.http.get("/api/profile", headers={"X-Request-ID": request_id})

    assert {"a": 2, "b": 1} == (await site.http.get("/lab/requests")).json()


async def test_a_fault_answers_in_place_of_a_refresh(site: Site) -> None:
    """Status, body and headers are as ordered, as often as ordered, and nothing is rotated."""
    token = (await site.sign_in())["refreshToken"]
    await site.lab("refresh", status=503, body="busy", headers={"Retry-After": "7"}, times=2)

    for _ in range(2):
        response = await site.refresh(token)
        assert (503, "busy", "7") == (response.status_code, response.text, response.headers["Retry-After"])

    await site.next_token(await site.next_token(token))
    assert {"refresh": 4, "reuse": 0, "api": 0, "unauthorized": 0} == await site.counters()


async def test_a_fault_after_the_rotation_loses_its_answer(tmp_path: Path) -> None:
    """The server rotated, so without grace the client's retry is a reuse."""
    async with Site(tmp_path, grace=0) as site:
        token = (await site.sign_in())["refreshToken"]
        await site.lab("refresh", status=502, after=True)

        assert 502 == (await site.refresh(token)).status_code
        assert 401 == (await site.refresh(token)).status_code
        assert 1 == (await site.counters())["reuse"]


async def test_a_late_refresh_is_a_true_one(site: Site) -> None:
    """With a delay only, the answer comes later and is the real one."""
    token = (await site.sign_in())["refreshToken"]
    await site.lab("refresh", delay=4.5)

    await site.next_token(token)

    assert START + 4.5 == site.clock.now


async def test_faults_are_served_in_the_order_they_came(site: Site) -> None:
    """Each waits for those before it."""
    token = (await site.sign_in())["refreshToken"]
    await site.lab("refresh", status=500)
    await site.lab("refresh", status=429)

    assert [500, 429, 200] == [(await site.refresh(token)).status_code for _ in range(3)]


async def test_a_fault_for_the_api_hits_the_next_requests(site: Site) -> None:
    """Whatever resource they ask for, before their token is looked at; refreshes are left alone."""
    tokens = await site.sign_in()
    challenge = 'Basic realm="x", Bearer error="invalid_token"'
    await site.lab("api", status=401, headers={"WWW-Authenticate": challenge}, times=2)

    assert 200 == (await site.refresh(tokens["refreshToken"])).status_code
    responses = [
        await site.get("/api/profile", tokens["accessToken"]),
        await site.http.get("/api/items/1"),
        await site.get("/api/items/1", tokens["accessToken"]),
    ]
    assert [401, 401, 200] == [response.status_code for response in responses]
    assert {challenge} == {response.headers["WWW-Authenticate"] for response in responses[:2]}
    assert {"refresh": 1, "reuse": 0, "api": 3, "unauthorized": 2} == await site.counters()


async def test_a_fault_after_an_api_request_loses_its_answer(site: Site) -> None:
    """The note is written, its answer is not what arrives; a refusal is lost in the same way."""
    headers = bearer((await site.sign_in())["accessToken"])
    await site.lab("api", status=504, after=True, times=2)

    assert 504 == (await site.http.post("/api/notes", headers=headers, json={"text": "x"})).status_code
    assert 504 == (await site.http.get("/api/notes")).status_code
    assert 1 == len((await site.http.get("/api/notes", headers=headers)).json()["notes"])


async def test_lives_can_be_set_while_it_runs(site: Site) -> None:
    """The next access token lives as told; 0 makes one that is expired at once."""
    await site.lab("ttl", access=2.5)
    tokens = await site.sign_in()
    assert 2.5 == tokens["expiresIn"]
    site.clock.advance(2.5)
    assert 401 == (await site.get("/api/profile", tokens["accessToken"])).status_code

    await site.lab("ttl", access=0)
    assert 401 == (await site.get("/api/profile", (await site.sign_in())["accessToken"])).status_code


async def test_the_grace_can_be_set_while_it_runs(site: Site) -> None:
    """Without grace, a parent counts as stolen at once."""
    token = (await site.sign_in())["refreshToken"]
    await site.next_token(token)

    await site.lab("grace", seconds=0)

    assert 401 == (await site.refresh(token)).status_code


async def test_reset_restores_the_start(site: Site) -> None:
    """Lives, grace, faults and failed sign-ins are as in the beginning; sessions go on."""
    token = (await site.sign_in())["refreshToken"]
    for _ in range(10):
        await site.http.post("/login", json={"username": "demo", "password": "wrong"})
    await site.lab("ttl", access=1)
    await site.lab("grace", seconds=0)
    await site.lab("refresh", status=500, times=9)
    await site.lab("api", status=500, times=9)

    await site.lab("reset")

    assert 1800 == (await site.sign_in())["expiresIn"]
    await site.next_token(token)
    renewed = (await site.refresh(token)).json()
    assert 200 == (await site.get("/api/profile", renewed["accessToken"])).status_code


async def test_a_late_refusal_is_not_counted_after_a_reset() -> None:
    """It belongs to what was counted before: a request that a fault holds up outlives its test."""
    counters, held = Counters(), asyncio.Event()

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await held.wait()
        await send({"type": "http.response.start", "status": 401, "headers": []})

    async def nothing(*_: object) -> dict[str, str]:
        return {}

    count = CountRequests(refuse, counters, RequestIds())
    request = asyncio.ensure_future(
        count({"type": "http", "path": "/api/a", "headers": []}, nothing, nothing)
    )
    await asyncio.sleep(0)
    assert Counters(api=1) == counters
    counters.reset()
    held.set()
    await request

    assert Counters() == counters


async def test_a_late_reuse_is_not_counted_after_a_reset(tmp_path: Path) -> None:
    """Neither is one that was held up: its page renewed by another request meanwhile."""
    is_held, held = asyncio.Event(), asyncio.Event()

    async def hold(seconds: float) -> None:
        is_held.set()
        await held.wait()

    async with Site(tmp_path, sleep=hold, grace=0) as site:
        token = (await site.sign_in())["refreshToken"]
        await site.lab("refresh", delay=60)
        late = asyncio.ensure_future(site.refresh(token))
        await is_held.wait()
        await site.next_token(token)
        await site.lab("reset")
        held.set()

        assert 401 == (await late).status_code
        assert {"refresh": 0, "reuse": 0, "api": 0, "unauthorized": 0} == await site.counters()


async def test_one_resource_is_always_unauthorized(site: Site) -> None:
    """However good the token: what a client must not renew for, again and again."""
    response = await site.get("/lab/unauthorized", (await site.sign_in())["accessToken"])

    assert 401 == response.status_code
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "content",
    [
        {"unknown": 1},
        {"delay": -1},
        {"delay": "1"},
        {"delay": True},
        {"delay": 301},
        {"delay": float("nan")},
        {"delay": None},
        {"status": 199},
        {"status": 600},
        {"status": 200.5},
        {"times": 0},
        {"times": 1001},
        {"body": 1},
        {"body": "\ud800"},
        {"headers": []},
        {"headers": {"a b": "c"}},
        {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a": 1}},
        {"headers": {"a": "\u20ac"}},
        {"headers": {"Content-Length": "1"}},
        {"drop": 1},
        {"after": "yes"},
    ],
)
@pytest.mark.parametrize("switch", ["refresh", "api"])
async def test_an_unclear_fault_is_refused(site: Site, switch: str, content: dict[str, Any]) -> None:
    """A test that misspells something is told so, instead of testing nothing."""
    response = await site.post_json(f"/lab/{switch}", content)

    assert (400, "invalid_request") == (response.status_code, response.json()["error"])


@pytest.mark.parametrize(("switch", "name"), [("ttl", "access"), ("grace", "seconds")])
@pytest.mark.parametrize("value", [-1, "1", True, None, float("inf"), 31_536_001])
async def test_an_unclear_duration_is_refused(site: Site, switch: str, name: str, value: object) -> None:
    """Seconds from 0 to a year, and nothing else."""
    for content in ({name: value}, {}):
        response = await site.post_json(f"/lab/{switch}", content)
        assert 400 == response.status_code


async def test_a_test_page_may_call_this_machine(tmp_path: Path) -> None:
    """Its policy lets it reach a second server here; every other page's doesn't."""
    page = tmp_path / "tests/e2e/page"
    page.mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")

    async with Site(tmp_path) as site:
        response = await site.http.get("/tests/e2e/page/index.html")
        assert 200 == response.status_code
        assert "connect-src 'self' http://127.0.0.1:*" in response.headers["Content-Security-Policy"]
    async with Site(tmp_path, lab=False) as site:
        response = await site.http.get("/tests/e2e/page/index.html")
        assert 404 == response.status_code
        assert "connect-src 'self';" in response.headers["Content-Security-Policy"]
