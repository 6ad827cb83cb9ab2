"""Signing in and out at an OAuth 2.0 provider, for a page without a server: authorization code with PKCE.

    auth = SilentRefresh(await RefreshEndpoint.discover("https://id.example.com", client_id="my-page"))
    await auth.authorize(scope="openid offline_access")       # leaves the page; the provider comes back to it
    path = await auth.complete_authorization()                # on the way back: signed in
    await auth.sign_out(provider=True)                        # leaves it, signed out at the provider too

``authorize`` here → the provider → ``complete`` in ``code_exchange.py``. In between this tab remembers a
``Transaction``.

RFC 6749 §4.1, RFC 7636 (PKCE), RFC 9700 (current practice), OpenID Connect Core §3.1 and RP-Initiated Logout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..http.messages import without_query
from .endpoint import AuthorizationServer, RefreshEndpoint
from .transaction import Transaction, hashed, identity_of, random_text

if TYPE_CHECKING:
    from ..platform.platform import Platform
    from ..platform.ports import Navigation, RedirectMemory

OURS = frozenset(
    {
        *("response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"),
        "dpop_jkt",
    }
)


def authorize(
    endpoint: object,
    platform: Platform,
    redirect_uri: str | None,
    scope: str | None,
    next: str,
    parameters: Mapping[str, str],
    key: str | None,
) -> None:
    """Leave for the provider: see ``SilentRefresh.authorize``. ``key`` is the code's (RFC 9449 §10)."""
    (tokens_from, server), memory = provider_of(endpoint), memory_of(platform)
    if OURS & parameters.keys():
        raise ValueError(f"{', '.join(sorted(OURS & parameters.keys()))}: set by authorize() itself")
    query = {**({"nonce": random_text()} if "openid" in (scope or "").split() else {}), **parameters}
    transaction = Transaction(
        state=random_text(),
        verifier=random_text(),
        redirect_uri=_own_url(redirect_uri, platform.navigation),
        server=identity_of(tokens_from, server),
        nonce=query.get("nonce", ""),
        next=next,
        scope=scope or "",
        key=key or "",
    )
    transaction.remember_in(memory)
    query = {
        "response_type": "code",
        "client_id": server.client_id,
        "redirect_uri": transaction.redirect_uri,
        **({"scope": scope} if scope else {}),
        "state": transaction.state,
        "code_challenge": hashed(transaction.verifier),
        "code_challenge_method": "S256",
        **({"dpop_jkt": key} if key is not None else {}),
        **query,
    }
    platform.navigation.go(_with_query(server.url, query))


def address_of_sign_out(
    endpoint: object, platform: Platform, id_token: str | None, redirect_uri: str | None
) -> str | None:
    """Return the provider's URL that signs people out there; ``None`` when it has none.

    OpenID Connect RP-Initiated Logout 1.0 §2.
    """
    if not isinstance(endpoint, RefreshEndpoint) or endpoint.end_session is None:
        return None
    query = {
        **({"id_token_hint": id_token} if id_token is not None else {}),
        **({"client_id": endpoint.fields["client_id"]} if "client_id" in endpoint.fields else {}),
        "post_logout_redirect_uri": _own_url(redirect_uri, platform.navigation),
    }
    return _with_query(endpoint.end_session, query)


def _with_query(url: str, query: Mapping[str, str]) -> str:
    from urllib.parse import urlencode  # costly to load in a browser, and the page is about to be left

    return url + ("&" if "?" in url else "?") + urlencode(query)


def _own_url(redirect_uri: str | None, navigation: Navigation) -> str:
    """Return the whole URL to come back to; this tab's memory is that of one origin."""
    here = without_query(navigation.here())
    if redirect_uri is None:
        return here
    place = navigation.parse(redirect_uri)
    if place.origin != navigation.parse(here).origin or "#" in redirect_uri:
        raise ValueError("redirect_uri must be a URL of this page's own origin, without a fragment")
    return redirect_uri if "://" in redirect_uri else place.origin + place.path


def provider_of(endpoint: object) -> tuple[RefreshEndpoint, AuthorizationServer]:
    """Return where tokens come from, and where people sign in. Raises ``ValueError`` if that isn't known."""
    if not isinstance(endpoint, RefreshEndpoint) or endpoint.authorization is None:
        raise ValueError(
            "it isn't known where to sign in: pass SilentRefresh what RefreshEndpoint.discover(…) returns, "
            "or RefreshEndpoint.oauth2(…, authorize=…)"
        )
    return endpoint, endpoint.authorization


def memory_of(platform: Platform) -> RedirectMemory:
    """Return what this tab remembers meanwhile. Raises ``RuntimeError`` in a worker."""
    if platform.redirect_memory is None:
        raise RuntimeError("a worker can't leave for another site: sign in from the page's Python")
    return platform.redirect_memory
