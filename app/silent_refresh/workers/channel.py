"""What a page and its worker say to each other, over a port that nobody else has.

    worker → page                                  page → worker
    request  number, method, URL, the whole URL,   access    what the worker may do by itself
             what was refused
    sent     number, answer                        send      number, access token ("" for none), key's name
    body     number, body as Latin-1, or null      read      number: the last answer's body
    broke    number, error                         take      number: the last answer is the caller's
    cancel   number                                fail      number, error
    call     number, method's name, argument       done      number, result
    listen   for which names, null for none        event     its fields
    alive    name of a lock, held until it ends    closed    why, where it is for good
    bye

Each message is a JSON list, but for a key, which crosses as the handle that it is, before its name does. An
answer is ``[status, URL, redirected, [[name, value], …]]``; what was refused
is ``[answer, access token, session's id]``, or null. The page's access token crosses, and what a worker signs
in with; the page's refresh token never does.

https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pyodide.ffi import create_proxy

from .. import errors
from ..http.json import parse_json
from ..http.messages import Body, Headers, Request, Response

log = logging.getLogger("silent_refresh")

HELLO = "silent-refresh"  # what a worker sends its page along with a port; behind it, for which API
CHANNEL = "silent-refresh:workers"  # on which the two find each other; no more than that is said there
WANTED, HERE = "page-wanted", "page-here"

_KNOWN = {
    kind.__name__: kind
    for kind in (
        errors.SilentRefreshError,
        errors.NetworkError,
        errors.RequestTimeout,
        errors.ProofRefused,
        errors.KeyGone,
        errors.NotSignedIn,
        errors.LoginLoop,
        errors.SessionChanged,
        errors.StepUpRequired,
        errors.RefreshError,
        errors.RefreshRejected,
        errors.RefreshUnavailable,
        errors.RefreshMisconfigured,
        ValueError,
        TypeError,
    )
}


class Port:
    """One end; ``handlers`` are called with what follows a message's first word."""

    def __init__(self, port: Any, handlers: dict[str, Callable[..., None]]) -> None:
        self._port = port
        self._handlers = handlers
        self._proxy = create_proxy(self._heard)
        port.onmessage = self._proxy  # starts it, too

    def _heard(self, event: Any) -> None:
        if not isinstance(event.data, str):
            return self._handlers["key"](event.data)
        kind, *fields = parse_json(event.data)
        self._handlers[kind](*fields)

    def post(self, *message: Any) -> None:
        """Send; nobody may be there any more."""
        self._port.postMessage(json.dumps(message))

    def share(self, key: str, prover: Any) -> Awaitable[None]:
        """Send a key, by what has it."""
        shared: Awaitable[None] = prover.share(key, self._port)
        return shared

    def close(self) -> None:
        """Let go of it."""
        self._port.onmessage = None
        self._port.close()
        asyncio.get_event_loop().call_soon(self._proxy.destroy)  # it may be what is running now


def pack(error: BaseException) -> dict[str, Any]:
    """Turn an error into what a message can hold; of one that isn't the library's, the name alone."""
    kind = type(error).__name__
    if kind not in _KNOWN:
        kind, error = "SilentRefreshError", errors.SilentRefreshError(f"it failed with {kind}")
    plain = {name: value for name, value in vars(error).items() if name in ("reason", "retry_after")}
    return {"kind": kind, "message": str(error), "fields": plain}


def unpack(packed: dict[str, Any]) -> Exception:
    """Make the error again; its cause stayed on the other side."""
    kind = _KNOWN[packed["kind"]]
    error = kind.__new__(kind, packed["message"])
    error.__dict__.update(packed["fields"])
    return error


def pack_answer(response: Response) -> list[Any]:
    """Turn a response into what a message can hold; its body stays where it is."""
    return [response.status, response.url, response.redirected, list(response.headers.items())]


def unpack_answer(packed: list[Any], request: Request, body: Body) -> Response:
    """Make the response again, as the engine knows responses."""
    status, url, redirected, fields = packed
    return Response(status, Headers(map(tuple, fields)), url, request, body=body, redirected=redirected)
