"""DPoP: tokens that are bound to a key, and what happens without it (RFC 9449)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import jwt

from tests.server.sender import DPOP, Sender, answered, bound
from tests.server.site import CREDENTIALS, Site


async def test_a_sign_in_with_a_proof_binds_both_tokens(site: Site, sender: Sender) -> None:
    """The type of the token says it, and the token itself (RFC 9449 §5, §6.1)."""
    tokens = await sender.sign_in()

    claims = jwt.decode(tokens["accessToken"], options={"verify_signature": False})
    assert ("DPoP", 1800) == (tokens["tokenType"], tokens["expiresIn"])
    assert {"jkt": sender.key.thumbprint} == claims["cnf"]
    assert 200 == (await sender.get(tokens["accessToken"])).status_code
    renewed = (await sender.refresh(tokens["refreshToken"])).json()
    assert "DPoP" == renewed["tokenType"]
    assert 200 == (await sender.get(renewed["accessToken"])).status_code


async def test_without_a_proof_tokens_are_bearer_tokens(site: Site) -> None:
    """As they ever were: no claim, no challenge, no header more."""
    response = await site.http.post("/login", json=CREDENTIALS)

    tokens = response.json()
    assert "Bearer" == tokens["tokenType"]
    assert "cnf" not in jwt.decode(tokens["accessToken"], options={"verify_signature": False})
    answers = [response, *[await site.get("/api/profile", token) for token in (tokens["accessToken"], "x")]]
    assert [200, 200, 401] == [answer.status_code for answer in answers]
    assert not [answer for answer in answers if "DPoP" in str(answer.headers)]


async def test_a_bound_access_token_is_worthless_without_its_key(site: Site, sender: Sender) -> None:
    """Sent as a bearer token, without a proof, or with a proof of another key (RFC 9449 §7)."""
    token = (await sender.sign_in())["accessToken"]

    as_bearer = await site.get("/api/profile", token)
    unproved = await site.http.get("/api/profile", headers=bound(token))
    of_another = await Sender(site).get(token)

    assert (401, "invalid_token") == answered(as_bearer) == answered(of_another)
    assert (401, "invalid_dpop_proof") == answered(unproved)
    for response in (unproved, of_another):
        assert response.headers["WWW-Authenticate"].startswith(f"{DPOP}, error=")
    assert 200 == (await sender.get(token)).status_code


async def test_a_bound_refresh_token_is_worthless_without_its_key(site: Site, sender: Sender) -> None:
    """Nothing is told, used up or ended by whoever has only the token (RFC 9449 §5)."""
    first = await sender.sign_in()
    second = (await sender.refresh(first["refreshToken"])).json()["refreshToken"]

    for stolen in (first["refreshToken"], second):
        assert (400, "invalid_dpop_proof") == answered(await site.refresh(stolen))
        assert (401, "invalid_grant") == answered(await Sender(site).refresh(stolen))

    assert 200 == (await sender.refresh(second)).status_code
    assert 0 == (await site.counters())["reuse"]


async def test_reuse_by_the_keys_own_holder_ends_the_session(site: Site, sender: Sender) -> None:
    """Rotation goes on as ever: the key says where the token is, not that it is the newest."""
    first = (await sender.sign_in())["refreshToken"]
    second = (await sender.refresh(first)).json()["refreshToken"]
    third = (await sender.refresh(second)).json()["refreshToken"]

    assert (401, "invalid_grant") == answered(await sender.refresh(first))
    assert (401, "invalid_grant") == answered(await sender.refresh(third))
    assert 1 == (await site.counters())["reuse"]


async def test_a_bearer_session_is_bound_by_its_first_proof(site: Site, sender: Sender) -> None:
    """A page that begins to use DPoP needs no new sign-in, and can't go back."""
    tokens = await site.sign_in()

    renewed = (await sender.refresh(tokens["refreshToken"])).json()

    assert "DPoP" == renewed["tokenType"]
    assert (400, "invalid_dpop_proof") == answered(await site.refresh(renewed["refreshToken"]))
    assert 200 == (await sender.refresh(renewed["refreshToken"])).status_code


async def test_a_bearer_token_is_not_taken_for_a_bound_one(site: Site, sender: Sender) -> None:
    """The scheme DPoP needs a proof, and a token that is bound to its key."""
    token = (await site.sign_in())["accessToken"]

    proved = await sender.get(token)
    unproved = await site.http.get("/api/profile", headers=bound(token))

    assert (401, "invalid_token") == answered(proved)
    assert (401, "invalid_dpop_proof") == answered(unproved)


async def test_signing_out_needs_no_key(site: Site, sender: Sender) -> None:
    """Who ends a session gains nothing; who lost the key can still end it."""
    tokens = await sender.sign_in()

    await site.http.post("/logout", json={"refreshToken": tokens["refreshToken"]})

    assert (401, "invalid_grant") == answered(await sender.refresh(tokens["refreshToken"]))
    assert (401, "invalid_token") == answered(await sender.get(tokens["accessToken"]))


async def test_bindings_outlive_a_restart_and_go_with_their_session(tmp_path: Path) -> None:
    """They are in the database, beside the family that they belong to."""
    async with Site(tmp_path) as site:
        sender = Sender(site)
        token = (await sender.sign_in())["refreshToken"]

    async with Site(tmp_path) as site:
        assert (400, "invalid_dpop_proof") == answered(await site.refresh(token))
        site.clock.advance(38 * 86400)
        await site.sign_in()

        with sqlite3.connect(site.data / "auth.sqlite3") as connection:
            counted = connection.execute("SELECT count(*) FROM family_keys").fetchone()
        connection.close()
    assert (0,) == counted


async def test_an_expired_bound_token_says_so(site: Site, sender: Sender) -> None:
    """With its own scheme's challenge: the client has to renew, not to sign in."""
    token = (await sender.sign_in())["accessToken"]
    await site.lab("expire")

    response = await sender.get(token)

    assert (401, "invalid_token") == answered(response)
    said = f'{DPOP}, error="invalid_token", error_description="The access token expired"'
    assert said == response.headers["WWW-Authenticate"]


async def test_a_missing_scope_is_told_in_the_tokens_scheme(site: Site, sender: Sender) -> None:
    """403, and no proof will help."""
    response = await sender.get((await sender.sign_in())["accessToken"], "/api/admin")

    assert (403, "insufficient_scope") == answered(response)
    assert response.headers["WWW-Authenticate"].startswith("DPoP ")


async def test_a_proof_is_not_echoed(site: Site, sender: Sender) -> None:
    """It carries a credential's weight for a minute."""
    shown = (await sender.get((await sender.sign_in())["accessToken"], "/api/echo")).json()["headers"]

    assert "user-agent" in shown
    assert not {"dpop", "authorization"} & shown.keys()
