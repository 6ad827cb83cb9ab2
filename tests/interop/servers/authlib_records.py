"""What the Authlib server remembers: clients, codes and tokens, with the methods that Authlib calls."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin
from authlib.oauth2.rfc6749.util import list_to_scope, scope_to_list

from tests.interop.servers.lab import REFRESH_TTL

CODE_TTL = 60  # s


@dataclass(frozen=True)
class Client(ClientMixin):
    """A public client: it has an id and no secret."""

    client_id: str
    scope: str
    grant_types: tuple[str, ...]
    redirects: tuple[str, ...]  # what its redirect URIs start with
    after_sign_out: tuple[str, ...] = ()

    @property
    def client_metadata(self) -> dict[str, Any]:
        return {"post_logout_redirect_uris": self.after_sign_out}

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None  # it must be in the request

    def get_allowed_scope(self, scope: str | None) -> str:
        asked = scope_to_list(scope or self.scope)
        return list_to_scope([name for name in asked if name in self.scope.split()])

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.startswith(self.redirects)

    def check_client_secret(self, client_secret: str) -> bool:
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code, until it's exchanged; Authlib reads the challenge from it."""

    code: str
    client_id: str
    user: str
    scope: str
    redirect_uri: str
    code_challenge: str | None
    code_challenge_method: str | None
    nonce: str | None
    issued_at: float = field(default_factory=time.time)

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(self.issued_at)

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None

    def is_expired(self) -> bool:
        return self.issued_at + CODE_TTL < time.time()


@dataclass
class Token(TokenMixin):
    """An access token and its refresh token."""

    client: Client
    user: str
    access_token: str
    expires_in: float  # s
    scope: str = ""
    token_type: str = "Bearer"
    refresh_token: str | None = None
    is_used: bool = False  # the refresh token was
    revoked: bool = False
    issued_at: float = field(default_factory=time.time)

    def check_client(self, client: Client) -> bool:
        return self.client == client

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> float:
        return self.expires_in

    def is_expired(self) -> bool:
        return self.issued_at + self.expires_in < time.time()

    def is_revoked(self) -> bool:
        return self.revoked

    def can_refresh(self) -> bool:
        """Tell whether the refresh token is good."""
        return not (self.is_used or self.revoked or self.issued_at + REFRESH_TTL < time.time())

    def get_user(self) -> str:
        return self.user

    def get_client(self) -> Client:
        return self.client


class Records:
    """All of them, in memory."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._codes: dict[str, Code] = {}
        self._tokens: list[Token] = []
        self._nonces: set[str | None] = set()

    def add_client(self, client: Client) -> None:
        """Register a client."""
        self._clients[client.client_id] = client

    def client(self, client_id: str) -> Client | None:
        """Find a client."""
        return self._clients.get(client_id)

    def save_code(self, code: str, request: Any) -> Code:
        """Remember a code and what it was asked for."""
        data = request.payload.data
        saved = self._codes[code] = Code(
            code,
            request.client.client_id,
            request.user,
            request.scope,
            request.payload.redirect_uri,
            data.get("code_challenge"),
            data.get("code_challenge_method"),
            data.get("nonce"),
        )
        self._nonces.add(data.get("nonce"))
        return saved

    def code(self, code: str, client: Client) -> Code | None:
        """Find a code of a client."""
        found = self._codes.get(code)
        return found if found and found.client_id == client.client_id and not found.is_expired() else None

    def forget(self, code: Code) -> None:
        """Drop a code that was exchanged."""
        del self._codes[code.code]

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Remember what was issued; an ID token isn't asked for again."""
        kept = {name: value for name, value in token.items() if name != "id_token"}
        self._tokens.append(Token(client=request.client, user=request.user, **kept))

    def has_nonce(self, nonce: str) -> bool:
        """Tell whether a nonce was used before."""
        return nonce in self._nonces

    def by_access_token(self, access_token: str) -> Token | None:
        """Find the record of an access token."""
        return next((token for token in self._tokens if token.access_token == access_token), None)

    def by_refresh_token(self, refresh_token: str) -> Token | None:
        """Find the record of a refresh token."""
        return next((token for token in self._tokens if token.refresh_token == refresh_token), None)
