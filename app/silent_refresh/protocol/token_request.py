"""Carries a refresh call out: over the network as a ``RefreshEndpoint`` says, or by the page's function."""

from __future__ import annotations

from ..errors import KeyGone, NetworkError, ProofRefused
from ..http.messages import Request
from ..platform.platform import Platform
from ..session.tokens import Session
from .endpoint import RefreshEndpoint
from .guard import Refresh
from .result import KEY_GONE, NO_ANSWER, Misconfigured, RefreshResult, Unavailable


def refresh_by(endpoint: RefreshEndpoint, platform: Platform) -> Refresh:
    """Return the function that renews a session's tokens; it never goes through an interceptor."""
    if endpoint.function is not None:
        from .own_refresh import refresh_by_own  # not every page has one

        return refresh_by_own(endpoint, endpoint.function, platform)
    return _over_network(endpoint, platform)


def blocking_refresh_by(endpoint: RefreshEndpoint, platform: Platform) -> Refresh | None:
    """Return the one that blocks the page; ``None`` for a function that may wait for anything."""
    assert platform.blocking is not None
    if endpoint.dpop:
        return None  # a proof is signed while the page goes on
    if endpoint.function is not None:
        from .own_refresh import takes_send  # not every page has one

        if not takes_send(endpoint.function):
            return None
    return refresh_by(endpoint, platform._replace(transport=platform.blocking.send))


def _over_network(endpoint: RefreshEndpoint, platform: Platform) -> Refresh:
    async def refresh(session: Session | None) -> RefreshResult:
        try:
            request = endpoint.request(session.tokens if session is not None else None)
            if endpoint.dpop:
                request = request.with_proof(session.key if session is not None else None)
            response, now = await platform.transport(request), platform.clock.time()
            is_proven = session is not None and session.is_proven(now)
            return await endpoint.read(response, now=now, is_proven=is_proven)
        except KeyGone:
            return KEY_GONE
        except ProofRefused as error:
            return Misconfigured(str(error))
        except NetworkError as error:
            error.request = Request("POST", endpoint.url)  # the one that was sent holds the refresh token
            return Unavailable(NO_ANSWER, None, error)

    return refresh
