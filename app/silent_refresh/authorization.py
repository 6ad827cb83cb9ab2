"""Signing in at an OAuth 2.0 provider: authorization code with PKCE, for a page without a server.

    auth = SilentRefresh(await RefreshEndpoint.discover("https://id.example.com", client_id="my-page"))
    await auth.authorize(scope="profile offline_access")      # leaves the page; the provider comes back to it
    path = await auth.complete_authorization()                # on the way back: signed in

``authorize`` → the provider → ``complete``. In between this tab remembers, in sessionStorage until it's used:

    {"state": "…", "verifier": "…", "redirect_uri": "https://…", "issuer": "https://…", "next": "/orders"}

Endpoints are never among it: they come from code, or from the metadata of the issuer named in code, which
``discovery.py`` reads.

RFC 6749 §4.1, RFC 7636 (PKCE), RFC 9207 (issuer), RFC 9700 (current practice).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from .endpoint import RefreshEndpoint
from .errors import AuthorizationError, NetworkError
from .login import own_path
from .messages import Request, without_query
from .outcome import Rejected, Rotated

if TYPE_CHECKING:
    from .ports import Navigation, Platform, RoundTrip
    from .session import Tokens

KEY = "silent-refresh:authorization"
WAIT = 10.0  # s for each answer of the provider
# What an answer brings into the address; session_state is OpenID Connect's.
ANSWER = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "session_state"})
OURS = frozenset(
    {"response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"}
)
_ERROR_CODE = re.compile(r"[a-z0-9_.-]{1,60}", re.IGNORECASE)


class AuthorizationServer(NamedTuple):
    """Where people sign in.

    An answer that names another issuer than ``issuer`` isn't believed (``None``: any is); where the provider
    ``names_itself``, one that names none isn't either.
    """

    url: str
    client_id: str
    issuer: str | None = None
    names_itself: bool = False


# The way there


def authorize(
    endpoint: object,
    platform: Platform,
    redirect_uri: str | None,
    scope: str | None,
    next: str,
    parameters: Mapping[str, str],
) -> None:
    """Leave for the provider: see ``SilentRefresh.authorize``."""
    (_, server), round_trip = _checked(endpoint), _round_trip(platform)
    if OURS & parameters.keys():
        raise ValueError(f"{', '.join(sorted(OURS & parameters.keys()))}: set by authorize() itself")
    import base64  # these are costly to load in a browser, and the page is about to be left
    import hashlib
    from urllib.parse import urlencode

    def random() -> str:
        return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()

    back_to = _own_url(redirect_uri, platform.navigation)
    verifier, state = random(), random()
    trip = {
        "state": state,
        "verifier": verifier,
        "redirect_uri": back_to,
        "issuer": server.issuer,
        "next": next,
    }
    try:
        round_trip.remember(KEY, json.dumps(trip))
    except OSError as error:
        raise AuthorizationError(
            f"this browser keeps nothing for the way back ({error}): allow this site to store data",
            reason="storage",
        ) from error
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": server.client_id,
        "redirect_uri": back_to,
        **({"scope": scope} if scope else {}),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **parameters,
    }
    platform.navigation.go(server.url + ("&" if "?" in server.url else "?") + urlencode(query))


def _checked(endpoint: object) -> tuple[RefreshEndpoint, AuthorizationServer]:
    if not isinstance(endpoint, RefreshEndpoint) or endpoint.authorization is None:
        raise ValueError(
            "it isn't known where to sign in: pass SilentRefresh what RefreshEndpoint.discover(…) returns, "
            "or RefreshEndpoint.oauth2(…, authorize=…)"
        )
    return endpoint, endpoint.authorization


def _round_trip(platform: Platform) -> RoundTrip:
    if platform.round_trip is None:
        raise RuntimeError("a worker can't leave for another site: sign in from the page's Python")
    return platform.round_trip


def _own_url(redirect_uri: str | None, navigation: Navigation) -> str:
    """Return the absolute URL to come back to; this tab's memory is that of one origin."""
    here = without_query(navigation.here())
    if redirect_uri is None:
        return here
    place = navigation.parse(redirect_uri)
    if place.origin != navigation.parse(here).origin or "#" in redirect_uri:
        raise ValueError("redirect_uri must be a URL of this page's own origin, without a fragment")
    return redirect_uri if "://" in redirect_uri else place.origin + place.path


# The way back


async def complete(endpoint: object, platform: Platform) -> tuple[Tokens, str] | None:
    """Take the provider's answer out of the page's URL; return the tokens and the path to go on at.

    ``None`` when there's no answer. Raises as ``SilentRefresh.complete_authorization`` does.
    """
    from urllib.parse import parse_qs

    (tokens_from, server), round_trip = _checked(endpoint), _round_trip(platform)
    here, mark, fragment = platform.navigation.here().partition("#")
    address, _, query = here.partition("?")
    answer = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
    if "state" not in answer or not {"code", "error"} & answer.keys():
        return None
    others = [pair for pair in query.split("&") if pair.partition("=")[0] not in ANSWER]
    round_trip.show(address + ("?" if others else "") + "&".join(others) + mark + fragment)
    trip = _trip(round_trip.recall(KEY))
    if trip.get("state") != answer["state"] or trip.get("issuer") != server.issuer:
        raise AuthorizationError(
            "the answer in this page's address belongs to no sign-in that this tab began: begin a new one",
            reason="state",
        )
    named = answer.get("iss")
    if server.issuer is not None and (named != server.issuer if named is not None else server.names_itself):
        raise AuthorizationError(
            f"the answer does not come from {server.issuer}: begin a new sign-in (RFC 9207 §2.4)",
            reason="issuer",
        )
    if "error" in answer:
        raise _refusal(answer["error"])
    tokens = await _exchange(tokens_from, platform, answer["code"], trip)
    return tokens, own_path(str(trip.get("next")), platform.navigation)


def _trip(text: str | None) -> dict[str, str]:
    try:
        trip = json.loads(text or "null")
    except ValueError:
        return {}
    return trip if isinstance(trip, dict) and isinstance(trip.get("verifier"), str) else {}


def _refusal(code: str) -> AuthorizationError:
    code = code if _ERROR_CODE.fullmatch(code) else "unknown"
    if code == "access_denied":
        return AuthorizationError("the sign-in was cancelled or denied: begin a new one", reason=code)
    told = f"the provider refused the sign-in ({code}): check client_id, redirect_uri and scope"
    return AuthorizationError(told, reason=code)


async def _exchange(
    endpoint: RefreshEndpoint, platform: Platform, code: str, trip: Mapping[str, str]
) -> Tokens:
    """Exchange the code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": str(trip.get("redirect_uri")),
        "client_id": endpoint.fields["client_id"],
        "code_verifier": trip["verifier"],
    }
    request = endpoint.post(endpoint.url, fields)
    request.timeout = WAIT
    try:
        outcome = await endpoint.read(await platform.transport(request), now=platform.clock.time())
    except NetworkError as error:
        error.request = Request("POST", endpoint.url)  # the one that was sent holds the code
        raise AuthorizationError(
            "no answer came from the token endpoint (offline, or its CORS headers don't allow this page): "
            "begin a new sign-in",
            reason="unavailable",
        ) from error
    if isinstance(outcome, Rotated):
        return outcome.tokens
    if isinstance(outcome, Rejected):
        told = f"the code was refused ({outcome.reason}), it is good once and for a short time"
        raise AuthorizationError(f"{told}: begin a new sign-in", reason=outcome.reason)
    told = f"the code could not be exchanged: {outcome.detail}"
    raise AuthorizationError(told, reason="exchange")
