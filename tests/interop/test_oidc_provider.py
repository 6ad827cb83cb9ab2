"""oidc-provider keeps to what a sign-in with DPoP relies on, and to our own server's rules (RFC 9449)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.interop.authorization import exchange
from tests.interop.conftest import ServerOf
from tests.interop.presets import OIDC_PROVIDER, OPENID
from tests.interop.running import InteropServer
from tests.server.keys import Key


class Sender:
    """Somebody with a key, who uses the newest nonce that the server gave."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = Key()
        self.nonce: str | None = None

    def sign_in(self) -> dict[str, Any]:
        """Sign in by authorization code, bound to the key from the first request on; return the answer."""
        form = exchange(self.url, dpop_jkt=self.key.thumbprint, **OPENID)
        tokens: dict[str, Any] = self.learn(lambda: self.token(form)).raise_for_status().json()
        return tokens

    def learn(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send, and once more with the nonce that was asked for."""
        response = send()
        return send() if response.json().get("error") == "use_dpop_nonce" else response

    def token(self, form: dict[str, str], **changed: Any) -> httpx.Response:
        """Ask the token endpoint; `changed` is what the proof has wrong."""
        proof = self.proof("POST", "/token", **changed)
        return self._noted(
            httpx.post(f"{self.url}/token", data=form, headers={"DPoP": proof}, trust_env=False)
        )

    def refresh(self, refresh_token: str, **changed: Any) -> httpx.Response:
        """Ask for the next pair."""
        return self.token(renewal(refresh_token), **changed)

    def me(self, access_token: str, **changed: Any) -> httpx.Response:
        """Ask the resource who is signed in."""
        proof = self.proof("GET", "/api/me", **{"access_token": access_token, **changed})
        return self._noted(ask(self.url, f"DPoP {access_token}", DPoP=proof))

    def proof(self, method: str, path: str, **changed: Any) -> str:
        """Make a proof of now, with the newest nonce."""
        said = {"iat": int(time.time()), "nonce": self.nonce, **changed}
        return self.key.proof(method, self.url + path, **said)

    def _noted(self, response: httpx.Response) -> httpx.Response:
        self.nonce = response.headers.get("DPoP-Nonce", self.nonce)
        return response


def renewal(refresh_token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": "demo-page", "refresh_token": refresh_token}


def ask(url: str, authorization: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}/api/me", headers={"Authorization": authorization, **headers}, trust_env=False)


def answered(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


@pytest.fixture
def strict(server_of: ServerOf) -> InteropServer:
    """Return the server that takes nothing but DPoP, with nonces."""
    server = server_of(OIDC_PROVIDER, "--dpop")
    server.lab.reset()
    return server


@pytest.fixture
def sender(strict: InteropServer) -> Sender:
    """Return somebody with a key."""
    return Sender(strict.url)


def test_the_metadata_offer_dpop(strict: InteropServer) -> None:
    """A client sees it there, and with which algorithms (RFC 9449 §5.1)."""
    metadata = httpx.get(f"{strict.url}/.well-known/openid-configuration", trust_env=False).json()

    assert "ES256" in metadata["dpop_signing_alg_values_supported"]


def test_a_nonce_is_asked_for_once(sender: Sender, strict: InteropServer) -> None:
    """One serves the token endpoint and the resource, until it is stale."""
    tokens = sender.sign_in()

    assert "DPoP" == tokens["token_type"]
    assert {"sub": "demo", "name": "Demo"} == sender.me(tokens["access_token"]).json()
    counted = strict.lab.counters()
    assert {"refresh": 2, "unauthorized": 0, "token_nonces": 1, "resource_nonces": 0} == counted


def test_rotation_and_revocation(sender: Sender, strict: InteropServer) -> None:
    """Both tokens are new, both are bound, and the session ends where it is revoked."""
    first = sender.sign_in()
    second = sender.refresh(first["refresh_token"]).json()
    assert "DPoP" == second["token_type"]
    assert first["refresh_token"] != second["refresh_token"]
    assert 200 == sender.me(second["access_token"]).status_code

    form = {"client_id": "demo-page", "token": second["refresh_token"]}
    assert 200 == httpx.post(f"{strict.url}/revoke", data=form, trust_env=False).status_code

    assert (400, "invalid_grant") == answered(sender.refresh(second["refresh_token"]))


def test_a_code_is_worthless_without_its_key(sender: Sender, strict: InteropServer) -> None:
    """Whoever asked for it named the key (RFC 9449 §10)."""
    form = exchange(strict.url, dpop_jkt=sender.key.thumbprint, **OPENID)
    thief = Sender(strict.url)

    refused = thief.learn(lambda: thief.token(form))

    assert (400, "invalid_grant") == answered(refused)


def test_both_tokens_are_worthless_without_their_key(sender: Sender, strict: InteropServer) -> None:
    """As bearer tokens, and with the proofs of another key."""
    tokens = sender.sign_in()
    thief = Sender(strict.url)

    as_bearer = ask(strict.url, f"Bearer {tokens['access_token']}")
    of_another = thief.learn(lambda: thief.me(tokens["access_token"]))
    unproved = httpx.post(f"{strict.url}/token", data=renewal(tokens["refresh_token"]), trust_env=False)
    refreshed = thief.learn(lambda: thief.refresh(tokens["refresh_token"]))

    assert [401, 401, 400, 400] == [r.status_code for r in (as_bearer, of_another, unproved, refreshed)]
    assert 200 == sender.refresh(tokens["refresh_token"]).status_code


def test_a_replayed_proof_is_refused(sender: Sender) -> None:
    """At the token endpoint and at the resource."""
    tokens = sender.sign_in()
    assert 200 == sender.me(tokens["access_token"], jti="once").status_code

    assert 401 == sender.me(tokens["access_token"], jti="once").status_code
    assert 400 == sender.refresh(tokens["refresh_token"], jti="once").status_code


def test_a_stale_nonce_is_answered_with_a_new_one(sender: Sender, strict: InteropServer) -> None:
    """400 at the token endpoint, 401 at the resource, and with the new one it works."""
    tokens = sender.sign_in()
    stale = sender.nonce
    strict.lab.expire()

    refused = sender.refresh(tokens["refresh_token"], nonce=stale)
    at_resource = sender.me(tokens["access_token"], nonce=stale)

    assert (400, "use_dpop_nonce") == answered(refused)
    assert 401 == at_resource.status_code
    assert 200 == sender.refresh(tokens["refresh_token"]).status_code


@pytest.mark.parametrize(
    "wrong",
    [
        {"htu": "https://elsewhere.example/api/me"},
        {"htm": "PUT"},
        {"ath": None},
        {"ath": "x"},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": Key().jwk}},
        {"jti": None},
    ],
    ids=str,
)
def test_a_proof_for_something_else_is_refused(sender: Sender, wrong: dict[str, Any]) -> None:
    """As our own server refuses it."""
    token = sender.sign_in()["access_token"]

    assert 401 == sender.me(token, **wrong).status_code
    assert 200 == sender.me(token).status_code
