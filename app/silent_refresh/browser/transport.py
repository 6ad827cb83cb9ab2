"""fetch, one trip across the bridge a request: the fast path, which most requests take.

``send`` starts the fetch in JavaScript, which reads a small JSON body in the same go and then calls back
once, through a proxy that lives as long as the page; ``futures.py`` lets the task go on in that very moment.
Every other body stays where it is until it's asked for.

Between two stretches of JavaScript a call of a Python function costs 1 µs and more, and so does a string
that crosses; a whole request costs 60 (axios: 115; docs/benchmarks.md has the stages). So there are few calls
here, and header fields cross once: the other side keeps those of the last request, its credential's among
them, and is told when they are the same.

https://fetch.spec.whatwg.org/
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn, TypeAlias

import js
import pyodide_js
from pyodide.ffi import JsProxy, create_proxy, to_js

from ..errors import KeyGone, NetworkError, ProofRefused, RequestTimeout
from ..http.credential import Credential, cookies_with, proven_by
from ..http.messages import Headers, Request, Response, without_query
from .bridge import load_bridge
from .futures import Answer

FILES = ("[object File]", "[object Blob]")
Outcome: TypeAlias = tuple[Any, ...]  # what bridge.js calls back with, less the ticket


class Fetch:
    """The browser's fetch as a ``Transport``."""

    def __init__(self, bridge: Any) -> None:
        self._next_ticket = itertools.count(1).__next__
        self._waiting: dict[int, Answer[Outcome]] = {}
        # Never destroyed: there's one in a page.
        self._js = bridge.transport(create_proxy(self._done), pyodide_js)
        # The fields that the other side has from the last request.
        self._known: Headers | None = None
        self._known_credential: Credential | None = None
        self._send = self._js.send  # each look at a JavaScript attribute makes a new proxy

    def _done(self, ticket: int, *outcome: Any) -> None:
        answer = self._waiting.get(ticket)
        if answer is None:  # it was cancelled
            return
        if answer.done():  # called once more, after an interrupt
            answer.wake()
        else:
            answer.set_result(outcome)
        self._waiting.pop(ticket, None)

    def _begin(self, request: Request, start: Callable[..., None], *arguments: Any) -> Answer[Outcome]:
        """Start something on the other side; await what it calls back with. Cancelling that aborts it."""
        ticket = self._next_ticket()
        start(ticket, request.timeout or 0, *arguments)
        answer: Answer[Outcome] = Answer(asyncio.get_running_loop(), self._abort, ticket)
        self._waiting[ticket] = answer  # nothing calls back sooner than after this
        return answer

    def _abort(self, ticket: int) -> None:
        del self._waiting[ticket]
        self._js.abort(ticket)

    async def __call__(self, request: Request) -> Response:
        """Send. Raises ``NetworkError``, ``RequestTimeout``, ``ValueError`` for what fetch doesn't take."""
        headers, credential = request.headers, request.credential
        are_known = headers is self._known and credential is self._known_credential
        self._known, self._known_credential = headers, credential
        target = request.target
        try:
            answer = self._begin(
                request,
                self._send,
                not request.stream,
                request.method,
                target[1] if target is not None and target[0] is request.url else request.url,
                None if request.body is None else _body(request),  # in no variable: it may hold a token
                None if request.options is None else to_js(dict(request.options)),
                are_known,
                *(
                    ()
                    if are_known
                    else (cookies_with(credential), *proven_by(credential), *request.sent_headers().flat())
                ),
            )
        except BaseException:
            self._known = None  # they may not have arrived
            raise
        outcome = await answer
        if outcome[0]:
            _raise(request, *outcome)
        _, status, url, redirected, fields, text, rest = outcome
        body = None if rest is None else ResponseBody(self, request, rest)
        return Response(status, fields, url, request, text=text, body=body, redirected=redirected)

    async def more(self, request: Request, name: str, *arguments: Any) -> Any:
        """Ask for more of an answer; raises as sending does."""
        outcome = await self._begin(request, getattr(self._js, name), *arguments)
        if outcome[0]:
            _raise(request, *outcome)
        return outcome[1]


def settled(body: Any) -> Any:
    """Return what is sent of a body, now and again after a renewal, whatever becomes of it meanwhile."""
    if not isinstance(body, JsProxy):
        return body
    copy = load_bridge().settled(body)
    return body if copy is None else copy


def joined(pieces: list[Any]) -> Any:
    """Return one body of several pieces; files of the browser's stay where they are.

    Raises ``TypeError`` for what is no part of a body.
    """
    if all(isinstance(piece, bytes) for piece in pieces):
        return b"".join(pieces)
    for piece in pieces:
        if not (isinstance(piece, bytes) or str(js.Object.prototype.toString.call(piece)) in FILES):
            raise TypeError(f"a {type(piece).__name__} is no file: pass bytes, or a File or Blob")
    return js.Blob.new(to_js([to_js(piece) if isinstance(piece, bytes) else piece for piece in pieces]))


class ResponseBody:
    """A body that is still on the other side."""

    def __init__(self, fetch: Fetch, request: Request, response: JsProxy) -> None:
        self._fetch = fetch
        self._request = request
        self._response: Any = response
        self._is_read = False

    async def read(self) -> bytes:
        """Read it whole. Raises ``NetworkError`` if it breaks off, ``RuntimeError`` if begun before."""
        self._take()
        return bytes((await self._fetch.more(self._request, "read", self._response)).to_bytes())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield its pieces. Raises ``NetworkError`` if it breaks off."""
        self._take()
        if not self._response.body:  # a null body is legal
            return
        reader = self._response.body.getReader()
        while True:
            chunk = await self._fetch.more(self._request, "chunk", self._response, reader)
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


def _body(request: Request) -> Any:
    return to_js(request.body) if isinstance(request.body, bytes) else request.sent_body()


def _raise(request: Request, problem: str, message: str) -> NoReturn:
    told = f"{request.method} {without_query(request.url)}"
    if problem == "timeout":
        raise RequestTimeout(f"{told} was not answered within {request.timeout:g} s", request=request)
    if problem == "input":
        raise ValueError(f"{told} can't be sent: {message}")
    if problem == "key":
        raise KeyGone(f"{told} was not sent: {message}", request=request)
    if problem == "proof":
        raise ProofRefused(f"{told} can't be had: {message}", request=request)
    raise NetworkError(
        f"{told} got no answer ({message}): offline, the server is down, "
        "or its CORS headers don't allow this page",
        request=request,
    )
