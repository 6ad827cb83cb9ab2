"""Which preset fits which server, as data: what a page would write, and how its user signs in.

Everything here is JSON, so that a test can take it along into a browser.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlencode

from silent_refresh import RefreshEndpoint
from tests.interop.authorization import exchange
from tests.interop.servers.lab import PASSWORD, USERNAME
from tests.interop.servers.supabase_fake import APIKEY

CREDENTIALS = {"username": USERNAME, "password": PASSWORD}


class SignIn(TypedDict):
    """The POST that signs in."""

    url: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Preset:
    """One preset and its server.

    ``arguments`` are those of the preset, with ``{url}`` for the server's address; ``refused`` are the
    ``reason`` of RefreshRejected for an expired, a reused and a malformed refresh token.
    """

    name: str
    server: str
    arguments: dict[str, str]
    sign_in: Callable[[str], SignIn]
    refused: tuple[str, str, str]
    me: str = "/api/me"
    headers: dict[str, str] = field(default_factory=dict)

    def arguments_at(self, address: str, **changed: Any) -> dict[str, Any]:
        """Return the preset's arguments for a server at ``address``, some of them changed."""
        arguments = {**self.arguments, **changed}
        return {
            name: value.replace("{url}", address) if isinstance(value, str) else value
            for name, value in arguments.items()
        }

    def endpoint(self, address: str, **changed: Any) -> RefreshEndpoint:
        """Return the endpoint for a server at ``address``, some arguments changed."""
        endpoint: RefreshEndpoint = getattr(RefreshEndpoint, self.name)(
            **self.arguments_at(address, **changed)
        )
        return endpoint

    def __str__(self) -> str:
        return self.name


def by_password(path: str, credentials: dict[str, str] = CREDENTIALS) -> Callable[[str], SignIn]:
    """Sign in with a JSON object."""
    headers = {"Content-Type": "application/json"}
    return lambda url: {"url": url + path, "headers": headers, "body": json.dumps(credentials)}


def by_code(url: str) -> SignIn:
    """Sign in with an authorization code."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return {"url": f"{url}/token", "headers": headers, "body": urlencode(exchange(url))}


ARTICLE = Preset(
    name="article",
    server="embedded",
    arguments={"url": "{url}/refresh", "revoke": "{url}/logout"},
    sign_in=by_password("/login"),
    refused=("invalid_grant", "invalid_grant", "invalid_grant"),
    me="/api/profile",
)
SIMPLEJWT = Preset(
    name="simplejwt",
    server="django_simplejwt",
    arguments={"url": "{url}/api/token/refresh/", "revoke": "{url}/api/token/blacklist/"},
    sign_in=by_password("/api/token/"),
    refused=("token_not_valid", "token_not_valid", "token_not_valid"),
)
FLASK_JWT_EXTENDED = Preset(
    name="flask_jwt_extended",
    server="flask_jwt_extended_server",
    arguments={"url": "{url}/refresh", "revoke": "{url}/logout"},
    sign_in=by_password("/login"),
    refused=("status 401", "status 401", "status 422"),
)
OAUTH2 = Preset(
    name="oauth2",
    server="authlib_server",
    arguments={"url": "{url}/token", "client_id": "demo-page", "revoke": "{url}/revoke"},
    sign_in=by_code,
    refused=("invalid_grant", "invalid_grant", "invalid_grant"),
)
SUPABASE = Preset(
    name="supabase",
    server="supabase_fake",
    arguments={"url": "{url}", "apikey": APIKEY},
    sign_in=by_password(
        "/auth/v1/token?" + urlencode({"grant_type": "password"}),
        {"email": f"{USERNAME}@example.org", "password": PASSWORD},
    ),
    refused=("session_expired", "refresh_token_already_used", "refresh_token_not_found"),
    me="/rest/v1/me",
    headers={"apikey": APIKEY},
)
COOKIE = Preset(
    name="cookie",
    server="cookie_fake",
    arguments={"url": "{url}/session/refresh", "revoke": "{url}/session/logout"},
    sign_in=by_password("/session/login"),
    refused=("status 401", "status 401", "status 401"),
)
# The article's shape, spoken by the server of the recipe.
FASTAPI = Preset(
    name="article",
    server="fastapi_recipe",
    arguments=ARTICLE.arguments,
    sign_in=ARTICLE.sign_in,
    refused=("status 401", "status 401", "status 401"),
    me=ARTICLE.me,
)
PRESETS = [ARTICLE, SIMPLEJWT, FLASK_JWT_EXTENDED, OAUTH2, SUPABASE, COOKIE]
