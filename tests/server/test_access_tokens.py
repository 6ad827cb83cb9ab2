"""Access tokens: who gets in, who is kept out, and what the challenge says (RFC 6750 §3)."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import jwt
import pytest

from tests.server.site import Site, bearer

BARE = 'Bearer realm="silent-refresh"'


def claims_of(token: str) -> dict[str, Any]:
    """Read a token's claims without checking it."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def key_of(site: Site) -> bytes:
    """Read the server's signing key."""
    return (site.data / "signing.key").read_bytes()


async def test_a_request_without_a_token_gets_a_bare_challenge(site: Site) -> None:
    """No error code when no token was sent (RFC 6750 §3.1), nor for another scheme."""
    for headers in ({}, {"Authorization": "Basic ZGVtbzpkZW1v"}):
        response = await site.http.get("/api/profile", headers=headers)

        assert (401, BARE) == (response.status_code, response.headers["WWW-Authenticate"])


async def test_an_expired_token_is_refused(site: Site) -> None:
    """It works to the last second of its life; afterwards the challenge says invalid_token."""
    token = (await site.sign_in())["accessToken"]
    site.clock.advance(1799)
    assert 200 == (await site.get("/api/profile", token)).status_code
    site.clock.advance(1)

    response = await site.get("/api/profile", token)

    assert 401 == response.status_code
    assert (
        f'{BARE}, error="invalid_token", error_description="The access token expired"'
        == response.headers["WWW-Authenticate"]
    )
    assert "no-store" == response.headers["Cache-Control"]


async def test_the_scheme_is_case_insensitive(site: Site) -> None:
    """As RFC 9110 §11.1 wants it."""
    token = (await site.sign_in())["accessToken"]

    response = await site.http.get("/api/profile", headers={"Authorization": f"bEARER  {token}"})

    assert 200 == response.status_code


async def test_a_refresh_token_is_no_access_token(site: Site) -> None:
    """The API takes only what was issued for it."""
    tokens = await site.sign_in()

    assert 401 == (await site.get("/api/profile", tokens["refreshToken"])).status_code


async def test_a_token_in_the_query_or_a_form_is_not_read(site: Site) -> None:
    """Tokens in addresses end up in logs (RFC 9700 §4.3.2), so they are not accepted there."""
    token = (await site.sign_in())["accessToken"]

    assert 401 == (await site.http.get("/api/echo", params={"access_token": token})).status_code
    assert 401 == (await site.http.post("/api/echo", data={"access_token": token})).status_code


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_only_one_algorithm_is_allowed(site: Site, algorithm: str) -> None:
    """The right key with another algorithm is refused: the token doesn't choose (RFC 8725 §3.1)."""
    claims = claims_of((await site.sign_in())["accessToken"])
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(claims, key_of(site), algorithm=algorithm, headers={"typ": "at+jwt"})

    assert 401 == (await site.get("/api/profile", token)).status_code


async def test_an_unsigned_token_is_refused(site: Site) -> None:
    """``alg: none`` gets nobody in."""
    claims = claims_of((await site.sign_in())["accessToken"])
    parts = [{"alg": "none", "typ": "at+jwt"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]

    for token in (".".join([*encoded, ""]), jwt.encode(claims, "", algorithm="none")):
        assert 401 == (await site.get("/api/profile", token)).status_code


@pytest.mark.parametrize(
    "change",
    [
        {"typ": "refresh"},
        {"iss": "someone-else"},
        {"fam": "unknown"},
        {"fam": None},
        {"fam": ["x"]},
        {"epoch": "0"},
        {"epoch": True},
        {"epoch": 2**70},
        {"exp": "never"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": None},
        {"sub": 1},
    ],
)
async def test_a_signed_token_with_odd_claims_is_refused(site: Site, change: dict[str, Any]) -> None:
    """Even with our own signature, a claim that isn't as issued makes the token invalid; never a crash."""
    claims = claims_of((await site.sign_in())["accessToken"]) | change
    token = jwt.encode(claims, key_of(site), algorithm="HS256", headers={"typ": "at+jwt"})

    assert 401 == (await site.get("/api/profile", token)).status_code


async def test_a_token_for_another_purpose_is_refused(site: Site) -> None:
    """The header's ``typ`` tells an access token from any other JWT under the same key (RFC 8725 §3.11)."""
    claims = claims_of((await site.sign_in())["accessToken"])
    token = jwt.encode(claims, key_of(site), algorithm="HS256")

    assert 401 == (await site.get("/api/profile", token)).status_code


async def test_a_tampered_token_is_refused(site: Site) -> None:
    """Other claims under an old signature are worth nothing."""
    head, payload, signature = (await site.sign_in())["accessToken"].split(".")
    other = jwt.encode(claims_of(f"{head}.{payload}.{signature}") | {"sub": "root"}, "x" * 32)

    response = await site.get("/api/profile", f"{head}.{other.split('.')[1]}.{signature}")

    assert 401 == response.status_code


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer a b", "Bearer ä", "Bearer ,"])
async def test_a_malformed_header_is_told_from_a_wrong_token(site: Site, value: str) -> None:
    """What can't be a token is not even looked at (RFC 6750 §2.1)."""
    headers = httpx.Headers({"Authorization": value}, encoding="latin-1")

    response = await site.http.get("/api/profile", headers=headers)

    assert (401, "The access token is malformed") == (
        response.status_code,
        response.json()["error_description"],
    )
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


async def test_a_refused_token_is_not_repeated(site: Site) -> None:
    """The answer says what is wrong and never what was sent."""
    response = await site.get("/api/profile", "a.b.c")

    assert (401, "The access token is not valid") == (
        response.status_code,
        response.json()["error_description"],
    )
    assert "a.b.c" not in response.text + response.headers["WWW-Authenticate"]


async def test_a_missing_scope_is_403(site: Site) -> None:
    """A renewed token would not have the scope either, so it must not be a 401 (RFC 6750 §3.1)."""
    token = (await site.sign_in())["accessToken"]

    response = await site.get("/api/admin", token)

    assert (403, "insufficient_scope") == (response.status_code, response.json()["error"])
    assert 'error="insufficient_scope", scope="admin"' in response.headers["WWW-Authenticate"]
    assert 401 == (await site.http.get("/api/admin")).status_code


async def test_a_key_signs_for_its_own_data_folder_only(site: Site, tmp_path_factory: Any) -> None:
    """Another server's token, of the same user, is refused."""
    async with Site(tmp_path_factory.mktemp("other")) as other:
        token = (await other.sign_in())["accessToken"]

    assert 401 == (await site.http.get("/api/profile", headers=bearer(token))).status_code
