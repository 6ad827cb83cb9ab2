"""fetch, one trip across the bridge a request: the fast path, which most requests take.

``send`` starts the fetch in JavaScript, which reads a small JSON body in the same go and then calls back
once, through a proxy that lives as long as the page; ``futures.py`` lets the task go on in that very moment.
Every other body stays where it is until it's asked for.

Between two stretches of JavaScript a call of a Python function costs 1 µs and more, and so does a string
that crosses, with 10 µs for each kilobyte; a whole request costs 50 (axios: 100; docs/benchmarks.md has the
stages). So there are few calls here. What is sent crosses once: the other side keeps all of the last request
but its URL, and is told when that is the same. What is answered is written into memory that Python has set
aside, where it is bytes.

https://fetch.spec.whatwg.org/
"""

from __future__ import annotations

import itertools
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Generator
from struct import Struct
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
# What bridge.js writes of an answer: the ticket, the status, whether it was redirected, and where its fields,
# its URL (none where it is the request's) and its body end, which follow.
HEAD = Struct("<6I")
ROOM = 16384  # bytes for fields and URL; where these are longer they are handed over
SMALL = 65536  # bytes of JSON that are read in the same trip
Outcome: TypeAlias = tuple[Any, ...]  # a problem, or None, and what comes with it


class Fetch:
    """The browser's fetch as a ``Transport``."""

    def __init__(self, bridge: Any) -> None:
        self._next_ticket = itertools.count(1).__next__
        self._waiting: dict[int, Answer[Outcome]] = {}
        self._buffer = bytearray(HEAD.size + ROOM + SMALL)
        # Never destroyed: there's one in a page.
        proxies = [create_proxy(each) for each in (self._answered, self._done, self._buffer)]
        self._js = bridge.transport(*proxies, ROOM, SMALL, pyodide_js)
        # What the other side has from the last request.
        self._known: Headers | None = None
        self._known_credential: Credential | None = None
        self._known_how: tuple[float | None, bool, str] | None = None
        # Each look at a JavaScript attribute makes a new proxy.
        self._send = self._js.send
        self._again = self._js.again

    def _answered(self, ticket: int, body: Any = None, fields: str = "", url: str = "") -> None:
        answer = self._waiting.get(ticket)
        if answer is None:  # it was cancelled
            return
        buffer = self._buffer
        written, status, redirected, fields_end, url_end, end = HEAD.unpack_from(buffer)
        if written != ticket:
            self._js.write(ticket)
            _, status, redirected, fields_end, url_end, end = HEAD.unpack_from(buffer)
        answer.go_on_with(
            (
                None,
                status,
                fields or bytes(buffer[HEAD.size : fields_end]),
                url or buffer[fields_end:url_end],
                redirected,
                bytes(buffer[url_end:end]) if body is None else None,
                body,
            )
        )
        self._waiting.pop(ticket, None)  # not sooner: after an interrupt this is called once more

    def _done(self, ticket: int, *outcome: Any) -> None:
        answer = self._waiting.get(ticket)
        if answer is not None:
            answer.go_on_with(outcome)
            self._waiting.pop(ticket, None)

    def _abort(self, ticket: int) -> None:
        del self._waiting[ticket]
        self._js.abort(ticket)

    def __call__(self, request: Request) -> Answered:
        """Send. What is returned is awaited by one task.

        Raises ``ValueError`` for what fetch doesn't take; see ``Answered``.
        """
        headers, credential = request.headers, request.credential
        are_known = headers is self._known and credential is self._known_credential
        target = request.target
        url = target[1] if target is not None and target[0] is request.url else request.url
        how = request.timeout, request.stream, request.method
        ticket = self._next_ticket()
        if are_known and how == self._known_how and request.body is None and request.options is None:
            self._again(ticket, url)
        else:
            self._known = None  # they may not arrive
            self._send(
                ticket,
                url,
                request.timeout or 0,
                not request.stream,
                request.method,
                None if request.body is None else _body(request),  # in no variable: it may hold a token
                None if request.options is None else to_js(dict(request.options)),
                are_known,
                *(
                    ()
                    if are_known
                    else (cookies_with(credential), *proven_by(credential), *request.sent_headers().flat())
                ),
            )
            self._known, self._known_credential, self._known_how = headers, credential, how
        # Nothing calls back sooner than after this.
        self._waiting[ticket] = answer = Answered(get_running_loop(), self._abort, ticket)
        answer.fetch, answer.request, answer.url = self, request, url
        return answer

    async def more(self, request: Request, name: str, *arguments: Any) -> Any:
        """Ask for more of an answer; raises as sending does."""
        ticket = self._next_ticket()
        getattr(self._js, name)(ticket, request.timeout or 0, *arguments)
        answer: Answer[Outcome] = Answer(get_running_loop(), self._abort, ticket)
        self._waiting[ticket] = answer
        outcome = await answer
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


class Answered(Answer[Outcome]):
    """What a request comes to, for the one task that awaits it; a coroutine would be a step more.

    Raises ``NetworkError``, ``RequestTimeout``, ``ValueError`` for what fetch doesn't take.
    """

    __slots__ = ("fetch", "request", "url")

    fetch: Fetch
    request: Request
    url: str

    def __await__(self) -> Generator[Any, None, Response]:
        # As Answer's own, which would be one generator more for each request.
        if not self._is_settled:
            self._asyncio_future_blocking = True
            yield self
        if self._error is not None:
            raise self._error
        request = self.request
        if self._result[0]:
            _raise(request, *self._result)
        _, status, fields, url, redirected, content, body = self._result
        if url:
            url = url if isinstance(url, str) else url.decode()
        if body is not None:
            body = ResponseBody(self.fetch, request, body)
        return Response(status, fields, url or self.url, request, redirected == 1, content, body)


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
