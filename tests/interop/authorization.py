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


def authorize(url: str, path: str = "/authorize", **changed: str) -> dict[str, str]:
    """Ask for a code, as a browser does; return the parameters with which it comes back."""
    question = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{url}/callback",
        "scope": "profile offline_access",
        "state": secrets.token_urlsafe(),
        "code_challenge_method": "S256",
        **changed,
    }
    with httpx.Client(trust_env=False) as browser:
        answer = browser.get(url + path, params=question)
        while answer.next_request and not str(answer.next_request.url).startswith(question["redirect_uri"]):
            answer = browser.send(answer.next_request)
    assert answer.next_request is not None, answer.text
    return dict(answer.next_request.url.params)


def exchange(url: str, client_id: str = CLIENT_ID, path: str = "/authorize", **asked: str) -> dict[str, str]:
    """Get a code; return the form that exchanges it for tokens. `asked`: more parameters of the request."""
    verifier = secrets.token_urlsafe(48)
    return {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "redirect_uri": f"{url}/callback",
        "code": authorize(url, path, client_id=client_id, code_challenge=challenge_of(verifier), **asked)[
            "code"
        ],
        "code_verifier": verifier,
    }
