"""What a page and its worker say to each other, over a port that nobody else has.

    worker → page                                  page → worker
    request  number, method, URL, session's id     standing  what the worker may do by itself
    sent     number, status, URL, redirected, …    send      number, access token ("" for none)
    broke    number, error                         take      number: the last answer is the caller's
    cancel   number                                fail      number, error
    call     number, method's name, argument       done      number, result
    trust    URL                                   event     its fields
    listen   whether                               closed
    alive    name of a lock, held until it ends
    bye

Each message is a JSON list. The page's access token crosses, and what a worker signs in with; the page's
refresh token never does.

https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

from pyodide.ffi import create_proxy

from .. import errors

log = logging.getLogger("silent_refresh")

HELLO = "silent-refresh"  # what a worker sends its page along with a port
CHANNEL = "silent-refresh:workers"  # on which the two find each other; no more than that is said there
KNOCK, HERE = "knock", "here"

_KNOWN = {
    kind.__name__: kind
    for kind in (
        errors.SilentRefreshError,
        errors.NetworkError,
        errors.RequestTimeout,
        errors.NotSignedIn,
        errors.SessionChanged,
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
        kind, *fields = json.loads(event.data)
        self._handlers[kind](*fields)

    def post(self, *message: Any) -> None:
        """Send; nobody may be there any more."""
        self._port.postMessage(json.dumps(message))

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
