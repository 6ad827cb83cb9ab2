"""The protected resources, and the limits on what may be sent to them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest

from app.server.headers import IMPORT_MAP_HASH
from tests.server.site import START, Site, bearer

METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY"]


@pytest.fixture
async def headers(site: Site) -> dict[str, str]:
    """The headers of a signed-in user."""
    return bearer((await site.sign_in())["accessToken"])


async def test_the_profile_is_the_signed_in_users(site: Site, headers: dict[str, str]) -> None:
    """It says who the token speaks for, and no cache may keep it."""
    response = await site.http.get("/api/profile", headers=headers)

    profile = {"username": "demo", "name": "Demo User", "email": "demo@example.org"}
    assert {**profile, "refreshExpiresIn": 604800} == response.json()
    assert "no-store" == response.headers["Cache-Control"]


async def test_notes_are_kept_newest_first(site: Site, headers: dict[str, str]) -> None:
    """What was posted is listed."""
    assert {"notes": []} == (await site.http.get("/api/notes", headers=headers)).json()
    for text in ("first", "second"):
        response = await site.http.post("/api/notes", headers=headers, json={"text": text})
        assert (201, text) == (response.status_code, response.json()["text"])

    notes = (await site.http.get("/api/notes", headers=headers)).json()["notes"]

    assert [
        {"id": 2, "text": "second", "createdAt": START},
        {"id": 1, "text": "first", "createdAt": START},
    ] == notes


@pytest.mark.parametrize("text", ["", "x" * 2001, 1, None, "\ud800"])
async def test_a_note_that_is_none_is_refused(site: Site, headers: dict[str, str], text: object) -> None:
    """Empty, too long, or no text at all."""
    response = await site.post_json("/api/notes", {"text": text}, headers)

    assert 400 == response.status_code


@pytest.mark.parametrize(("n", "status"), [("7", 200), ("-1", 404), ("x", 404), ("²", 404), ("9" * 500, 404)])
async def test_items_have_numbers(site: Site, headers: dict[str, str], n: str, status: int) -> None:
    """There is one for each number, and nothing else."""
    response = await site.http.get(f"/api/items/{n}", headers=headers)

    assert status == response.status_code
    if status == 200:
        assert {"item": 7, "name": "Item 7"} == response.json()


@pytest.mark.parametrize("method", METHODS)
async def test_echo_answers_what_arrived(site: Site, headers: dict[str, str], method: str) -> None:
    """Every method, the raw query and the body come back."""
    body = b"\x00\xffbody"
    response = await site.http.request(method, "/api/echo?a=1&a=%20", headers=headers, content=body)

    assert 200 == response.status_code
    if method == "HEAD":
        return
    echo = response.json()
    assert (method, "a=1&a=%20") == (echo["method"], echo["query"])
    assert (6, hashlib.sha256(body).hexdigest()) == (echo["bytes"], echo["sha256"])


async def test_echo_leaves_credentials_out(site: Site, headers: dict[str, str]) -> None:
    """Other headers come back; tokens and cookies don't, so that they can't leak from here."""
    sent = headers | {"Cookie": "a=b", "Proxy-Authorization": "Basic eA==", "X-Request-ID": "42"}

    echoed = (await site.http.get("/api/echo", headers=sent)).json()["headers"]

    assert "42" == echoed["x-request-id"]
    assert not {"authorization", "cookie", "proxy-authorization"} & set(echoed)


async def test_a_body_that_is_too_large_is_not_read_to_its_end(site: Site, headers: dict[str, str]) -> None:
    """An upload of four times the limit is refused as soon as it passes it."""
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 65536
            yield b"x" * 65536

    response = await site.http.post("/api/echo", headers=headers, content=chunks())

    assert (413, "content_too_large") == (response.status_code, response.json()["error"])
    assert sent < 1024 * 1024 + 3 * 65536


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/refresh", "POST"),
        ("DELETE", "/login", "GET, HEAD, POST"),
        ("PUT", "/api/notes", "GET, HEAD, POST"),
        ("BREW", "/api/echo", ", ".join(METHODS)),
    ],
)
async def test_other_methods_are_told_which_fit(site: Site, method: str, path: str, allowed: str) -> None:
    """405 names the methods that are allowed (RFC 9110 §15.5.6)."""
    response = await site.http.request(method, path)

    assert 405 == response.status_code
    assert allowed == ", ".join(sorted(response.headers["Allow"].split(", ")))
    assert "no-store" == response.headers["Cache-Control"]


async def test_an_unknown_resource_is_json_404(site: Site, headers: dict[str, str]) -> None:
    """A client that parses JSON can read why."""
    response = await site.http.get("/api/nothing", headers=headers)

    assert (404, "not_found") == (response.status_code, response.json()["error"])


async def test_every_answer_carries_the_security_headers(site: Site) -> None:
    """Pages, errors and API alike."""
    for path in ("/", "/api/profile", "/missing", "/lab/counters"):
        sent = (await site.http.get(path)).headers
        policy = sent["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "connect-src 'self';" in policy
        assert f"script-src 'self' 'wasm-unsafe-eval' '{IMPORT_MAP_HASH}';" in policy
        assert "worker-src 'self'; trusted-types ways-worker" in policy
        assert "unsafe-inline" not in policy
        assert "'unsafe-eval'" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "nosniff" == sent["X-Content-Type-Options"]
        assert "same-origin" == sent["Referrer-Policy"]
        assert "same-origin" == sent["Cross-Origin-Opener-Policy"]
        assert "same-origin" == sent["Cross-Origin-Resource-Policy"]
        assert "server" not in sent
