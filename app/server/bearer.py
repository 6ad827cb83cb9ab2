"""The guard of ``/api``: reads the bearer token and answers with the right challenge (RFC 6750 §3)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app.server.access_tokens import AccessTokens, Identity, InvalidAccessToken
from app.server.messages import CHALLENGE, Refused

TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 9110 §11.2, token68

Endpoint = Callable[[Request], Awaitable[Response]]
Protected = Callable[[Request, Identity], Awaitable[Response]]


def require_bearer(
    access_tokens: AccessTokens, endpoint: Protected
) -> Callable[[Request], Awaitable[Response]]:
    """Wrap an endpoint so that it runs only with a good token, and learns whose it is."""

    async def guarded(request: Request) -> Response:
        return await endpoint(request, _identify(access_tokens, request))

    return guarded


def invalid_token(description: str) -> Refused:
    """Make the 401 for a token that was sent and isn't accepted."""
    challenge = f'{CHALLENGE}, error="invalid_token", error_description="{description}"'
    return Refused(401, "invalid_token", description, {"WWW-Authenticate": challenge})


def _identify(access_tokens: AccessTokens, request: Request) -> Identity:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        # No error code when no token was sent: the client may not know that it needs one (RFC 6750 §3.1).
        raise Refused(401, "unauthorized", "This needs an access token", {"WWW-Authenticate": CHALLENGE})
    token = token.strip(" ")
    if not TOKEN.fullmatch(token):
        raise invalid_token("The access token is malformed")
    try:
        return access_tokens.verify(token)
    except InvalidAccessToken as error:
        raise invalid_token(str(error)) from error
