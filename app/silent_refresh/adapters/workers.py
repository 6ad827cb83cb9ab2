"""The page's side of workers: their requests run through the page's ``SilentRefresh``.

    undo = serve_workers(auth)

A worker's requests are refused, renewed, queued and turned away by the one engine of the page, as those of
the page are; only that sending them is left to the worker, which has their bodies. While the token is good
the worker sends by itself. ``browser/worker.py`` is the other side, ``browser/port.py`` says what crosses.

https://html.spec.whatwg.org/multipage/workers.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import js
from pyodide.ffi import create_proxy

from ..auth import SilentRefresh
from ..browser.bridge import load_bridge
from ..browser.port import CHANNEL, HELLO, HERE, KNOCK, Port, pack, unpack
from ..messages import Headers, Request, Response
from ..session import Tokens

CALLS = ("access_token", "is_over", "refresh", "sign_in", "sign_out")


def serve_workers(auth: SilentRefresh, *workers: Any) -> Callable[[], None]:
    """Let workers use the page's session: see ``silent_refresh.serve_workers``."""
    office = _Office(auth)
    for worker in workers:
        office.attend(worker)
    office.open()
    return office.close


class _Office:
    """Waits for workers, and keeps one desk for each."""

    def __init__(self, auth: SilentRefresh) -> None:
        self._auth = auth
        self._known = js.WeakSet.new()
        self._stops: list[Callable[[], None]] = []
        self._desks: set[_Desk] = set()
        self._channel = js.BroadcastChannel.new(CHANNEL)

    def open(self) -> None:
        """Find the page's workers, now and whenever one knocks."""

        def heard(event: Any) -> None:
            if event.data == KNOCK and self._find():
                self._channel.postMessage(HERE)

        proxy = create_proxy(heard)
        self._channel.onmessage = proxy
        self._stops.append(proxy.destroy)
        self._find()
        self._channel.postMessage(HERE)  # to those that knocked before

    def _find(self) -> bool:
        found = False
        for element in js.document.querySelectorAll("[worker]"):
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
            if event.data == HELLO and event.ports.length == 1:
                event.stopImmediatePropagation()  # it's for nobody else
                self._desks.add(_Desk(self._auth, event.ports[0], self._desks.discard))

        proxy = create_proxy(heard)
        worker.addEventListener("message", proxy)

        def stop() -> None:
            worker.removeEventListener("message", proxy)
            proxy.destroy()

        self._stops.append(stop)
        return True

    def close(self) -> None:
        """Stop; workers that wait for something get ``SessionChanged``."""
        self._channel.close()
        for desk in list(self._desks):
            desk.close()
        for stop in self._stops:
            stop()
        self._stops.clear()


class _Desk:
    """Serves one ``SilentRefresh`` of a worker, until ``left(self)``."""

    def __init__(self, auth: SilentRefresh, port: Any, left: Callable[[_Desk], None]) -> None:
        self._auth = auth
        self._left = left
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._sendings: dict[int, asyncio.Future[tuple[Any, ...]]] = {}
        self._stop_listening: Callable[[], None] | None = None
        self._port: Port | None = Port(
            port,
            {
                "request": lambda number, *rest: self._start(number, self._request(number, *rest)),
                "call": lambda number, *rest: self._start(number, self._call(number, *rest)),
                "sent": self._sent,
                "broke": self._broke,
                "cancel": self._cancel,
                "trust": auth.trust,
                "listen": self._listen,
                "alive": lambda lock: self._start(0, self._outlive(lock)),
                "bye": self.leave,
            },
        )
        self._unwatch = auth.watch(self._tell)
        self._tell()

    def _post(self, *message: Any) -> None:
        if self._port is not None:
            self._port.post(*message)

    def _tell(self) -> None:
        standing, tokens = self._auth.standing(), self._auth.tokens
        told = {
            "session": standing.session,
            "tokens": [tokens.access_token, tokens.expires_in] if tokens is not None else None,
            "sendable": standing.access_token is not None,
            "valid_for": standing.valid_for,
            "origins": sorted(standing.origins),
            "exempt": sorted(standing.exempt),
            "base": str(js.document.baseURI),
        }
        self._post("standing", told)

    def _start(self, number: int, job: Coroutine[Any, Any, None]) -> None:
        self._tasks[number] = task = asyncio.ensure_future(job)
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    # Requests

    async def _request(self, number: int, method: str, url: str, sent_with: str | None) -> None:
        async def transport(request: Request) -> Response:
            waiter = self._sendings[number] = asyncio.get_running_loop().create_future()
            self._post("send", number, request.headers.get("authorization", "").removeprefix("Bearer "))
            try:
                status, final, redirected, fields = await waiter
            finally:
                self._sendings.pop(number, None)
            return Response(status, Headers(map(tuple, fields)), final, request, redirected=redirected)

        try:
            # What was refused for a session that is over is its caller's, and never sent for another.
            if sent_with is None or not await self._auth.is_over(sent_with):
                await self._auth(Request(method, url), transport)
        except Exception as error:
            self._post("fail", number, pack(error))
        else:
            self._post("take", number)

    def _sent(self, number: int, *answer: Any) -> None:
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
        if name == "sign_in" and isinstance(arguments[0], list):
            access_token, refresh_token, expires_in = arguments[0]
            arguments = (Tokens(access_token, refresh_token, expires_in=expires_in),)
        try:
            if name not in CALLS:
                raise ValueError(f"a worker can't call {name}")
            result = await getattr(self._auth, name)(*arguments)
        except Exception as error:
            answer(self._post, "fail", number, pack(error))
        else:
            answer(self._post, "done", number, result)

    def _listen(self, wanted: bool) -> None:
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        if wanted:
            self._stop_listening = self._auth.listen(lambda event: self._post("event", list(event)))

    async def _outlive(self, lock: str) -> None:
        """Leave when the worker is no more: it can't say so itself, but then its lock is free."""
        held = load_bridge().lock(lock)
        try:
            await held.granted
        finally:
            held.release()
        self.leave()

    def leave(self) -> None:
        """Give up what the worker waits for, and the port."""
        if self._port is None:
            return
        port, self._port = self._port, None
        self._unwatch()
        self._listen(False)
        for task in list(self._tasks.values()):
            task.cancel()
        port.close()
        self._left(self)

    def close(self) -> None:
        """Say so, and leave."""
        self._post("closed")
        self.leave()
