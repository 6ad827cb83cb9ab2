"""``SilentRefresh`` in a worker: the page's, from afar.

    auth = SilentRefresh()              # in the worker; the page called serve_workers(auth)
    client = Client("/api", auth=auth)

The page's engine decides what becomes of a request. While the token is good, the worker sends it without a
word to the page, even when that is busy. What crosses is in ``port.py``.

https://html.spec.whatwg.org/multipage/workers.html
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import js
from pyodide.ffi import create_proxy, to_js

from ..auth import SilentRefresh
from ..challenge import refuses_token
from ..errors import NetworkError, SessionChanged
from ..events import Event, Events
from ..interceptors import Send
from ..messages import Request, Response
from ..ports import this_browser
from ..session import Tokens
from ..standing import Standing
from .bridge import load_bridge
from .errand import Errand, Known
from .port import CHANNEL, HELLO, HERE, KNOCK, Port, pack, unpack

PATIENCE = 30.0  # s that a worker waits for its page, whose Python may start later than the worker's
NOBODY = (
    'no page shares its session with this worker: in the page\'s own Python, a <script type="py"> without '
    '"worker", add serve_workers(auth) after auth = SilentRefresh(). For a session of this worker alone, use '
    "SilentRefresh(store=MemoryStorage())."
)


class PageAuth(SilentRefresh):
    """The page's ``SilentRefresh``, for a worker; the options are those that the page's was made with."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.platform = this_browser()
        self._parse = self.platform.navigation.parse
        self._is_refused = refuses_token
        self._events = Events(time.monotonic, self._listeners_changed)
        self._watchers: list[Callable[[], None]] = []
        self._numbers = itertools.count(1)
        self._errands: dict[int, Errand] = {}
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._trusted: dict[str, str] = {}  # origin → the URL it came from
        self._met = asyncio.Event()
        self._closed = False
        self._port: Port | None = None
        self._life: asyncio.Task[None] | None = None
        self._hear({})
        self._channel = js.BroadcastChannel.new(CHANNEL)
        self._proxy = create_proxy(self._hear_of_a_page)
        self._channel.onmessage = self._proxy
        self._knock()
        self._channel.postMessage(KNOCK)

    # The page

    def _hear_of_a_page(self, event: Any) -> None:
        if event.data == HERE:
            self._knock()

    def _knock(self) -> None:
        """Hand the page one end of a new channel, unless it has one."""
        if self._met.is_set() or self._closed:
            return
        if self._port is not None:
            self._port.close()
        channel = js.MessageChannel.new()
        handlers: dict[str, Callable[..., None]] = {
            "standing": self._hear,
            "send": self._send_again,
            "take": self._settle,
            "done": self._settle,
            "fail": self._fail,
            "event": lambda fields: self._events.pass_on(Event(*fields)),
            "closed": self._lose_page,
        }
        self._port = Port(channel.port1, handlers)
        js.postMessage(HELLO, to_js([channel.port2]))

    async def _page(self) -> Port:
        if not self._met.is_set():
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._met.wait()
            except TimeoutError:
                raise RuntimeError(NOBODY) from None
        if self._port is None:
            raise SessionChanged("this SilentRefresh was closed")
        return self._port

    def _hear(self, told: Mapping[str, Any]) -> None:
        """Take note of the page's standing; an empty one is nobody's."""
        tokens, valid_for = told.get("tokens"), told.get("valid_for")
        life = -math.inf if not told.get("sendable") else math.inf if valid_for is None else valid_for
        self._known = Known(
            told.get("session"),
            Tokens(tokens[0], expires_in=tokens[1]) if tokens else None,
            time.monotonic() + life,
            time.time() + life,
            frozenset(told.get("origins", ())),
            frozenset(told.get("exempt", ())),
        )
        self._allow({*self._known.origins, *self._trusted}, self._known.exempt)
        if told and not self._met.is_set():
            load_bridge().setBase(told["base"])
            self._met.set()
            for url in self._trusted.values():
                self._tell("trust", url)
            self._tell("listen", bool(self._events.listeners))
            self._life = asyncio.ensure_future(self._live())
        self._tell_watchers()

    async def _live(self) -> None:
        """Hold a lock of this object's own for as long as it is there."""
        if not load_bridge().hasLocks():
            return
        held = load_bridge().lock(name := f"silent-refresh:worker:{os.urandom(16).hex()}")
        try:
            await held.granted
            self._tell("alive", name)
            await asyncio.get_running_loop().create_future()
        finally:
            held.release()

    def _tell(self, *message: Any) -> None:
        if self._port is not None and self._met.is_set():
            self._port.post(*message)

    def _settle(self, number: int, result: Any = None) -> None:
        waiter = self._waiter(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(result)

    def _fail(self, number: int, error: dict[str, Any]) -> None:
        waiter = self._waiter(number)
        if waiter is not None and not waiter.done():
            waiter.set_exception(unpack(error))

    def _waiter(self, number: int) -> asyncio.Future[Any] | None:
        return self._errands[number].outcome if number in self._errands else self._calls.get(number)

    def _lose_page(self) -> None:
        self._leave("the page stopped sharing its session with workers")

    def _leave(self, why: str) -> None:
        """Forget the page, and end what waits for it."""
        self._met.clear()
        self._hear({})
        if self._life is not None:
            self._life.cancel()
        for waiter in [*(errand.outcome for errand in self._errands.values()), *self._calls.values()]:
            if not waiter.done():
                waiter.set_exception(SessionChanged(why))

    # Requests

    async def __call__(self, request: Request, send: Send) -> Response:
        """Send a request with the page's access token, and once more with a new one if that was refused."""
        await self._page()
        if not self.may_carry_token(request):
            return await send(request)
        token, response = self._known.token(), None
        session = self._known.session if token is not None else None
        try:
            if token is not None and self._parse(request.url).origin in self._known.origins:
                response = await send(request.with_bearer(token))
            if response is None or self.refuses(response):
                response = await self._through_page(request, send, token, session, response)
        except NetworkError as error:
            error.request = request  # not the copy that has the token
            raise
        response.request = request
        return response

    async def _through_page(
        self, request: Request, send: Send, token: str | None, session: str | None, response: Response | None
    ) -> Response:
        port, number = await self._page(), next(self._numbers)
        errand = self._errands[number] = Errand(request, send, token, response)
        port.post("request", number, request.method, request.url, session)
        try:
            await errand.outcome
        except asyncio.CancelledError:
            self._tell("cancel", number)
            raise
        except Exception as error:
            raise errand.error or error from None
        finally:
            del self._errands[number]
            if errand.task is not None:
                errand.task.cancel()
        assert errand.response is not None
        return errand.response

    def _send_again(self, number: int, token: str) -> None:
        errand = self._errands.get(number)
        if errand is not None:
            errand.task = asyncio.ensure_future(self._send_errand(number, errand, token))

    async def _send_errand(self, number: int, errand: Errand, token: str) -> None:
        try:
            answer = await errand.send(token)
        except Exception as error:
            errand.error = error
            self._tell("broke", number, pack(error))
        else:
            fields = list(answer.headers.items())
            self._tell("sent", number, answer.status, answer.url, answer.redirected, fields)

    # What the user does

    @property
    def tokens(self) -> Tokens | None:
        """The access token that the page told last, without the refresh token, which stays there."""
        return self._known.tokens

    @property
    def signed_in(self) -> bool:
        """Whether there is a session, as far as this worker was told; ``False`` until the page answered."""
        return self._known.session is not None

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        """Start a session with tokens, or with the server's JSON answer; it's the page's."""
        if isinstance(tokens, Tokens):
            await self._call("sign_in", [tokens.access_token, tokens.refresh_token, tokens.expires_in])
        else:
            await self._call("sign_in", dict(tokens))

    async def sign_out(self) -> None:
        """End the session; the page goes to its ``login``."""
        await self._call("sign_out")

    async def access_token(self) -> str:
        """Return an access token for use now, in a WebSocket say; raises as the page's does."""
        await self._page()
        return self._known.token() or str(await self._call("access_token"))

    async def refresh(self) -> None:
        """Renew the access token now; raises as the page's does."""
        await self._call("refresh")

    async def _call(self, name: str, *arguments: Any) -> Any:
        port, number = await self._page(), next(self._numbers)
        done = self._calls[number] = asyncio.get_running_loop().create_future()
        port.post("call", number, name, *arguments)
        try:
            return await done
        except asyncio.CancelledError:
            self._tell("cancel", number)
            raise
        finally:
            del self._calls[number]

    def next_path(self) -> str:
        """Raise ``RuntimeError``: where to go after a sign-in is in the page's address."""
        raise RuntimeError("a worker has no address of its own: call next_path() in the page")

    def trust(self, url: str) -> None:
        """Let tokens go to the origin of ``url``, unless the page was given ``origins``."""
        origin = self._parse(url).origin
        self._trusted.setdefault(origin, url)
        self._allow({*self._origins, origin}, self._exempt)
        self._tell("trust", url)

    def standing(self) -> Standing:
        """Return what an adapter may do by itself in this worker."""
        known = self._known
        valid_for = None if known.valid_until == math.inf else known.valid_until - time.monotonic()
        return Standing(known.token(), valid_for, known.origins, known.exempt, known.session)

    async def is_over(self, session: str) -> bool:
        """Tell an adapter whether the session of this id is over; raises as the page's does."""
        return bool(await self._call("is_over", session))

    def _listeners_changed(self) -> None:
        self._tell("listen", bool(self._events.listeners))
        self._tell_watchers()

    def close(self) -> None:
        """Let go of the page; what waits for it gets ``SessionChanged``."""
        if self._closed:
            return
        self._closed = True
        self._tell("bye")
        self._leave("this SilentRefresh was closed")
        self._met.set()  # nobody will come any more
        if self._port is not None:
            self._port.close()
            self._port = None
        self._channel.close()
        self._proxy.destroy()
