"""The browser's part of an authorization code grant, without a browser (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import secrets

import httpx

CLIENT_ID = "demo-page"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize(url: str, **changed: str) -> dict[str, str]:
    """Ask ``/authorize`` for a code; return the parameters of the redirect."""
    question = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{url}/callback",
        "scope": "profile offline_access",
        "state": secrets.token_urlsafe(),
        "code_challenge_method": "S256",
        **changed,
    }
    answer = httpx.get(f"{url}/authorize", params=question, trust_env=False)
    assert answer.next_request is not None, answer.text
    return dict(answer.next_request.url.params)


def exchange(url: str, client_id: str = CLIENT_ID) -> dict[str, str]:
    """Get a code; return the form that exchanges it for tokens."""
    verifier = secrets.token_urlsafe(48)
    return {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "redirect_uri": f"{url}/callback",
        "code": authorize(url, client_id=client_id, code_challenge=challenge_of(verifier))["code"],
        "code_verifier": verifier,
    }
