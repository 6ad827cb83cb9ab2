"""Finds out where an OAuth 2.0 or OpenID provider has its endpoints, and whether a page can sign in there.

    https://id.example.com/.well-known/openid-configuration
    https://id.example.com/.well-known/oauth-authorization-server

OpenID Connect Discovery 1.0 §4, RFC 8414 §3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .authorization import WAIT, AuthorizationServer
from .errors import AuthorizationError, NetworkError, NotJSON
from .messages import Headers, Request

if TYPE_CHECKING:
    from .endpoint import RefreshEndpoint
    from .ports import Navigation, Platform

WELL_KNOWN = ("openid-configuration", "oauth-authorization-server")
NAME_THEM = "name its endpoints: RefreshEndpoint.oauth2(…, authorize=…, issuer=…)"
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


async def discover(
    kind: type[RefreshEndpoint], issuer: str, client_id: str, scope: str | None, platform: Platform
) -> RefreshEndpoint:
    """Read the issuer's metadata and make the endpoint: see ``RefreshEndpoint.discover``."""
    if "?" in issuer or "#" in issuer:
        raise ValueError("an issuer has neither query nor fragment (RFC 8414 §2)")
    origin = _secure_origin(issuer, platform.navigation)
    if origin is None:
        raise ValueError(f"{issuer!r} is not an issuer: pass a whole https://…")
    metadata = await _metadata(issuer, origin, platform)
    if metadata.get("issuer") != issuer:
        raise AuthorizationError(
            f"the metadata at {issuer} are of another issuer, {str(metadata.get('issuer'))[:200]!r}: if that "
            "is the one you mean, pass it letter by letter (RFC 8414 §3.3)",
            reason="issuer",
        )
    methods = metadata.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise AuthorizationError(
            f"{issuer} doesn't say that it supports PKCE with S256, without which a page must not sign in "
            f"(RFC 9700 §2.1.1). If you know that it does, {NAME_THEM}",
            reason="pkce",
        )

    def endpoint_for(what: str) -> str:
        url = metadata.get(f"{what}_endpoint")
        if not isinstance(url, str) or _secure_origin(url, platform.navigation) is None:
            told = f"the metadata of {issuer} have no {what}_endpoint that is an https URL"
            raise AuthorizationError(told, reason="metadata")
        return url

    revoke = endpoint_for("revocation") if "revocation_endpoint" in metadata else None
    endpoint = kind.oauth2(endpoint_for("token"), client_id, scope=scope, revoke=revoke)
    names_itself = metadata.get("authorization_response_iss_parameter_supported") is True
    endpoint.authorization = AuthorizationServer(
        endpoint_for("authorization"), client_id, issuer, names_itself
    )
    return endpoint


async def _metadata(issuer: str, origin: str, platform: Platform) -> dict[str, Any]:
    """Ask where OpenID Connect Discovery §4 puts the metadata, then where RFC 8414 §3.1 does."""
    path = issuer.rstrip("/").partition("://")[2].partition("/")[2]
    places = (
        f"{issuer.rstrip('/')}/.well-known/{WELL_KNOWN[0]}",
        f"{origin}/.well-known/{WELL_KNOWN[1]}" + (f"/{path}" if path else ""),
    )
    cause: Exception | None = None
    for url in places:
        options = {"credentials": "omit", "redirect": "error"}
        headers = Headers({"Accept": "application/json"})
        try:
            response = await platform.transport(
                Request("GET", url, headers=headers, timeout=WAIT, options=options)
            )
            metadata = await response.json() if response.ok else None
        except (NetworkError, NotJSON) as error:
            cause = error
            continue
        if isinstance(metadata, dict):
            return metadata
        response.discard()
    raise AuthorizationError(
        f"no metadata could be read from {' or '.join(places)}: check the issuer, and that it lets this "
        f"origin read them (CORS); or {NAME_THEM}",
        reason="metadata",
    ) from cause


def _secure_origin(url: str, navigation: Navigation) -> str | None:
    """Return the origin of an https URL, or of a http one of this computer; ``None`` for any other."""
    try:
        origin = navigation.parse(url).origin if "://" in url else ""
    except ValueError:
        return None
    return origin if origin.startswith("https://") or _LOOPBACK.fullmatch(origin) else None
