"""Renews by a function of the page's, ``async (tokens)`` or ``async (tokens, send)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import (
    HTTPStatusError,
    KeyGone,
    NetworkError,
    ProofRefused,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
)
from ..http.messages import Request, Response, Send
from ..platform.platform import Platform, place_named
from ..session.tokens import Session, Tokens
from .endpoint import RefreshEndpoint, read_sign_in
from .guard import Refresh, within
from .result import KEY_GONE, NO_ANSWER, Misconfigured, RefreshResult, Rejected, Rotated, Unavailable
from .words import believed, result_of_status


def takes_send(function: Callable[..., object]) -> bool:
    """Tell whether the page's function wants ``send`` beside the tokens."""
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def refresh_by_own(endpoint: RefreshEndpoint, function: Callable[..., object], platform: Platform) -> Refresh:
    is_given_send = takes_send(function)
    if endpoint.dpop and not is_given_send:
        raise ValueError("with dpop a function that renews takes send, too: async (tokens, send)")

    async def refresh(session: Session | None) -> RefreshResult:
        try:
            send = (_sender(endpoint, platform, session),) if is_given_send else ()
            with within(refresh):
                returned = function(session.tokens if session is not None else None, *send)
                if inspect.isawaitable(returned):
                    returned = await returned
            if isinstance(returned, Response):
                now = platform.clock.time()
                is_proven = session is not None and session.is_proven(now)
                return await endpoint.read(returned, now=now, is_proven=is_proven)
            return _tokens_in(returned, endpoint, platform)
        except RefreshRejected as error:
            return Rejected(error.reason)
        except RefreshUnavailable as error:
            return Unavailable(str(error), believed(error.retry_after))
        except RefreshMisconfigured as error:
            return Misconfigured(str(error))
        except KeyGone:
            return KEY_GONE
        except ProofRefused as error:
            return Misconfigured(str(error))
        except NetworkError as error:
            return Unavailable(NO_ANSWER, None, error)
        except HTTPStatusError as error:
            passing = result_of_status(error.response, platform.clock.time())
            told = f"it answered {error.response.status}"
            if isinstance(passing, Unavailable):
                return passing._replace(cause=error)
            return Unavailable(told, None, error, again=False)
        except Exception as error:  # what the server did with the refresh token meanwhile, nobody knows
            return Unavailable(
                f"the refresh function raised {type(error).__name__}", None, error, again=False
            )

    return refresh


def _tokens_in(returned: Any, endpoint: RefreshEndpoint, platform: Platform) -> RefreshResult:
    if isinstance(returned, Tokens):
        return Rotated(returned)
    if returned is None and endpoint.begins_by_itself:
        return Rotated(Tokens.in_cookies())
    if isinstance(returned, Mapping):
        try:
            return Rotated(read_sign_in(returned, endpoint, platform.clock.time()))
        except ValueError as wrong:
            return Misconfigured(f"the refresh function returned {wrong}")
    return Misconfigured(
        f"the refresh function returned {type(returned).__name__}; return Tokens(…), the server's JSON "
        "answer, or the Response"
    )


def _sender(endpoint: RefreshEndpoint, platform: Platform, session: Session | None) -> Send:
    """Return what a function of the page's sends its request with: it follows no redirect."""

    async def send(request: Request) -> Response:
        call = request.with_target(place_named(request.url, platform.navigation).url)
        usual = {"cache": "no-store", "credentials": endpoint.credentials, "redirect": "manual"}
        call.timeout, call.options = None, {**usual, **(request.options or {})}
        if endpoint.dpop:
            call = call.with_proof(session.key if session is not None else None)
        try:
            response = await platform.transport(call)
        except NetworkError as error:
            error.request = Request(request.method, request.url)  # what was sent may hold the refresh token
            raise
        if response.status == 0 or 300 <= response.status < 400:
            raise RefreshUnavailable("it answered with a redirect, which is not followed")
        return response

    return send
