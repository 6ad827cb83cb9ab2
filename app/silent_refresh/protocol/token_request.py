"""Carries a refresh call out: over the network as a ``RefreshEndpoint`` says, or by the page's function."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

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
from ..platform.ports import Platform, place_named
from ..session.tokens import Session, Tokens
from .endpoint import RefreshEndpoint, read_sign_in
from .result import (
    Misconfigured,
    RefreshResult,
    Rejected,
    Rotated,
    Unavailable,
    believed,
    result_of_status,
)

log = logging.getLogger("silent_refresh")

# Without a session where the refresh token is in a cookie and there's none yet.
Refresh: TypeAlias = Callable[[Session | None], Awaitable[RefreshResult]]
KEY_GONE = Rejected("key_gone", "the key that the tokens are bound to is not in this browser any more")
NO_ANSWER = "no answer came: offline, the server is down, or its CORS headers don't allow this page"
ITSELF = (
    "the refresh function waits for itself: it sends with the client whose token it renews. Let it take a "
    "second argument, and await send(Request(…)), or use a Client without auth"
)


class _Run:
    """A function of the page's that renews; ``is_over`` when it has ended, though tasks of its own go on."""

    def __init__(self, refresh: Refresh) -> None:
        self.refresh = refresh
        self.is_over = False


_runs: ContextVar[tuple[_Run, ...]] = ContextVar("silent_refresh_runs", default=())


def raise_if_within(refresh: Refresh) -> None:
    """Raise ``RefreshMisconfigured`` when it is that function's own code which is about to wait for it."""
    if any(run.refresh is refresh and not run.is_over for run in _runs.get()):
        raise RefreshMisconfigured(ITSELF)


@contextmanager
def _within(refresh: Refresh) -> Iterator[None]:
    run = _Run(refresh)
    before = _runs.set((*_runs.get(), run))
    try:
        yield
    finally:
        run.is_over = True
        _runs.reset(before)


def refresh_by(endpoint: RefreshEndpoint, platform: Platform) -> Refresh:
    """Return the function that renews a session's tokens; it never goes through an interceptor."""
    if endpoint.function is not None:
        return _by_own(endpoint, endpoint.function, platform)
    return _over_network(endpoint, platform)


def blocking_refresh_by(endpoint: RefreshEndpoint, platform: Platform) -> Refresh | None:
    """Return the one that blocks the page; ``None`` for a function that may wait for anything."""
    assert platform.blocking is not None
    if endpoint.dpop or (endpoint.function is not None and not _takes_send(endpoint.function)):
        return None  # a proof is signed while the page goes on
    return refresh_by(endpoint, platform._replace(transport=platform.blocking.send))


def _over_network(endpoint: RefreshEndpoint, platform: Platform) -> Refresh:
    async def refresh(session: Session | None) -> RefreshResult:
        try:
            request = endpoint.request(session.tokens if session is not None else None)
            if endpoint.dpop:
                request = request.with_proof(session.key if session is not None else None)
            return await _read(endpoint, await platform.transport(request), session, platform)
        except KeyGone:
            return KEY_GONE
        except ProofRefused as error:
            return Misconfigured(str(error))
        except NetworkError as error:
            error.request = Request("POST", endpoint.url)  # the one that was sent holds the refresh token
            return Unavailable(NO_ANSWER, None, error)

    return refresh


async def _read(
    endpoint: RefreshEndpoint, response: Response, session: Session | None, platform: Platform
) -> RefreshResult:
    now = platform.clock.time()
    return await endpoint.read(response, now=now, is_proven=session is not None and session.is_proven(now))


def _takes_send(function: Callable[..., object]) -> bool:
    """Tell whether the page's function wants ``send`` beside the tokens."""
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def _by_own(endpoint: RefreshEndpoint, function: Callable[..., object], platform: Platform) -> Refresh:
    takes_send = _takes_send(function)
    if endpoint.dpop and not takes_send:
        raise ValueError("with dpop a function that renews takes send, too: async (tokens, send)")

    async def refresh(session: Session | None) -> RefreshResult:
        try:
            send = (_sender(endpoint, platform, session),) if takes_send else ()
            with _within(refresh):
                returned = function(session.tokens if session is not None else None, *send)
                if inspect.isawaitable(returned):
                    returned = await returned
            if isinstance(returned, Response):
                return await _read(endpoint, returned, session, platform)
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


async def revoke(endpoint: RefreshEndpoint, session: Session, platform: Platform) -> None:
    """Tell the server that the refresh token is to die (RFC 7009); best effort, whatever it answers."""
    tokens = session.tokens
    if callable(endpoint.revoke):
        try:
            await endpoint.revoke(tokens)
        except Exception:
            log.exception("silent-refresh: the revocation failed; here the tokens are gone all the same")
        return
    if tokens.refresh_token is None and endpoint.needs_refresh_token and not endpoint.revoke_signed:
        return
    try:
        request = endpoint.revocation(tokens, session.key)
        if request is not None:
            (await platform.transport(request)).discard()
    except NetworkError:
        return  # offline: here the tokens are gone all the same
