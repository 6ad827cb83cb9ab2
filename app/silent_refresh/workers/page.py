"""The page's side of workers: their requests run through the page's ``SilentRefresh``.

    undo = serve_workers(auth)

A worker's requests are refused, renewed, queued and turned away by the one engine of the page, as those of
the page are; only that sending them is left to the worker, which has their bodies. While the token is good
the worker sends by itself. ``worker.py`` is the other end, ``channel.py`` says what crosses.

https://html.spec.whatwg.org/multipage/workers.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import create_proxy

from ..browser.bridge import load_bridge
from ..engine.access import AuthSession, Refused
from ..errors import NetworkError, SilentRefreshError
from ..events import EventName
from ..http.credential import NOTHING
from ..http.json import parse_json
from ..http.messages import Request, Response
from ..session.tokens import Tokens
from .channel import CHANNEL, HELLO, HERE, WANTED, Port, pack, unpack, unpack_answer

if TYPE_CHECKING:
    from ..platform.ports import Stop

CALLS = ("access_token", "ensure_signed_in", "proving_key", "refresh", "sign_in", "sign_out")


def serve_workers(session: AuthSession, *workers: Any) -> Stop:
    """Let workers use the page's session: see ``silent_refresh.serve_workers``."""
    server = _WorkerServer(session)
    for worker in workers:
        server.attend(worker)
    server.open()
    return server.close


class _WorkerServer:
    """Waits for workers, and keeps one connection to each."""

    def __init__(self, session: AuthSession) -> None:
        self._session = session
        self._base = str(load_bridge().baseURI())  # now: a <base> that comes later moves no worker
        self._known = js.WeakSet.new()
        self._stops: list[Stop] = []
        self._connections: set[_Connection] = set()
        self._channel = js.BroadcastChannel.new(CHANNEL)

    def open(self) -> None:
        """Find the page's workers, now and whenever one looks for its page."""

        def heard(event: Any) -> None:
            if event.data == WANTED and self._find():
                self._channel.postMessage(HERE)

        proxy = create_proxy(heard)
        self._channel.onmessage = proxy
        self._stops.append(proxy.destroy)
        self._find()
        self._channel.postMessage(HERE)  # to those that looked for it before

    def _find(self) -> bool:
        found = False
        # By the platform's own: an element of this name would take its place in the document.
        for element in js.Document.prototype.querySelectorAll.call(js.document, "[worker]"):
            worker = getattr(element, "xworker", None)  # what PyScript leaves there
            if worker is not None and self.attend(worker):
                found = True
        return found

    def attend(self, worker: Any) -> bool:
        """Wait for the worker's port; ``False`` when that is done already."""
        if self._known.has(worker):
            return False
        self._known.add(worker)

        def heard(event: Any) -> None:
            said = event.data
            if isinstance(said, str) and said.startswith(HELLO) and event.ports.length == 1:
                event.stopImmediatePropagation()  # it's for nobody else
                self._connect(event.ports[0], said.removeprefix(HELLO))

        proxy = create_proxy(heard)
        worker.addEventListener("message", proxy)

        def stop() -> None:
            worker.removeEventListener("message", proxy)
            proxy.destroy()

        self._stops.append(stop)
        return True

    def _connect(self, port: Any, resource: str) -> None:
        """Serve the session at this port, or one more API of it, whose fields are in JSON."""
        session = self._session
        try:
            if resource:
                session = session.for_resource(parse_json(resource))
        except ValueError as error:
            refusing = Port(port, {})
            refusing.post("closed", pack(error))
            refusing.close()
        else:
            left = self._connections.discard
            self._connections.add(_Connection(session, port, self._base, left))

    def close(self) -> None:
        """Stop; workers that wait for something get ``SessionChanged``."""
        self._channel.close()
        for connection in list(self._connections):
            connection.close()
        for stop in self._stops:
            stop()
        self._stops.clear()


class _BodyInWorker:
    """The body of an answer that the worker has, as a ``Body``."""

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        self._read = read

    async def read(self) -> bytes:
        return await self._read()

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self._read()

    def discard(self) -> None:
        """Leave it to the worker."""


class _Connection:
    """Serves one ``SilentRefresh`` of a worker, until ``left(self)``."""

    def __init__(
        self, session: AuthSession, port: Any, base: str, left: Callable[[_Connection], None]
    ) -> None:
        self._session = session
        self._base = base
        self._left = left
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._sendings: dict[int, asyncio.Future[Any]] = {}
        self._bodies: dict[int, asyncio.Future[str | None]] = {}
        self._stop_listening: Stop | None = None
        self._port: Port | None = Port(
            port,
            {
                "request": lambda number, *rest: self._start(
                    number, self._request(number, *self._request_of(number, *rest))
                ),
                "call": lambda number, name, *rest: self._start(
                    number, self._call(number, name, *map(_argument_of, rest))
                ),
                "sent": self._sent,
                "broke": self._broke,
                "body": self._body,
                "cancel": self._cancel,
                "listen": self._listen,
                "alive": lambda lock: self._start(0, self._outlive(lock)),
                "bye": self.leave,
            },
        )
        self._shared: set[str] = set()  # the names of the keys that the worker has
        self._sharings: set[asyncio.Task[None]] = set()
        self._unwatch = session.watch(self._tell)
        self._tell()

    def _post(self, *message: Any) -> None:
        if self._port is not None:
            self._port.post(*message)

    def _tell(self) -> None:
        key = self._session.access().key
        if key is None or key in self._shared:
            return self._tell_access()
        sharing = asyncio.ensure_future(self._share(key))
        self._sharings.add(sharing)
        sharing.add_done_callback(self._sharings.discard)
        sharing.add_done_callback(lambda _: self._tell_access())

    async def _share(self, key: str) -> None:
        """Let the worker have a key, by which its own requests are proved."""
        prover = self._session.platform.prover
        if self._port is not None and prover is not None:
            await self._port.share(key, prover())
            self._shared.add(key)

    def _tell_access(self) -> None:
        access, tokens = self._session.access(), self._session.tokens
        told = {
            "session": access.session,
            "tokens": [tokens.access_token, tokens.expires_in] if tokens is not None else None,
            "sendable": access.credential is not None,
            "valid_for": access.valid_for,
            "origins": sorted(access.origins),
            "exempt": sorted(access.exempt),
            "scheme": list(access.scheme),
            "key": access.key,
            "renewing": self._session.renewing,
            "judged": self._session.may_refuse(200),
            "base": self._base,
        }
        self._post("access", told)

    def _start(self, number: int, job: Coroutine[Any, Any, None]) -> None:
        self._tasks[number] = task = asyncio.ensure_future(job)
        task.add_done_callback(lambda task: self._ended(number, task))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        """Forget a task; the worker waits no longer when something else has ended it, the page say."""
        self._tasks.pop(number, None)
        if task.cancelled() or task.exception() is not None:
            self._post("fail", number, pack(SilentRefreshError("the page ended it before it was done")))

    # Requests

    def _request_of(
        self, number: int, method: str, url: str, target: str, refusal: list[Any] | None
    ) -> tuple[Request, Refused | None, _BodyInWorker]:
        """Return what a worker asks for; what holds a token is made into what shows none."""
        request, refused = Request(method, url).with_target(target), None
        body = _BodyInWorker(lambda: self._read(number, request))
        if refusal is not None:
            answer, access_token, session = refusal
            sent = request.with_credential(self._session.access().scheme.credential(access_token))
            refused = Refused(unpack_answer(answer, sent, body), access_token, session)
        return request, refused, body

    async def _request(
        self, number: int, request: Request, refused: Refused | None, body: _BodyInWorker
    ) -> None:
        response = refused.response if refused is not None else None

        async def transport(request: Request) -> Response:
            nonlocal response
            waiter = self._sendings[number] = asyncio.get_running_loop().create_future()
            credential = request.credential or NOTHING
            self._post("send", number, credential.token, credential.key)
            try:
                answer = await waiter
            finally:
                self._sendings.pop(number, None)
            if answer is not None or response is None:  # else the last one again: the engine knows it
                response = unpack_answer(answer, request, body)
            return response

        try:
            await self._session.send(request, transport, refused)
        except Exception as error:
            self._post("fail", number, pack(error))
        else:
            self._post("take", number)

    async def _read(self, number: int, request: Request) -> bytes:
        """Ask for the body of the last answer: a rule of the page's reads it."""
        waiter = self._bodies[number] = asyncio.get_running_loop().create_future()
        self._post("read", number)
        try:
            text = await waiter
        finally:
            self._bodies.pop(number, None)
        if text is None:
            raise NetworkError(f"the body of the answer to {request!r} broke off", request=request)
        return bytes(text, "latin-1")

    def _body(self, number: int, text: str | None) -> None:
        waiter = self._bodies.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(text)

    def _sent(self, number: int, answer: list[Any] | None) -> None:
        waiter = self._sendings.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _broke(self, number: int, error: dict[str, Any]) -> None:
        waiter = self._sendings.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_exception(unpack(error))

    def _cancel(self, number: int) -> None:
        if number in self._tasks:
            self._tasks[number].cancel()

    # All else

    async def _call(self, number: int, name: str, *arguments: Any) -> None:
        answer = asyncio.get_running_loop().call_soon  # behind the events that it brought
        try:
            if name not in CALLS:
                raise ValueError(f"a worker can't call {name}")
            options = {"provider": False, "redirect_uri": None} if name == "sign_out" else {}
            result = await getattr(self._session, name)(*arguments, **options)
            if name == "proving_key" and result is not None:
                await self._share(result)
        except Exception as error:
            answer(self._post, "fail", number, pack(error))
        else:
            answer(self._post, "done", number, result)

    def _listen(self, names: list[EventName] | None) -> None:
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        if names is not None:
            self._stop_listening = self._session.listen(
                lambda event: self._post("event", list(event)), *names
            )

    async def _outlive(self, lock: str) -> None:
        """Leave when the worker is no more: it can't say so itself, but then its lock is free."""
        held = load_bridge().lock(lock)
        try:
            await held.acquire()
        finally:
            held.release()
        self.leave()

    def leave(self) -> None:
        """Give up what the worker waits for, and the port."""
        if self._port is None:
            return
        port, self._port = self._port, None
        self._unwatch()
        self._listen(None)
        for task in list(self._tasks.values()):
            task.cancel()
        port.close()
        self._left(self)

    def close(self) -> None:
        """Say so, and leave."""
        self._post("closed")
        self.leave()


def _argument_of(argument: Any) -> Any:
    if not isinstance(argument, list):
        return argument
    access_token, refresh_token, expires_in = argument
    return Tokens(access_token, refresh_token, expires_in=expires_in)
