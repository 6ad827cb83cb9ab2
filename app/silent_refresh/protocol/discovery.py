"""Finds out where an OAuth 2.0 or OpenID provider has its endpoints, and whether a page can sign in there.

    https://id.example.com/.well-known/openid-configuration
    https://id.example.com/.well-known/oauth-authorization-server

A provider that has both is asked for the second where the first lacks something. What was read is kept, so
that a page starts while its provider can't be reached; of what is kept nothing counts that leads to another
origin than the issuer, which is named in code.

OpenID Connect Discovery 1.0 §4, RFC 8414 §3.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import AuthorizationError, NetworkError, NotJSON
from ..http.json import parse_json
from ..http.messages import Headers, Request, without_query
from ..platform.platform import Platform
from ..platform.values import Place

if TYPE_CHECKING:
    from ..platform.ports import Navigation

WAIT = 10.0  # s for each answer of the provider
SHORT_WAIT = 3.0  # s where the answer of another day would do
KEPT = "silent-refresh:metadata "
WELL_KNOWN = ("openid-configuration", "oauth-authorization-server")
WANTED = ("revocation_endpoint", "code_challenge_methods_supported")  # what one of two documents may lack
METADATA = (
    *("issuer", "token_endpoint", "authorization_endpoint", "revocation_endpoint", "end_session_endpoint"),
    *("code_challenge_methods_supported", "authorization_response_iss_parameter_supported"),
    "dpop_signing_alg_values_supported",
)
NAME_THEM = "name its endpoints: RefreshEndpoint.oauth2(…, authorize=…, issuer=…)"
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class Provider(NamedTuple):
    """Where a provider has its endpoints; ``names_itself`` says that each answer of its names the issuer.

    It ``proves`` where it takes proofs that a page can make (RFC 9449 §5.1).
    """

    token: str
    authorization: str
    revocation: str | None
    end_session: str | None
    names_itself: bool
    proves: bool


async def discover(issuer: str, platform: Platform) -> Provider:
    """Read the issuer's metadata: raises as ``RefreshEndpoint.discover`` does."""
    if without_query(issuer) != issuer:
        raise ValueError("an issuer has neither query nor fragment, nor a password (RFC 8414 §2)")
    place = _secure_place(issuer, platform.navigation)
    if place is None:
        raise ValueError(f"{issuer!r} is not an issuer: pass a whole https://…")
    kept = _kept(issuer, place.origin, platform)
    try:
        metadata = await _metadata(issuer, place.origin, platform, SHORT_WAIT if kept else WAIT)
    except AuthorizationError:
        if kept is None:
            raise
        metadata = kept
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

    def endpoint_for(name: str) -> str:
        url = metadata.get(name)
        place = _secure_place(url, platform.navigation) if isinstance(url, str) else None
        if place is None:
            told = f"the metadata of {issuer} have no {name} that is an https URL"
            raise AuthorizationError(told, reason="metadata")
        return place.url

    algorithms = metadata.get("dpop_signing_alg_values_supported")
    if metadata is not kept:
        _keep(issuer, metadata, platform)
    return Provider(
        endpoint_for("token_endpoint"),
        endpoint_for("authorization_endpoint"),
        endpoint_for("revocation_endpoint") if "revocation_endpoint" in metadata else None,
        endpoint_for("end_session_endpoint") if "end_session_endpoint" in metadata else None,
        metadata.get("authorization_response_iss_parameter_supported") is True,
        "ES256" in (algorithms if isinstance(algorithms, list) else ()),
    )


async def _metadata(issuer: str, origin: str, platform: Platform, wait: float) -> dict[str, Any]:
    """Ask where OpenID Connect Discovery §4 puts the metadata, and where RFC 8414 §3.1 does."""
    path = issuer.rstrip("/").partition("://")[2].partition("/")[2]
    places = (
        f"{issuer.rstrip('/')}/.well-known/{WELL_KNOWN[0]}",
        f"{origin}/.well-known/{WELL_KNOWN[1]}" + (f"/{path}" if path else ""),
    )
    cause: Exception | None = None
    found: dict[str, Any] = {}
    for url in places:
        options = {"credentials": "omit", "redirect": "error"}
        headers = Headers({"Accept": "application/json"})
        try:
            response = await platform.transport(
                Request("GET", url, headers=headers, timeout=wait, options=options)
            )
            metadata = await response.json() if response.ok else None
        except (NetworkError, NotJSON) as error:
            cause = error
            if found or wait == SHORT_WAIT:
                break
            continue
        if isinstance(metadata, dict) and (not found or metadata.get("issuer") == issuer):
            found = {**metadata, **found}
            if all(name in found for name in WANTED):
                return found
        response.discard()
    if found:
        return found
    raise AuthorizationError(
        f"no metadata could be read from {' or '.join(places)}: check the issuer, and that it lets this "
        f"origin read them (CORS); or {NAME_THEM}",
        reason="metadata",
    ) from cause


def _keep(issuer: str, metadata: dict[str, Any], platform: Platform) -> None:
    """Remember what a later start needs."""
    if platform.is_worker:  # which has no store of its own
        return
    with contextlib.suppress(OSError):  # full: then it starts when the provider answers
        text = json.dumps({name: metadata[name] for name in METADATA if name in metadata})
        platform.default_store().set(KEPT + issuer, text)


def _kept(issuer: str, origin: str, platform: Platform) -> dict[str, Any] | None:
    """Return what was kept, if all of it is of the issuer's origin: anybody may have written to the store."""
    if platform.is_worker:
        return None
    try:
        metadata = parse_json(platform.default_store().get(KEPT + issuer) or "")
    except ValueError:
        return None
    if not isinstance(metadata, dict) or metadata.get("issuer") != issuer:
        return None
    for name, url in metadata.items():
        if name.endswith("_endpoint"):
            place = _secure_place(url, platform.navigation) if isinstance(url, str) else None
            if place is None or place.origin != origin:
                return None
    return metadata


def _secure_place(url: str, navigation: Navigation) -> Place | None:
    """Parse an https URL, or a http one of this computer; ``None`` for any other, and for a relative one."""
    if not url.lower().startswith(("https://", "http://")):
        return None
    try:
        place = navigation.parse(url)
    except ValueError:
        return None
    return place if place.origin.startswith("https://") or _LOOPBACK.fullmatch(place.origin) else None
