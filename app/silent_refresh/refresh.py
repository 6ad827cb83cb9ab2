"""Carries a refresh call out: over the network as a ``RefreshEndpoint`` says, or by the page's function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from .endpoint import RefreshEndpoint
from .errors import NetworkError, RefreshRejected, RefreshUnavailable
from .messages import Request
from .outcome import Misconfigured, Outcome, Rejected, Rotated, Unavailable
from .ports import Platform
from .session import Tokens

# Without tokens where the refresh token is in a cookie and there's no session yet.
Refresh: TypeAlias = Callable[[Tokens | None], Awaitable[Outcome]]
OwnRefresh: TypeAlias = Callable[[Tokens], Awaitable[Tokens]]


def refresh_by(how: RefreshEndpoint | OwnRefresh, platform: Platform) -> Refresh:
    """Return the function that turns tokens into an outcome; it never goes through an interceptor."""
    return _over_network(how, platform) if isinstance(how, RefreshEndpoint) else _by_own(how)


def _over_network(endpoint: RefreshEndpoint, platform: Platform) -> Refresh:
    async def refresh(tokens: Tokens | None) -> Outcome:
        try:
            request = endpoint.request(tokens.refresh_token if tokens is not None else None)
            response = await platform.transport(request)
            return await endpoint.read(response, now=platform.clock.time())
        except NetworkError as error:
            error.request = Request("POST", endpoint.url)  # the one that was sent holds the refresh token
            return Unavailable("no answer came: offline, or the server is down", None, error)

    return refresh


def _by_own(function: OwnRefresh) -> Refresh:
    async def refresh(tokens: Tokens | None) -> Outcome:
        assert tokens is not None  # a function of the page's needs them
        try:
            renewed = await function(tokens)
        except RefreshRejected as error:
            return Rejected(error.reason)
        except RefreshUnavailable as error:
            return Unavailable(str(error), error.retry_after)
        except NetworkError as error:
            return Unavailable("no answer came: offline, or the server is down", None, error)
        if not isinstance(renewed, Tokens):
            return Misconfigured(f"the refresh function returned {type(renewed).__name__}; return Tokens(…)")
        return Rotated(renewed)

    return refresh


async def revoke(endpoint: RefreshEndpoint | OwnRefresh, tokens: Tokens, platform: Platform) -> None:
    """Tell the server that the refresh token is to die (RFC 7009); best effort, whatever it answers."""
    if not isinstance(endpoint, RefreshEndpoint) or (
        tokens.refresh_token is None and endpoint.needs_refresh_token
    ):
        return
    request = endpoint.revocation(tokens.refresh_token)
    if request is None:
        return
    try:
        (await platform.transport(request)).discard()
    except NetworkError:
        return  # offline: here the tokens are gone all the same
