"""A browser with tabs: storage that other tabs see late, a lock, a fence, a channel, and places to go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urljoin, urlsplit

from silent_refresh import Client, Request, Response, SilentRefresh
from silent_refresh.ports import Mark, Place, Platform, Stop

from .loop import VirtualClock
from .server import Server

ORIGIN = "https://app.example"
MOMENT = 1e-6  # s; timers of one time have no order


def at_once(what: str) -> float:
    """Delay nothing."""
    return 0.0


class Browser:
    """What all tabs share.

    ``delay(what)`` returns the seconds that something takes: ``"storage"`` until another tab sees a write,
    ``"fence"`` for a trip to IndexedDB, ``"lock"`` until a lock is handed over, ``"channel"`` for a message.
    ``wrote(tab, record)`` is called with each record that a tab stores, ``held(seconds)`` after each hold of
    the lock.
    """

    def __init__(self, server: Server, *, delay: Callable[[str], float] = at_once) -> None:
        self.server = server
        self.delay = delay
        self.wrote: Callable[[Tab, str], None] = lambda tab, record: None
        self.held: Callable[[float], None] = lambda seconds: None
        self.tabs: list[Tab] = []
        self.stored: dict[str, str] = {}
        self.writes = 0
        self.marks: dict[str, Mark] = {}
        self.full = False  # storage takes nothing more
        self.holder: Tab | None = None
        self.held_since = 0.0
        self.queue: deque[tuple[Tab, asyncio.Future[None]]] = deque()
        self.tell_by_channel = True

    def open(self, url: str = "/") -> Tab:
        """Open one more tab."""
        tab = Tab(self, ORIGIN + url)
        self.tabs.append(tab)
        return tab

    def others(self, tab: Tab) -> list[Tab]:
        """Return all living tabs but this one."""
        return [other for other in self.tabs if other is not tab and other.alive]

    def hand_over(self) -> None:
        """Give the free lock to the first who waits."""
        loop = asyncio.get_running_loop()
        if self.holder is not None:
            self.held(loop.time() - self.held_since)
        self.holder = None
        while self.queue:
            tab, granted = self.queue.popleft()
            if tab.alive and not granted.done():
                self.holder, self.held_since = tab, loop.time()
                loop.call_later(self.delay("lock"), _grant, granted)
                return


def _grant(granted: asyncio.Future[None]) -> None:
    if not granted.done():
        granted.set_result(None)


class Tab:
    """One page. ``gone_to`` lists where it was sent; a dead tab does nothing any more."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.alive = True
        self.gone_to: list[str] = []
        self.view = dict(browser.stored)
        self.up_to_date_at = 0.0
        self.seen: dict[str, int] = {}
        self.storage_listeners: list[Callable[[], None]] = []
        self.channel_listeners: list[Callable[[Mark], None]] = []
        self.clock = VirtualClock()
        self.store = TabStorage(self)
        self.memory: dict[str, str] = {}
        self.platform = Platform(
            self.send,
            self,
            self.clock,
            lambda: self.store,
            lambda key: TabCoordinator(self),
            round_trip=self,
        )

    def sign(self, **options: object) -> tuple[SilentRefresh, Client]:
        """Return this page's ``auth`` and a client."""
        auth = SilentRefresh(platform=self.platform, **options)  # type: ignore[arg-type]
        return auth, Client("/api", auth=auth)

    async def send(self, request: Request) -> Response:
        """Send over the network; a dead tab's requests get lost."""
        response = await self.browser.server.transport(request)
        if not self.alive:
            await asyncio.get_running_loop().create_future()
        return response

    def here(self) -> str:
        """Return the page's URL."""
        return self.url

    def parse(self, url: str) -> Place:
        """Parse well-formed URLs; the nasty ones are for the real browser's tests."""
        parts = urlsplit(urljoin(self.url, url))
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"{url!r} is no URL")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Place(f"{parts.scheme}://{parts.netloc}", path)

    def go(self, url: str) -> None:
        """Note where the page was sent."""
        self.gone_to.append(url)

    def remember(self, key: str, text: str) -> None:
        """Keep it in this tab's sessionStorage."""
        self.memory[key] = text

    def recall(self, key: str) -> str | None:
        """Return and forget it."""
        return self.memory.pop(key, None)

    def show(self, url: str) -> None:
        """Change the address line."""
        self.url = url

    def kill(self) -> None:
        """Close the tab in the middle of whatever it does."""
        self.alive = False
        if self.browser.holder is self:
            self.browser.hand_over()


class TabStorage:
    """localStorage as one tab sees it."""

    key = "silent-refresh"
    shared = True

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    def get(self, key: str) -> str | None:
        """Read this tab's view."""
        return self._tab.view.get(key)

    def set(self, key: str, text: str) -> None:
        """Write; other tabs see it later, and hear of it then."""
        if self._tab.browser.full:
            raise OSError("QuotaExceededError")
        self._write(key, text)

    def remove(self, key: str) -> None:
        """Remove; other tabs see it later."""
        if key in self._tab.view:
            self._write(key, None)

    def _write(self, key: str, text: str | None) -> None:
        tab = self._tab
        if not tab.alive:
            return
        browser = tab.browser
        if text and key == self.key:
            browser.wrote(tab, text)
        browser.writes += 1
        _put(browser.stored, key, text)
        _put(tab.view, key, text)
        tab.seen[key] = browser.writes
        loop = asyncio.get_running_loop()
        for other in browser.others(tab):
            show = partial(_show, other, key, text, browser.writes)
            # In the order in which they were written, however late.
            seen_at = loop.time() + browser.delay("storage")
            other.up_to_date_at = max(other.up_to_date_at + MOMENT, seen_at)
            loop.call_at(other.up_to_date_at, show)

    def listen(self, changed: Callable[[], None]) -> Stop:
        """Call ``changed`` when another tab's write becomes visible."""
        self._tab.storage_listeners.append(changed)
        return lambda: self._tab.storage_listeners.remove(changed)


def _put(view: dict[str, str], key: str, text: str | None) -> None:
    if text is None:
        view.pop(key, None)
    else:
        view[key] = text


def _show(tab: Tab, key: str, text: str | None, number: int) -> None:
    if tab.alive:
        if number > tab.seen.get(key, 0):  # else the tab's own write came later, and that one counts
            _put(tab.view, key, text)
            tab.seen[key] = number
        for changed in list(tab.storage_listeners):
            changed()


def _hear(tab: Tab, heard: Callable[[Mark], None], mark: Mark) -> None:
    if tab.alive:
        heard(mark)


class TabCoordinator:
    """The lock, the fence and the channel as one tab has them."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._browser = tab.browser

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[Callable[[], bool]]:
        """Wait for the browser's one lock."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._browser.queue.append((self._tab, granted))
        if self._browser.holder is None:
            self._browser.hand_over()
        try:
            await granted
            yield lambda: self._browser.holder is self._tab
        finally:
            granted.cancel()
            if (self._tab, granted) in self._browser.queue:
                self._browser.queue.remove((self._tab, granted))
            elif self._browser.holder is self._tab:
                self._browser.hand_over()

    async def read_mark(self) -> Mark | None:
        """Read what any tab committed."""
        await asyncio.sleep(self._browser.delay("fence"))
        return self._browser.marks.get("mark")

    async def write_mark(self, mark: Mark) -> None:
        """Commit."""
        await asyncio.sleep(self._browser.delay("fence"))
        if self._tab.alive:
            self._browser.marks["mark"] = mark

    def announce(self, mark: Mark) -> None:
        """Tell the other tabs, soon."""
        if self._tab.alive and self._browser.tell_by_channel:
            for other in self._browser.others(self._tab):
                for heard in other.channel_listeners:
                    asyncio.get_running_loop().call_later(
                        self._browser.delay("channel"), _hear, other, heard, mark
                    )

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Hear what the others announce."""
        self._tab.channel_listeners.append(heard)
        return lambda: self._tab.channel_listeners.remove(heard)
