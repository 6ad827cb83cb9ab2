"""The refresh contracts of servers that aren't installed here, as they document them: a row for each.

    fake = Fake(CONTRACTS["Auth0"], "https://tenant.auth0.com/oauth/token")
    tab = Browser(fake).open()            # its transport is all that a page needs

What is renewed, dead and misunderstood is said in the server's own words; each refresh token is good once.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from silent_refresh import Headers, Request, Response
from tests.world.provider import jwt


class Says(NamedTuple):
    """An answer: ``body`` is JSON, or a text as it is."""

    status: int
    body: Any = ""
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed


Field = Callable[[Request], str | None]


def form(name: str) -> Field:
    """Take a field of a form."""
    return lambda request: parse_qs(request.sent_body() or "").get(name, [None])[0]


def fields_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request has."""
    try:
        found = json.loads(request.sent_body() or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def member(*path: str) -> Field:
    """Take a field of a JSON body, a nested one too."""

    def take(request: Request) -> str | None:
        found: Any = fields_of(request)
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, str) else None

    return take


def header(name: str, prefix: str = "") -> Field:
    """Take a header field, less its prefix."""

    def take(request: Request) -> str | None:
        value = request.sent_headers().get(name)
        return value.removeprefix(prefix) if value is not None and value.startswith(prefix) else None

    return take


def form_with(name: str, *needed: str) -> Field:
    """Take a field of a form that has others as well."""
    return lambda request: form(name)(request) if all(form(one)(request) for one in needed) else None


def oauth(access: str, refresh: str) -> Says:
    """RFC 6749 §5.1."""
    return Says(
        200, {"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600}
    )


def error(status: int, code: Any, **more: Any) -> Says:
    """RFC 6749 §5.2."""
    return Says(status, {"error": code, **more})


BEARER = header("authorization", "Bearer ")
INVALID_CLIENT = error(401, "invalid_client")
NO_COOKIE = "no cookie"


class Contract(NamedTuple):
    """How one kind of server renews.

    ``presented`` takes the refresh token out of a call, ``grant(access, refresh)`` answers it; ``dead`` are
    the answers to a dead one, ``confused`` that to a client which isn't understood. ``access`` takes the
    access token out of an API call, ``refusal`` answers a dead one. ``cookie``: ``"refresh"`` where that
    token is in one, ``"both"`` where both are; ``csrf`` is the field that has to have the newest CSRF value.
    ``renews_itself``: the access token is the refresh token; ``makes_jwt``: it is a JWT that ends.
    A refresh token is good once where the server ``rotates`` it.
    """

    presented: Field = form("refresh_token")
    grant: Callable[[str, str], Says] = oauth
    dead: tuple[Says, ...] = (error(400, "invalid_grant"),)
    confused: Says = INVALID_CLIENT
    access: Field = BEARER
    refusal: Says = Says(401, {}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    cookie: str = ""
    csrf: str = ""
    renews_itself: bool = False
    makes_jwt: bool = False
    rotates: bool = True


CONTRACTS: dict[str, Contract] = {
    "Entra ID": Contract(dead=(error(400, "invalid_grant"), error(400, "interaction_required"))),
    "Auth0": Contract(
        dead=(error(403, "invalid_grant"), error(403, "mfa_required"), error(403, "access_denied")),
        confused=error(403, "unauthorized_client"),
    ),
    "Okta": Contract(),
    "Keycloak": Contract(confused=error(400, "unauthorized_client")),
    "Cognito (InitiateAuth)": Contract(
        presented=lambda call: (
            member("AuthParameters", "REFRESH_TOKEN")(call)
            if call.headers.get("content-type") == "application/x-amz-json-1.1"
            and call.headers.get("x-amz-target") == "AWSCognitoIdentityProviderService.InitiateAuth"
            and member("AuthFlow")(call) == "REFRESH_TOKEN_AUTH"
            else None
        ),
        grant=lambda access, refresh: Says(
            200, {"AuthenticationResult": {"AccessToken": access, "IdToken": "i", "ExpiresIn": 3600}}
        ),
        dead=(Says(400, {"__type": "NotAuthorizedException", "message": "Refresh Token has been revoked"}),),
        confused=Says(400, {"__type": "InvalidParameterException", "message": "Missing required parameter"}),
        rotates=False,
    ),
    "Google": Contract(
        presented=form_with("refresh_token", "client_secret"),
        dead=(error(400, "invalid_grant", error_description="Token has been expired or revoked."),),
    ),
    "GitHub App": Contract(
        presented=form_with("refresh_token", "client_secret"),
        dead=(error(200, "bad_refresh_token"),),
        confused=error(200, "incorrect_client_credentials"),
    ),
    "Slack": Contract(
        presented=form_with("refresh_token", "client_secret"),
        grant=lambda access, refresh: Says(
            200,
            {
                "ok": True,
                "access_token": access,
                "refresh_token": refresh,
                "token_type": "bot",
                "expires_in": 1,
            },
        ),
        dead=(Says(200, {"ok": False, "error": "invalid_refresh_token"}),),
        confused=Says(200, {"ok": False, "error": "bad_client_secret"}),
        refusal=Says(200, {"ok": False, "error": "token_expired"}),
    ),
    "Spotify": Contract(confused=error(400, "invalid_client")),
    "Discord": Contract(dead=(error(400, "invalid_request"), error(400, "invalid_grant"))),
    "X": Contract(dead=(error(400, "invalid_request"),), confused=error(401, "unauthorized_client")),
    "Twitch": Contract(
        presented=form_with("refresh_token", "client_secret"),
        dead=(Says(400, {"error": "Bad Request", "status": 400, "message": "Invalid refresh token"}),),
        confused=Says(400, {"status": 400, "message": "missing client secret"}),
    ),
    "Reddit": Contract(
        presented=lambda call: (
            form("refresh_token")(call) if call.headers.get("authorization") == "Basic bXktcGFnZTo=" else None
        ),
        dead=(error(400, 400, message="Bad Request"),),
        confused=error(401, 401, message="Unauthorized"),
    ),
    "Laravel Passport": Contract(dead=(error(401, "invalid_request"), error(400, "invalid_grant"))),
    "Laravel Sanctum (SPA) and dj-rest-auth": Contract(
        cookie="both",
        csrf="x-xsrf-token",
        grant=lambda access, refresh: Says(204),
        dead=(Says(401, {"detail": "Token is invalid or expired"}),),
        confused=Says(404, "Not found"),
    ),
    "Flask-JWT-Extended with cookies": Contract(
        cookie="refresh",
        csrf="x-csrf-token",
        grant=lambda access, refresh: Says(200, {"access_token": access}),
        dead=(Says(401, {"msg": "Token has expired"}),),
        confused=Says(401, {"msg": "Missing Authorization Header"}),
    ),
    "SimpleJWT with a scheme of its own": Contract(
        presented=member("refresh"),
        grant=lambda access, refresh: Says(200, {"access": access, "refresh": refresh}),
        dead=(
            Says(401, {"code": "token_not_valid", "detail": "Token is blacklisted"}),
            Says(500, "<h1>Server Error</h1>"),
        ),
        confused=Says(400, {"refresh": ["This field is required."]}),
        access=header("authorization", "JWT "),
    ),
    "Hydra": Contract(dead=(error(400, "invalid_grant"), error(401, "token_inactive"))),
    "ASP.NET Core Identity (MapIdentityApi)": Contract(
        presented=member("refreshToken"),
        grant=lambda access, refresh: Says(
            200, {"tokenType": "Bearer", "accessToken": access, "expiresIn": 3600, "refreshToken": refresh}
        ),
        dead=(Says(401),),
        confused=Says(400, {"title": "Bad Request"}),
    ),
    "ASP.NET with both tokens in the body": Contract(
        presented=lambda call: member("refreshToken")(call) if member("accessToken")(call) else None,
        grant=lambda access, refresh: Says(200, {"accessToken": access, "refreshToken": refresh}),
        dead=(Says(400, "Invalid client request"),),
        confused=Says(415, ""),
    ),
    "Firebase": Contract(
        grant=lambda access, refresh: Says(
            200, {"id_token": access, "refresh_token": refresh, "expires_in": "3600", "token_type": "Bearer"}
        ),
        dead=(
            Says(400, {"error": {"code": 400, "message": "TOKEN_EXPIRED"}}),
            Says(400, {"error": {"code": 400, "message": "USER_DISABLED"}}),
        ),
        confused=Says(400, {"error": {"code": 400, "message": "API key not valid."}}),
    ),
    "tymon/jwt-auth": Contract(
        presented=header("authorization", "Bearer "),
        grant=lambda access, refresh: Says(
            200, {"access_token": access, "token_type": "bearer", "expires_in": 3600}
        ),
        dead=(Says(401, {"message": "Token has expired and can no longer be refreshed"}),),
        confused=Says(405, ""),
        renews_itself=True,
    ),
    "drf-jwt": Contract(
        presented=member("token"),
        grant=lambda access, refresh: Says(201, {"token": access}),
        dead=(Says(400, {"non_field_errors": ["Refresh has expired."]}),),
        confused=Says(404, ""),
        access=header("authorization", "JWT "),
        renews_itself=True,
    ),
    "PocketBase": Contract(
        presented=header("authorization", "Bearer "),
        grant=lambda access, refresh: Says(200, {"token": access, "record": {"id": "r"}}),
        dead=(
            Says(401, {"status": 401, "message": "The request requires valid record authorization token."}),
        ),
        confused=Says(404, {"status": 404, "message": "Missing collection context."}),
        refusal=Says(200, {"items": []}),
        renews_itself=True,
        makes_jwt=True,
    ),
    "devise_token_auth": Contract(
        presented=header("access-token"),
        grant=lambda access, refresh: Says(200, {"success": True}, {"Access-Token": access, "Client": "c"}),
        dead=(Says(401, {"success": False, "errors": ["Invalid login credentials"]}),),
        confused=Says(404, ""),
        access=header("access-token"),
        renews_itself=True,
    ),
    "Directus": Contract(
        presented=lambda call: member("refresh_token")(call) if member("mode")(call) == "json" else None,
        grant=lambda access, refresh: Says(
            200, {"data": {"access_token": access, "refresh_token": refresh, "expires": 900_000}}
        ),
        dead=(Says(401, {"errors": [{"extensions": {"code": "INVALID_CREDENTIALS"}}]}),),
        confused=Says(400, {"errors": [{"extensions": {"code": "INVALID_PAYLOAD"}}]}),
    ),
    "GraphQL that says UNAUTHENTICATED": Contract(
        presented=member("refreshToken"),
        grant=lambda access, refresh: Says(200, {"accessToken": access, "refreshToken": refresh}),
        dead=(Says(401, {}),),
        confused=Says(404, ""),
        refusal=Says(200, {"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}),
    ),
    "Another status than 401": Contract(
        presented=lambda call: member("refreshToken")(call) if call.method == "PUT" else None,
        grant=lambda access, refresh: Says(
            200, {"data": {"tokens": {"access": {"token": access}, "refresh": {"token": refresh}}}}
        ),
        dead=(Says(401, {}),),
        confused=Says(405, ""),
        refusal=Says(419, {"message": "Token expired"}),
    ),
}


class Fake:
    """One such server, and its API; ``situation`` is ``"well"``, ``"down"`` or ``"confused"``."""

    def __init__(self, contract: Contract, url: str) -> None:
        self.contract = contract
        self.url = url.partition("?")[0]
        self.situation = "well"
        self.refreshes = 0
        self.refused = 0
        self.cookie_csrf = "csrf-0"
        self._numbers = itertools.count(1)
        self._good: set[str] = set()
        self._refresh = self._cookie = NO_COOKIE
        self._dead = contract.dead[0]

    @property
    def refresh_token(self) -> str:
        """The one that is good."""
        return self._refresh

    def sign_in(self) -> Says:
        """Answer a sign-in that succeeded."""
        return self._granted()

    def expire(self) -> None:
        """End all access tokens."""
        self._good.clear()

    def die(self, answer: Says) -> None:
        """End the refresh token, to be answered so."""
        self._refresh, self._dead = "dead", answer

    def _granted(self) -> Says:
        number, now = next(self._numbers), 1_764_000_000 + asyncio.get_running_loop().time()
        access = jwt({"exp": now + 600, "n": number}) if self.contract.makes_jwt else f"access-{number}"
        if self.contract.renews_itself:
            self._refresh = access
        elif self.contract.rotates or self._refresh == NO_COOKIE:
            self._refresh = f"refresh-{number}"
        self._cookie = self._refresh
        self._good = {access}
        self.cookie_csrf = f"csrf-{number}"
        return self.contract.grant(access, self._refresh)

    async def transport(self, request: Request) -> Response:
        """Answer, as a ``Transport``."""
        address = request.sent_url()
        status, body, headers = (
            self._renew(request) if address.partition("?")[0] == self.url else self._api(request)
        )
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(status, Headers(headers), address, request, text=text)

    def _renew(self, request: Request) -> Says:
        if self.situation == "down":
            return Says(503, "<h1>Service Unavailable</h1>")
        if self.situation == "confused":
            return self.contract.confused
        presented = self._presented(request)
        if presented is None:
            return self.contract.confused
        if presented != self._refresh:
            return self._dead
        self.refreshes += 1
        return self._granted()

    def _presented(self, request: Request) -> str | None:
        if not self.contract.cookie:
            return self.contract.presented(request)
        assert request.options is not None
        has_csrf = request.headers.get(self.contract.csrf) == self.cookie_csrf
        return self._cookie if request.options["credentials"] == "include" and has_csrf else None

    def _api(self, request: Request) -> Says:
        if self.contract.cookie == "both":
            is_good = bool(self._good) and "authorization" not in request.sent_headers()
        else:
            is_good = self.contract.access(request) in self._good
        if is_good:
            return Says(200, {"ok": True, "user": "ada"})
        self.refused += 1
        return self.contract.refusal
