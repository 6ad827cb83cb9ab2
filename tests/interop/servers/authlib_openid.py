"""OpenID Connect for the Authlib server: ID tokens that it signs, and sign-outs that it takes from its pages.

OpenID Connect Core 1.0 §3.1.3.3, RP-Initiated Logout 1.0.
"""

from __future__ import annotations

from typing import Any

from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.rpinitiated import EndSessionEndpoint
from joserfc.jwk import ECKey, KeySet

from tests.interop.servers.authlib_records import Client, Records

ALGORITHM = "ES256"


class Signer:
    """The server's key, and who it is."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256")


class OpenID(OpenIDCode):
    """Adds an ID token to a sign-in whose scope has ``openid``."""

    def __init__(self, signer: Signer, records: Records) -> None:
        super().__init__(require_nonce=True)
        self._signer = signer
        self._records = records

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return self._records.has_nonce(nonce)

    def resolve_client_private_key(self, client: Client) -> ECKey:
        return self._signer.key

    def get_client_algorithm(self, client: Client) -> str:
        return ALGORITHM

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._signer.issuer, "aud": [client.client_id]}

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        return UserInfo(sub=user, name=user.title())


def end_session_endpoint(signer: Signer) -> type[EndSessionEndpoint]:
    """Return the endpoint, which redirects to registered addresses of whoever has an ID token of its own."""

    class EndSession(EndSessionEndpoint):
        def get_server_jwks(self) -> KeySet:
            return KeySet([signer.key])

        def get_algorithms(self) -> list[str]:
            return [ALGORITHM]

        def end_session(self, end_session_request: Any) -> None:
            """End nothing: the demo user is signed in always."""

    return EndSession
