"""A browser with tabs: storage that other tabs see late, a lock, a fence, a channel, and places to go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urljoin, urlsplit

from silent_refresh import Client, Request, Response, SilentRefresh
from silent_refresh.ports import Mark, Place, Platform, Stop

from .loop import VirtualClock
from .server import Server

ORIGIN = "https://app.example"


class Browser:
    """What all tabs share. ``late`` returns the seconds after which another tab sees a write."""

    def __init__(self, server: Server, *, late: Callable[[], float] = lambda: 0.0) -> None:
        self.server = server
        self.late = late
        self.tabs: list[Tab] = []
        self.stored: dict[str, str] = {}
        self.marks: dict[str, Mark] = {}
        self.full = False  # storage takes nothing more
        self.holder: Tab | None = None
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
        self.holder = None
        while self.queue:
            tab, granted = self.queue.popleft()
            if tab.alive and not granted.done():
                self.holder = tab
                granted.set_result(None)
                return


class Tab:
    """One page. ``gone_to`` lists where it was sent; a dead tab does nothing any more."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.alive = True
        self.gone_to: list[str] = []
        self.view = dict(browser.stored)
        self.storage_listeners: list[Callable[[], None]] = []
        self.channel_listeners: list[Callable[[Mark], None]] = []
        self.clock = VirtualClock()
        self.store = TabStorage(self)
        self.platform = Platform(
            self.send, self, self.clock, lambda: self.store, lambda key: TabCoordinator(self)
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
        for view in (tab.view, tab.browser.stored):
            _put(view, key, text)
        loop = asyncio.get_running_loop()
        for other in tab.browser.others(tab):
            loop.call_later(tab.browser.late(), _show, other, key, text)

    def listen(self, changed: Callable[[], None]) -> Stop:
        """Call ``changed`` when another tab's write becomes visible."""
        self._tab.storage_listeners.append(changed)
        return lambda: self._tab.storage_listeners.remove(changed)


def _put(view: dict[str, str], key: str, text: str | None) -> None:
    if text is None:
        view.pop(key, None)
    else:
        view[key] = text


def _show(tab: Tab, key: str, text: str | None) -> None:
    if tab.alive:
        _put(tab.view, key, text)
        for changed in list(tab.storage_listeners):
            changed()


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
            if granted.done() and not granted.cancelled() and self._browser.holder is self._tab:
                self._browser.hand_over()

    async def read_mark(self) -> Mark | None:
        """Read what any tab committed."""
        await asyncio.sleep(0)
        return self._browser.marks.get("mark")

    async def write_mark(self, mark: Mark) -> None:
        """Commit."""
        await asyncio.sleep(0)
        if self._tab.alive:
            self._browser.marks["mark"] = mark

    def announce(self, mark: Mark) -> None:
        """Tell the other tabs, soon."""
        if self._tab.alive and self._browser.tell_by_channel:
            for other in self._browser.others(self._tab):
                for heard in other.channel_listeners:
                    asyncio.get_running_loop().call_soon(heard, mark)

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Hear what the others announce."""
        self._tab.channel_listeners.append(heard)
        return lambda: self._tab.channel_listeners.remove(heard)
