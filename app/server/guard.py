"""The guard of ``/api``: reads the access token and answers with the right challenge.

A bearer token comes as in RFC 6750, one that is bound to a key as in RFC 9449 §7, with a proof of that key.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app.server.access_tokens import AccessTokens, Identity, InvalidAccessToken
from app.server.dpop import Proofs
from app.server.messages import CHALLENGE, DPOP_CHALLENGE, Refused
from app.server.proof import InvalidProof

TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 9110 §11.2, token68

Endpoint = Callable[[Request], Awaitable[Response]]
Protected = Callable[[Request, Identity], Awaitable[Response]]


def require_token(
    access_tokens: AccessTokens, proofs: Proofs, endpoint: Protected
) -> Callable[[Request], Awaitable[Response]]:
    """Wrap an endpoint so that it runs only with a good token, and learns whose it is."""

    async def guarded(request: Request) -> Response:
        return await endpoint(request, _identify(access_tokens, proofs, request))

    return guarded


def refuse_token(description: str, error: str = "invalid_token", *, challenge: str = CHALLENGE) -> Refused:
    """Make the 401 for a token that was sent and isn't accepted, or for its proof."""
    said = f'{challenge}, error="{error}", error_description="{description}"'
    return Refused(401, error, description, {"WWW-Authenticate": said})


def _identify(access_tokens: AccessTokens, proofs: Proofs, request: Request) -> Identity:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    challenge = {"bearer": CHALLENGE, "dpop": DPOP_CHALLENGE}.get(scheme.lower())
    if challenge is None:
        # No error code when no token was sent: the client may not know that it needs one (RFC 6750 §3.1).
        raise Refused(401, "unauthorized", "This needs an access token", {"WWW-Authenticate": CHALLENGE})
    token = token.strip(" ")
    if not TOKEN.fullmatch(token):
        raise refuse_token("The access token is malformed", challenge=challenge)
    try:
        identity = access_tokens.verify(token)
        jkt = _prove(proofs, request, token) if challenge == DPOP_CHALLENGE else None
    except InvalidAccessToken as error:
        raise refuse_token(str(error), challenge=challenge) from error
    except InvalidProof as error:
        raise refuse_token(str(error), error.error, challenge=challenge) from error
    # Taken without its key, a bound token would be as good as any other to a thief (RFC 9449 §7.2).
    if identity.jkt != jkt:
        bound = "is bound to a key, and needs a proof of it" if jkt is None else "is not bound to this key"
        raise refuse_token(f"The access token {bound}", challenge=challenge)
    return identity


def _prove(proofs: Proofs, request: Request, token: str) -> str:
    jkt = proofs.check(request, access_token=token)
    if jkt is None:
        raise InvalidProof("The access token needs a proof of its key")
    return jkt
