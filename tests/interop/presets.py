"""Which preset fits which server, as data: what a page would write, and how its user signs in.

Everything here is JSON, so that a test can take it along into a browser.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlencode

from silent_refresh import RefreshEndpoint, Response
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
    ``reason`` of RefreshRejected for an expired, a reused and a malformed refresh token. ``granted`` leads to
    the tokens in the answer to a sign-in, ``None`` where that has none, and the cookie is asked.
    ``is_refused`` is a rule for what the API says.
    """

    name: str
    server: str
    arguments: dict[str, Any]
    sign_in: Callable[[str], SignIn]
    refused: tuple[str, str, str]
    me: str = "/api/me"
    headers: dict[str, str] = field(default_factory=dict)
    granted: str | None = ""
    rotates: bool = True
    is_refused: Callable[[Response], Awaitable[bool]] | None = None

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


def by_code(authorize: str = "/authorize", token: str = "/token", **asked: str) -> Callable[[str], SignIn]:
    """Sign in with an authorization code; `asked` are parameters of the authorization request."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return lambda url: {
        "url": url + token,
        "headers": headers,
        "body": urlencode(exchange(url, path=authorize, **asked)),
    }


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
    sign_in=by_code(),
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
DJANGO_OAUTH_TOOLKIT = Preset(
    name="oauth2",
    server="django_oauth_toolkit",
    arguments={"url": "{url}/token/", "client_id": "demo-page", "revoke": "{url}/revoke_token/"},
    sign_in=by_code("/authorize/", "/token/"),
    refused=("invalid_grant", "invalid_grant", "invalid_grant"),
)
ALLAUTH = Preset(
    name="article",
    server="allauth_headless",
    arguments={
        "url": "{url}/_allauth/app/v1/tokens/refresh",
        "refresh_field": "refresh_token",
        "access_path": "data.access_token",
        "refresh_path": "data.refresh_token",
        "rejected": {400},
        "revoke": "{url}/_allauth/app/v1/auth/session",
        "revoke_method": "DELETE",
        "revoke_signed": True,
    },
    sign_in=by_password("/_allauth/app/v1/auth/login"),
    refused=("status 400", "status 400", "status 400"),
    granted="meta",
)


async def is_over_at_authx(response: Response) -> bool:
    """Tell a token that has ended; FastAPI answers 422 to other mistakes, too."""
    return response.status == 401 or (response.status == 422 and "error_type" in await response.text())


AUTHX = Preset(
    name="flask_jwt_extended",
    server="authx_server",
    arguments=FLASK_JWT_EXTENDED.arguments,
    sign_in=FLASK_JWT_EXTENDED.sign_in,
    refused=("status 422", "status 401", "status 422"),
    is_refused=is_over_at_authx,
)
BETTER_AUTH = Preset(
    name="cookie",
    server="better_auth_server",
    arguments={
        "url": "{url}/api/auth/token",
        "method": "GET",
        "access_path": "token",
        "revoke": "{url}/api/auth/sign-out",
    },
    sign_in=by_password(
        "/api/auth/sign-in/email", {"email": f"{USERNAME}@example.org", "password": PASSWORD}
    ),
    refused=("status 401", "status 401", "status 401"),
    granted=None,
    rotates=False,
)
# Another that speaks OAuth, with OpenID's scopes; it gives a refresh token only to who was asked for consent.
OPENID = {"scope": "openid profile offline_access", "prompt": "consent"}
OIDC_PROVIDER = Preset(
    name="oauth2",
    server="oidc_provider",
    arguments=OAUTH2.arguments,
    sign_in=by_code(**OPENID),
    refused=OAUTH2.refused,
)
# Servers of one of these kinds: run as the presets are.
OTHERS = [FASTAPI, DJANGO_OAUTH_TOOLKIT, ALLAUTH, AUTHX, BETTER_AUTH, OIDC_PROVIDER]
PRESETS = [ARTICLE, SIMPLEJWT, FLASK_JWT_EXTENDED, OAUTH2, SUPABASE, COOKIE]
