"""fetch, one trip across the bridge a request.

``send`` starts the fetch in JavaScript, which reads a small JSON body in the same go and then calls back
once, through a proxy that lives as long as the page. Every other body stays where it is until it's asked for.

https://fetch.spec.whatwg.org/
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

from pyodide.ffi import JsProxy, create_proxy, to_js

from ..errors import NetworkError, RequestTimeout
from ..messages import Request, Response, without_query

LONGEST_TIMER = 2**31 - 1  # ms; a longer one overflows and fires at once


class Fetch:
    """The browser's fetch as a ``Transport``."""

    def __init__(self, bridge: Any) -> None:
        self._tickets = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[Any, ...]]] = {}
        self._js = bridge.transport(create_proxy(self._done))  # never destroyed: there's one in a page

    def _done(self, ticket: int, *outcome: Any) -> None:
        waiter = self._waiting.pop(ticket, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(outcome)

    async def call(self, request: Request, start: Callable[..., None], *arguments: Any) -> tuple[Any, ...]:
        """Start something on the other side and return what it calls back with; abort it if cancelled."""
        ticket = next(self._tickets)
        waiter = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        start(ticket, math.ceil(min((request.timeout or 0) * 1000, LONGEST_TIMER)), *arguments)
        try:
            outcome: tuple[Any, ...] = await waiter
        except asyncio.CancelledError:
            self._js.abort(ticket)
            raise
        finally:
            self._waiting.pop(ticket, None)
        if outcome[0]:
            _raise(request, *outcome)
        return outcome

    async def __call__(self, request: Request) -> Response:
        """Send. Raises ``NetworkError``, ``RequestTimeout``, ``ValueError`` for what fetch doesn't take."""
        body = request.body
        _, status, url, redirected, fields, text, rest = await self.call(
            request,
            self._js.send,
            not request.stream,
            request.method,
            request.url,
            to_js(body) if isinstance(body, bytes) else body,
            None if request.options is None else to_js(dict(request.options)),
            *itertools.chain.from_iterable(request.headers.items()),
        )
        body = None if rest is None else ResponseBody(self, request, rest)
        return Response(status, fields, url, request, text=text, body=body, redirected=redirected)


class ResponseBody:
    """A body that is still on the other side."""

    def __init__(self, fetch: Fetch, request: Request, response: JsProxy) -> None:
        self._fetch = fetch
        self._request = request
        self._response: Any = response
        self._is_read = False

    async def read(self) -> bytes:
        """Read it whole. Raises ``NetworkError`` if it breaks off, ``RuntimeError`` if begun before."""
        return bytes((await self._read("arrayBuffer")).to_bytes())

    async def read_text(self) -> str:
        """Read it whole as UTF-8; raises as ``read`` does."""
        return str(await self._read("text"))

    async def _read(self, how: str) -> Any:
        self._take()
        _, whole = await self._fetch.call(self._request, self._fetch._js.read, self._response, how)
        return whole

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield its pieces. Raises ``NetworkError`` if it breaks off."""
        self._take()
        if not self._response.body:  # a null body is legal
            return
        reader = self._response.body.getReader()
        while True:
            _, chunk = await self._fetch.call(self._request, self._fetch._js.chunk, self._response, reader)
            if chunk is None:
                return
            yield chunk.to_bytes()

    def _take(self) -> None:
        if self._is_read:
            raise RuntimeError(f"the body of {self._request!r} was read already, and was not kept")
        self._is_read = True

    def discard(self) -> None:
        """Drop it."""
        self._is_read = True
        self._fetch._js.discard(self._response)


def _raise(request: Request, problem: str, message: str) -> NoReturn:
    told = f"{request.method} {without_query(request.url)}"
    if problem == "timeout":
        raise RequestTimeout(f"{told} was not answered within {request.timeout:g} s", request=request)
    if problem == "input":
        raise ValueError(f"{told} can't be sent: {message}")
    raise NetworkError(
        f"{told} got no answer ({message}): offline, the server is down, "
        "or its CORS headers don't allow this page",
        request=request,
    )
