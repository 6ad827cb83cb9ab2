"""Interceptors: what stands between the caller and the network.

    async def trace(request, send):
        response = await send(request.with_header("X-Request-ID", new_id()))
        log(request.method, request.url, response.status)
        return response

An interceptor gets the request and ``send``; it returns the response, and may change the request,
send it again, or answer by itself. The first in a list is the outermost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from .messages import Request, Response

Send: TypeAlias = Callable[[Request], Awaitable[Response]]
Interceptor: TypeAlias = Callable[[Request, Send], Awaitable[Response]]


def chain(interceptors: Sequence[Interceptor], send: Send) -> Send:
    """Return a ``send`` that goes through all of them, first to last, before ``send`` itself."""
    for interceptor in reversed(interceptors):
        send = _link(interceptor, send)
    return send


def _link(interceptor: Interceptor, send: Send) -> Send:
    return lambda request: interceptor(request, send)
