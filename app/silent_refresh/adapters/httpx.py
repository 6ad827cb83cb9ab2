"""``httpx`` and ``httpx2``, asynchronous and synchronous: an ``Auth`` of theirs whose flow is the engine's.

    async with httpx2.AsyncClient(auth=HttpxAuth(auth)) as client:
        response = await client.get(url)

A flow of httpx's yields each request that is to leave, and gets its answer. The engine, which sends by
itself, runs in a task beside it, and what it sends the flow yields: so that signing, renewing, waiting and
sending again are the one engine's. A caller that can't be suspended (``Blocking.can_wait``) has no task to
wait for: then the engine's coroutine is moved on by hand, and a renewal starts, for a later call to find.

https://www.python-httpx.org/advanced/authentication/
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Generator
from importlib import import_module
from typing import Any, cast

from ..engine.access import AuthSession, Refused
from ..errors import RefreshUnavailable
from ..http.credential import NOTHING, PROOF, PROOF_NONCE, Credential
from ..http.messages import Headers, Request, Response
from ..platform.ports import Prover

LIBRARIES = ("httpx2", "httpx")
CANNOT_WAIT = (
    "this caller can't wait for a token to be renewed, as in a synchronous handler, or where the browser has "
    "no stack switching (JSPI): try again, or use an AsyncClient"
)


def auth_for(session: AuthSession) -> Any:
    """Return an ``Auth`` of each of the two that is there: see ``silent_refresh.HttpxAuth``."""
    found = [sys.modules[name] for name in LIBRARIES if name in sys.modules]
    if not found:
        for name in LIBRARIES:
            with contextlib.suppress(ModuleNotFoundError):
                found = [import_module(name)]
                break
    if not found:
        raise ImportError("HttpxAuth needs httpx2, or httpx: name one in pyscript.toml")
    bases = tuple(dict.fromkeys(library.Auth for library in found))  # httpx may be another name of httpx2
    return type("HttpxAuth", (_Flows, *bases), {})(session)


class _Flows:
    """The two flows that a client asks an ``Auth`` for."""

    def __init__(self, session: AuthSession) -> None:
        self._session = session

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Yield what leaves, for an ``AsyncClient``; raises what the engine raises."""
        exchange = _Exchange(self._session, request)
        if exchange.may_carry_token and hasattr(request.stream, "__aiter__"):
            await request.aread()  # so that it can be sent again
        try:
            is_to_leave = await exchange.start()
            while is_to_leave:
                is_to_leave = await exchange.go_on((yield request))
        finally:
            exchange.end()

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Yield what leaves, for a ``Client``; raises what the engine raises."""
        exchange = _Exchange(self._session, request)
        if exchange.may_carry_token and hasattr(request.stream, "__iter__"):
            request.read()
        blocking = self._session.platform.blocking
        try:
            if blocking is None or not blocking.can_wait():
                yield from exchange.at_once()
                return
            is_to_leave = blocking.wait(exchange.start())
            while is_to_leave:
                is_to_leave = blocking.wait(exchange.go_on((yield request)))
        finally:
            exchange.end()

    def __repr__(self) -> str:
        return "<HttpxAuth>"


class _Handed:
    """A request that is the flow's to yield, while the engine's coroutine is moved on by hand."""

    def __await__(self) -> Generator[_Handed, Any, Any]:
        return (yield self)


class _Exchange:
    """One request of httpx's on its way through the engine: it leaves once, or twice."""

    def __init__(self, session: AuthSession, request: Any) -> None:
        self._session = session
        self._request = request
        fields = Headers(request.headers.multi_items())
        self._asked = Request(request.method, str(request.url), headers=fields, timeout=None)
        self.may_carry_token = session.may_carry_token(self._asked)
        self._hand_out = self._from_task
        self._task: asyncio.Future[Response] | None = None
        self._wanted: asyncio.Future[None] | None = None  # done when something is to leave
        self._answer: asyncio.Future[Any] | None = None
        self._given: list[str] = []  # the header fields that were added

    # For a caller that can wait

    async def start(self) -> bool:
        """Begin, and tell whether the request is to leave now."""
        self._task = asyncio.ensure_future(self._session.send(self._asked, self._transport))
        return await self._next()

    async def go_on(self, answer: Any) -> bool:
        """Take an answer to it, and tell whether it is to leave once more."""
        assert self._answer is not None
        self._answer.set_result(answer)
        return await self._next()

    async def _next(self) -> bool:
        assert self._task is not None
        self._wanted = asyncio.get_running_loop().create_future()
        either: set[asyncio.Future[Any]] = {self._task, self._wanted}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._wanted.done():
            await self._task
        return self._wanted.done()

    def _from_task(self) -> Awaitable[Any]:
        self._answer = asyncio.get_running_loop().create_future()
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)
        return self._answer

    # For a caller that can't

    def at_once(self) -> Generator[Any, Any, None]:
        """Yield the request when it is to leave. Raises ``RefreshUnavailable`` where that takes a renewal."""
        session, access = self._session, self._session.access()
        self._hand_out = _Handed
        if self.may_carry_token and access.scheme.key(None) is not None:
            raise RuntimeError(
                "the tokens are bound to a key, and a proof is signed asynchronously: this caller can't be "
                "suspended until then (a browser without JSPI, a synchronous event handler). Use AsyncClient"
            )
        refused = None
        if self.may_carry_token and access.credential is not None:
            signed = self._asked.with_credential(access.credential)
            self._sign(access.credential)
            response = _response((yield self._request), signed)
            if not session.may_refuse(response.status):
                return
            refused = Refused(response, access.credential.token, access.session)
        elif not self.may_carry_token:
            yield self._request
            return
        yield from self._moved_on(session.send(self._asked, self._transport, refused))

    def _moved_on(self, sending: Awaitable[Response]) -> Generator[Any, Any, None]:
        coroutine, answer = cast("Coroutine[Any, Any, Response]", sending), None
        try:
            while True:
                with self._session.at_once(may_block=False):
                    step = coroutine.send(answer)
                if not isinstance(step, _Handed):
                    raise RefreshUnavailable(CANNOT_WAIT)
                answer = yield self._request
        except StopIteration:
            return
        finally:
            coroutine.close()

    # What the engine sends by

    async def _transport(self, request: Request) -> Response:
        prover = self._prover(request.credential)
        response = await self._sent(request, prover)
        if prover is None or not (response.status == 401 or PROOF_NONCE in response.headers):
            return response
        if await prover.hears(response):  # with a better proof it will be another answer (RFC 9449 §8, §9)
            response = await self._sent(request, prover)
        return response

    async def _sent(self, request: Request, prover: Prover | None) -> Response:
        self._sign(request.credential or NOTHING)
        if prover is not None:
            self._give(PROOF, await prover.prove(request))
        return _response(await self._hand_out(), request)

    def _prover(self, credential: Credential | None) -> Prover | None:
        """Return what signs for a token that is bound to a key; ``None`` for another."""
        if credential is None or credential.key is None:
            return None
        prover = self._session.platform.prover
        if prover is None:
            raise RuntimeError("the tokens are bound to a key, and nothing here can sign by it")
        return prover()

    def _sign(self, credential: Credential) -> None:
        self._take_back()
        if credential.is_sent:
            self._give(credential.header, credential.value)

    def _give(self, header: str, value: str) -> None:
        self._request.headers[header] = value
        self._given.append(header)

    def _take_back(self) -> None:
        for header in self._given:
            self._request.headers.pop(header, None)
        self._given.clear()

    def end(self) -> None:
        """Leave no token behind: a request that is kept is signed anew when it is sent again."""
        self._take_back()
        if self._task is not None and not self._task.done():
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)


class _Content:
    """The body of an answer of httpx's, for a rule that reads it; httpx keeps it for the caller."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def read(self) -> bytes:
        answer = self._answer
        # The stream's kind is the client's.
        return bytes(await answer.aread() if hasattr(answer.stream, "__aiter__") else answer.read())

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self.read()

    def discard(self) -> None:
        """Leave it to httpx, which reads it before it sends again."""


def _response(answer: Any, request: Request) -> Response:
    """Return an answer of httpx's as the engine knows answers; its body stays where it is."""
    fields, is_redirected = Headers(answer.headers.multi_items()), bool(answer.history)
    body, url = _Content(answer), str(answer.url)
    return Response(answer.status_code, fields, url, request, redirected=is_redirected, body=body)
