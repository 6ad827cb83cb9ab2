"""A worker's channel to the page that shares its session: found, held, and let go."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import js
from pyodide.ffi import create_proxy, to_js

from ..browser.bridge import load_bridge
from ..errors import SessionChanged, copy_of
from ..session.time_limit import time_limit
from .channel import CHANNEL, HELLO, HERE, WANTED, Port

PATIENCE = 30.0  # s that a worker waits for its page, whose Python may start later than the worker's
NOBODY = (
    'no page shares its session with this worker: in the page\'s own Python, a <script type="py"> without '
    '"worker", add serve_workers(auth) after auth = SilentRefresh(). In a terminal or an editor of PyScript, '
    "use SilentRefresh(store=LocalStorage()), the session of this origin without the page; for one of this "
    "worker alone, SilentRefresh(store=MemoryStorage())."
)


class PageLink:
    """Looks for the page from now on; ``handlers`` take what it says, by name.

    ``resource`` are the fields of one more API of the page's session, whose tokens it is then about.
    """

    def __init__(
        self, handlers: dict[str, Callable[..., None]], resource: Mapping[str, str] | None = None
    ) -> None:
        self._handlers = handlers
        self._hello = HELLO if resource is None else HELLO + json.dumps(resource)
        self._refusal: Exception | None = None
        self._met = asyncio.Event()
        self._closed = False
        self._heard_another = False
        self._port: Port | None = None
        self._life: asyncio.Task[None] | None = None
        self._channel = js.BroadcastChannel.new(CHANNEL)
        self._proxy = create_proxy(self._hear_of_a_page)
        self._channel.onmessage = self._proxy
        self._connect()
        self._channel.postMessage(WANTED)

    def _hear_of_a_page(self, event: Any) -> None:
        if event.data == HERE:
            self._heard_another = self.has_met  # the one that it has may be about to leave
            self._connect()

    def _connect(self) -> None:
        """Hand the page one end of a new channel, unless it has one."""
        if self._met.is_set() or self._closed:
            return
        if self._port is not None:
            self._port.close()
        channel = js.MessageChannel.new()
        self._port = Port(channel.port1, self._handlers)
        js.postMessage(self._hello, to_js([channel.port2]))

    @property
    def has_met(self) -> bool:
        """Whether the page has answered."""
        return self._met.is_set()

    def meet(self) -> None:
        """Note that it has."""
        self._met.set()
        self._life = asyncio.ensure_future(self._live())

    async def _live(self) -> None:
        """Hold a lock of this object's own for as long as it is there."""
        if not load_bridge().hasLocks():
            return
        held = load_bridge().lock(name := f"silent-refresh:worker:{os.urandom(16).hex()}")
        try:
            await held.acquire()
            self.tell("alive", name)
            await asyncio.get_running_loop().create_future()
        finally:
            held.release()

    async def port(self) -> Port:
        """Return the port to the page, once it has answered."""
        if not self._met.is_set():
            try:
                async with time_limit(PATIENCE):
                    await self._met.wait()
            except TimeoutError:
                raise RuntimeError(NOBODY) from None
        if self._refusal is not None:
            raise copy_of(self._refusal)
        if self._port is None:
            raise SessionChanged("this SilentRefresh was closed")
        return self._port

    def tell(self, *message: Any) -> None:
        """Say something to the page, if there is one."""
        if self._port is not None and self._met.is_set():
            self._port.post(*message)

    def refuse(self, error: Exception) -> None:
        """Tell each who asks from now on why the page can't do it."""
        self._refusal = error
        self._met.set()

    def forget(self) -> None:
        """Take it for gone; another one may be found."""
        self._met.clear()
        if self._life is not None:
            self._life.cancel()

    def look_again(self) -> None:
        """Turn to a page that was heard before the last one said that it leaves: it won't say so again."""
        if self._heard_another:
            self._heard_another = False
            self._connect()

    def close(self) -> bool:
        """Take leave, and look for no other; ``False`` when that is done already."""
        if self._closed:
            return False
        self._closed = True
        self.tell("bye")
        self.forget()
        self._met.set()  # nobody will come any more
        if self._port is not None:
            self._port.close()
            self._port = None
        self._channel.close()
        self._proxy.destroy()
        return True
