"""What this tab remembers of a sign-in that it began at a provider, in sessionStorage until it's used.

    {"state": "…", "verifier": "…", "redirect_uri": "https://…", "server": "…", "nonce": "…", "next": "/",
     "scope": "…", "key": "…"}   # the key that the tokens are to be bound to, if they are

``server`` is a hash of who was asked: only who began a sign-in gets its code (RFC 9700 §4.4). Endpoints are
never among it: they come from code, or from the metadata of the issuer named in code.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ..errors import AuthorizationError
from ..http.json import parse_json
from .endpoint import AuthorizationServer, RefreshEndpoint

if TYPE_CHECKING:
    from ..platform.ports import RedirectMemory
    from .redirect_answer import RedirectAnswer

KEY = "silent-refresh:authorization"
FIELDS = ("state", "verifier", "redirect_uri", "server", "nonce", "next", "scope", "key")


class Transaction:
    """One sign-in under way; its ``repr`` shows none of its secrets."""

    def __init__(
        self,
        state: str,
        verifier: str,
        redirect_uri: str,
        server: str,
        nonce: str,
        next: str,
        scope: str,
        key: str,
    ) -> None:
        self.state = state
        self.verifier = verifier
        self.redirect_uri = redirect_uri
        self.server = server
        self.nonce = nonce
        self.next = next
        self.scope = scope
        self.key = key

    @classmethod
    def remembered_in(cls, memory: RedirectMemory) -> Transaction:
        """Return the one that was begun; whatever is missing is an empty text."""
        try:
            fields = parse_json(memory.recall(KEY) or "{}")
        except ValueError:
            fields = {}
        fields = fields if isinstance(fields, dict) else {}
        return cls(*(value if isinstance(value := fields.get(name), str) else "" for name in FIELDS))

    def remember_in(self, memory: RedirectMemory) -> None:
        """Keep it for the way back, in place of any other. Raises ``AuthorizationError``."""
        try:
            memory.remember(KEY, json.dumps({name: getattr(self, name) for name in FIELDS}))
        except OSError as error:
            raise AuthorizationError(
                f"this browser keeps nothing for the way back ({error}): allow this site to store data",
                reason="storage",
            ) from error

    def is_answered_by(self, answer: RedirectAnswer) -> bool:
        """Tell whether that is its own answer."""
        return bool(self.verifier and self.state) and self.state == answer.get("state")

    @property
    def wants_refresh(self) -> bool:
        """Whether a refresh token was asked for (OpenID Connect Core §11)."""
        return "offline_access" in self.scope.split()

    def __repr__(self) -> str:
        return "<Transaction>"


def identity_of(tokens_from: RefreshEndpoint, server: AuthorizationServer) -> str:
    """Return what tells one provider, and one client of it, from another."""
    return hashed(json.dumps([server.issuer, server.client_id, server.url, tokens_from.url]))


def random_text() -> str:
    """Return 256 random bits."""
    return _base64(os.urandom(32))


def hashed(text: str) -> str:
    """Return the SHA-256 of a text, as RFC 7636 §4.2 writes it."""
    import hashlib  # costly to load in a browser, and not every page needs it

    return _base64(hashlib.sha256(text.encode()).digest())


def _base64(data: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
