"""The Authlib server keeps to what a sign-in with OAuth relies on: PKCE, state, issuer, metadata."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from authlib.oauth2 import rfc8414, rfc9207

from tests.interop.authorization import authorize, challenge_of, exchange
from tests.interop.conftest import ServerOf
from tests.interop.presets import OAUTH2


@pytest.fixture
def url(server_of: ServerOf) -> str:
    """Return the server's address, which is its issuer identifier too."""
    return server_of(OAUTH2).url


def token(url: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Ask the token endpoint; return status and answer."""
    response = httpx.post(f"{url}/token", data=form, trust_env=False)
    return response.status_code, response.json()


@pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
def test_the_metadata_name_the_endpoints(url: str, name: str) -> None:
    """The document is valid, and says where to sign in, renew and revoke, and how."""
    metadata = httpx.get(f"{url}/.well-known/{name}", trust_env=False).json()

    rfc8414.AuthorizationServerMetadata(metadata).validate([rfc9207.AuthorizationServerMetadata])
    assert url == metadata["issuer"]
    assert f"{url}/token" == metadata["token_endpoint"]
    assert f"{url}/revoke" == metadata["revocation_endpoint"]
    assert ["S256"] == metadata["code_challenge_methods_supported"]


def test_the_redirect_says_whose_answer_it_is_and_to_what(url: str) -> None:
    """State and issuer come along with the code (RFC 9207 §2)."""
    parameters = authorize(url, state="a-state", code_challenge=challenge_of("v" * 43))

    assert {"code", "state", "iss"} == parameters.keys()
    assert ("a-state", url) == (parameters["state"], parameters["iss"])


def test_a_code_is_good_once(url: str) -> None:
    """The first exchange gets tokens, the second nothing."""
    form = exchange(url)

    status, tokens = token(url, form)

    assert 200 == status
    assert {"token_type", "access_token", "refresh_token", "expires_in", "scope"} == tokens.keys()
    assert (400, "invalid_grant") == _refusal(token(url, form))


@pytest.mark.parametrize(
    ("verifier", "error"), [("another-" + "v" * 43, "invalid_grant"), ("", "invalid_request")]
)
def test_a_stolen_code_is_worthless(url: str, verifier: str, error: str) -> None:
    """Without the verifier of whoever asked for it, a code gets no tokens (RFC 7636 §4.6)."""
    assert (400, error) == _refusal(token(url, {**exchange(url), "code_verifier": verifier}))


def test_a_client_without_the_grant_gets_no_refresh_token(url: str) -> None:
    """Whoever may not refresh learns it at the sign-in already."""
    status, tokens = token(url, exchange(url, client_id="page-without-refresh"))

    assert 200 == status
    assert "refresh_token" not in tokens


def _refusal(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]
