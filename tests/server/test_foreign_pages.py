"""What a page of another origin can send, the lab refuses: over sockets, with what browsers write.

tests/e2e/test_foreign_pages.py has a browser write it.
"""

from __future__ import annotations

import httpx
import pytest

from tests.server.running import Running
from tests.server.site import CREDENTIALS, bearer

# What a page can have sent without asking: https://fetch.spec.whatwg.org/#cors-safelisted-request-header
SAFELISTED = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", None]
FOREIGN = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},  # where the browser is old, or the address is no secure one
    {"Origin": "null"},
]
SWITCHES = ["expire", "revoke", "refresh", "api", "ttl", "grace", "reset"]


async def is_good(http: httpx.AsyncClient, tokens: dict[str, str]) -> bool:
    """Tell whether the lab left a session alone."""
    headers = bearer(tokens["accessToken"])
    profile = await http.get("/api/profile", headers=headers)
    renewed = await http.post("/refresh", json={"refreshToken": tokens["refreshToken"]})
    return [200, 200] == [profile.status_code, renewed.status_code]


@pytest.mark.parametrize("media_type", SAFELISTED)
@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_a_switch_takes_nothing_but_json(
    http: httpx.AsyncClient, media_type: str | None, body: bytes
) -> None:
    """Even from a browser that tells nothing of where a request comes from."""
    tokens = (await http.post("/login", json=CREDENTIALS)).json()

    for switch in SWITCHES:
        headers = {"Content-Type": media_type} if media_type else {}
        answer = await http.post(f"/lab/{switch}", content=body, headers=headers)
        assert 415 == answer.status_code, switch

    assert await is_good(http, tokens)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_the_lab_is_for_pages_of_this_origin(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """JSON is no way in either, and what the lab tells is told to nobody else."""
    tokens = (await http.post("/login", json=CREDENTIALS)).json()

    answers = [await http.post(f"/lab/{switch}", json={}, headers=headers) for switch in SWITCHES]
    answers += [await http.get(f"/lab/{name}", headers=headers) for name in ("counters", "requests")]

    assert {403} == {answer.status_code for answer in answers}
    assert await is_good(http, tokens)


async def test_a_foreign_page_is_granted_nothing(http: httpx.AsyncClient) -> None:
    """A page that asks whether it may send JSON to the lab hears no yes."""
    headers = FOREIGN[0] | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = await http.options("/lab/expire", headers=headers)

    assert 405 == answer.status_code
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", [{"Sec-Fetch-Site": "same-origin"}, {}])
async def test_the_servers_own_page_may(
    server: Running, http: httpx.AsyncClient, site: dict[str, str]
) -> None:
    """By what the browser says of the request, or by its origin."""
    headers = {"Origin": server.url.rstrip("/")} | site

    assert 204 == (await http.post("/lab/expire", json={}, headers=headers)).status_code
    assert 200 == (await http.get("/lab/counters", headers=site)).status_code
