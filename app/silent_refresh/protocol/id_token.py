"""The ID token of a sign-in: who signed in, as the provider says it to this client.

It came straight from the token endpoint over TLS, so its signature isn't needed (OpenID Connect Core
§3.1.3.7, number 6); what it says is checked all the same, and then shown to the page. No API ever gets it.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import AuthorizationError
from ..session.tokens import claims_of

LEEWAY = 300.0  # s that two computers' clocks may differ


def checked_claims(
    id_token: object, *, issuer: str | None, client_id: str, nonce: str, now: float
) -> Mapping[str, Any]:
    """Return its claims; ``now`` is in s since the epoch, ``issuer`` ``None`` where none is known.

    Raises ``AuthorizationError`` that names the claim which doesn't fit.
    """
    claims = claims_of(id_token) if isinstance(id_token, str) else {}
    if not claims:
        raise _wrong("there is none in the answer, though the scope has openid")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expiry = claims.get("exp")
    if issuer is not None and claims.get("iss") != issuer:
        raise _wrong(f"its iss isn't {issuer}")
    if client_id not in audiences:
        raise _wrong(f"its aud lacks {client_id}")
    if claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims):
        raise _wrong(f"its azp isn't {client_id}")
    if claims.get("nonce") != nonce:
        raise _wrong("its nonce isn't the one of this sign-in")
    if not isinstance(expiry, int | float) or not expiry > now - LEEWAY:
        raise _wrong("its exp is past, by this computer's clock")
    if not isinstance(claims.get("sub"), str):
        raise _wrong("it has no sub")
    return MappingProxyType(claims)


def _wrong(what: str) -> AuthorizationError:
    return AuthorizationError(
        f"the ID token is not believed: {what} (OpenID Connect Core §3.1.3.7)", reason="id_token"
    )
