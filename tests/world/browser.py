"""A browser with tabs: storage that other tabs see late, a disk that is behind, a lock, a journal, a channel.

It can die: then what its disk has is what it starts with again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from urllib.parse import urljoin, urlsplit
from weakref import ref

from silent_refresh import Client, Request, Response, SilentRefresh
from silent_refresh.platform.platform import Platform
from silent_refresh.platform.ports import Stop
from silent_refresh.platform.values import JournalEntry, Mark, Place
from silent_refresh.session.journal import from_text, to_text

from .keys import TabProver
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
    ``"journal"`` for a trip to IndexedDB, ``"lock"`` until a lock is handed over, ``"channel"`` for a
    message. ``wrote(tab, record)`` is called with each record that a tab stores, ``held(seconds)`` after each
    hold of the lock. ``is_strict`` tells whether a commit to the journal is on the disk when it is complete.
    """

    def __init__(self, server: Server, *, delay: Callable[[str], float] = at_once) -> None:
        self.server = server
        self.delay = delay
        self.wrote: Callable[[Tab, str], None] = lambda tab, record: None
        self.held: Callable[[float], None] = lambda seconds: None
        self.tabs: list[Tab] = []
        self.stored: dict[str, str] = {}
        self.writes = 0
        self.is_strict = True
        self.journal: dict[str, object] = {}  # texts, by owner
        self.keys: dict[str, str] = {}  # the key beside each
        self.pending_keys: set[tuple[str, str]] = set()  # owner and key, of sign-ins under way
        self.sent: Callable[[Tab, Request], None] = lambda tab, request: None
        self.journal_works = True
        self._on_disk: dict[str, str] = {}
        self._unwritten: list[tuple[str, str | None]] = []  # writes to the storage that the disk lacks
        self._commits: list[tuple[str, str, str | None]] = []  # to the journal, for a disk that isn't strict
        self.full = False  # storage takes nothing more
        self.delay_of_flags = 0.0  # s
        self.holder: Tab | None = None
        self.held_since = 0.0
        self.queue: deque[tuple[Tab, asyncio.Future[None]]] = deque()
        self.flags: list[tuple[Tab, str]] = []  # who renews, and whose session
        self.flag_watchers: list[FlagWatcher] = []
        self.tell_by_channel = True
        self.messages = 0  # that are on their way
        self.all_heard = asyncio.Event()

    def open(self, url: str = "/") -> Tab:
        """Open one more tab."""
        tab = Tab(self, ORIGIN + url)
        self.tabs.append(tab)
        return tab

    def store(self, key: str, text: str | None) -> None:
        """Write to the storage; the disk has it later."""
        _put(self.stored, key, text)
        self._unwritten.append((key, text))

    def write_down(self) -> None:
        """Let the disk have all, as after a quiet minute."""
        self._on_disk, self._unwritten = dict(self.stored), []
        self._commits = []

    def commit(self, owner: str, text: str, key: str | None = None) -> None:
        """Let all tabs see a commit to the journal, and the key beside it."""
        self._let_be_seen(owner, text, key)
        self.pending_keys.discard((owner, key or ""))
        self._commits.append((owner, text, key))

    def _let_be_seen(self, owner: str, text: str, key: str | None) -> None:
        self.journal[owner] = text
        _put(self.keys, owner, key)

    def die(self, *, kept: float = 0.0, kept_commits: float = 1.0) -> None:
        """End all tabs in the middle of whatever they do; start again with what the disk has.

        ``kept`` is the part of the unwritten writes, from the oldest on, that it had got in time; of the
        commits to the journal it has ``kept_commits``, and all where the journal is strict.
        """
        for tab in self.tabs:
            tab.alive = False
        self.holder = None
        self.queue.clear()
        for key, text in self._unwritten[: round(kept * len(self._unwritten))]:
            _put(self._on_disk, key, text)
        self.stored, self._unwritten = dict(self._on_disk), []
        if not self.is_strict:
            lost = self._commits[round(kept_commits * len(self._commits)) :]
            for owner, _, _ in lost:
                kept_ones = self._commits[: len(self._commits) - len(lost)]
                earlier = [commit for commit in kept_ones if commit[0] == owner]
                if earlier:
                    self._let_be_seen(*earlier[-1])
                else:
                    self.journal.pop(owner, None)
                    self.keys.pop(owner, None)
        self._commits = []

    def tell_flags(self) -> None:
        """Let the tabs know who renews, soon."""
        for watcher in self.flag_watchers:
            asyncio.get_running_loop().call_later(self.delay_of_flags, watcher.look)

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
        self.stored = ""  # the session whose record it saw in the storage
        self.document = str(len(browser.tabs))
        self.base: str | None = None  # what a <base> in the page says
        self.referrer: str | None = ""
        self.stayed: list[Callable[[bool], None]] = []
        self.prover = TabProver(self)
        self.platform = Platform(
            self.send,
            self,
            self.clock,
            lambda: self.store,
            lambda key, owner: TabCoordinator(self, f"{key} {owner}"),
            redirect_memory=self,
            prover=lambda: self.prover,
        )

    def sign(self, **options: object) -> tuple[SilentRefresh, Client]:
        """Return this page's ``auth`` and a client."""
        auth = SilentRefresh(platform=self.platform, **options)  # type: ignore[arg-type]
        return auth, Client("/api", auth=auth)

    async def send(self, request: Request) -> Response:
        """Send over the network; a dead tab's requests get lost."""
        if "://" not in request.sent_url():
            request = request.with_target(self.parse(request.url).url)
        request = await self.prover.signed(request)
        if not self.alive:
            await asyncio.get_running_loop().create_future()
        self.browser.sent(self, request)
        response = await self.browser.server.transport(request)
        if "://" not in request.sent_url():
            request = request.with_target(self.parse(request.url).url)
        if not self.alive:
            await asyncio.get_running_loop().create_future()
        return response

    def here(self) -> str:
        """Return the page's URL."""
        return self.url

    def parse(self, url: str) -> Place:
        """Parse well-formed URLs; the nasty ones are for the real browser's tests."""
        parts = urlsplit(urljoin(self.base or self.url, url))
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"{url!r} is no URL")
        path = (parts.path or "/") + "".join(
            mark + rest for mark, rest in (("?", parts.query), ("#", parts.fragment)) if rest
        )
        return Place(f"{parts.scheme}://{parts.netloc}", path)

    def go(self, url: str) -> None:
        """Note where the page was sent, as its address line would say within the origin."""
        assert url.startswith("https://"), "a <base> would move it"
        self.gone_to.append(url.removeprefix(ORIGIN))

    def came_from(self) -> str | None:
        """Return the page that led here."""
        return self.referrer

    def when_stayed(self, stayed: Callable[[bool], None]) -> Stop:
        """Call ``stayed`` when a test says that the page is there still."""
        self.stayed.append(stayed)
        return lambda: self.stayed.remove(stayed)

    def remember(self, key: str, text: str) -> None:
        """Keep it in this tab's sessionStorage."""
        self.memory[key] = text

    def recall(self, key: str) -> str | None:
        """Return it."""
        return self.memory.get(key)

    def forget(self, key: str) -> None:
        """Forget it."""
        self.memory.pop(key, None)

    def show(self, url: str) -> None:
        """Change the address line."""
        self.url = url

    def kill(self) -> None:
        """Close the tab in the middle of whatever it does."""
        self.alive = False
        self.browser.tell_flags()  # its locks are free
        if self.browser.holder is self:
            self.browser.hand_over()


class TabStorage:
    """localStorage as one tab sees it."""

    key = "silent-refresh"
    shared = True

    def __init__(self, tab: Tab) -> None:
        # The library knows the sessions of a store by that, while it has any: a world could else never go.
        self._known = ref(tab)

    @property
    def _tab(self) -> Tab:
        tab = self._known()
        assert tab is not None, "its browser is gone"
        return tab

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
        browser.store(key, text)
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
    browser = tab.browser
    browser.messages -= 1
    if tab.alive:
        heard(mark)
    if not browser.messages:
        browser.all_heard.set()


class FlagWatcher:
    """Tells one tab whether another one renews."""

    def __init__(self, tab: Tab, owner: str, changed: Callable[[bool], None]) -> None:
        self._tab, self._owner, self._changed = tab, owner, changed
        self._told = False

    def look(self) -> None:
        """Tell it what has changed."""
        raised = any(
            tab.alive and tab is not self._tab and owner == self._owner
            for tab, owner in self._tab.browser.flags
        )
        if self._tab.alive and raised != self._told and self in self._tab.browser.flag_watchers:
            self._told = raised
            self._changed(raised)


class TabLock:
    """A tab's hold of the browser's one lock."""

    def __init__(self, tab: Tab) -> None:
        self._tab, self._browser = tab, tab.browser
        self._granted: asyncio.Future[None] | None = None

    async def acquire(self) -> None:
        """Wait for it."""
        self._granted = asyncio.get_running_loop().create_future()
        self._browser.queue.append((self._tab, self._granted))
        if self._browser.holder is None:
            self._browser.hand_over()
        await self._granted

    def held(self) -> bool:
        """Tell whether it is."""
        return self._browser.holder is self._tab

    def release(self) -> None:
        """Free it, or wait no more."""
        granted, self._granted = self._granted, None
        if granted is None:
            return
        granted.cancel()
        if (self._tab, granted) in self._browser.queue:
            self._browser.queue.remove((self._tab, granted))
        elif self._browser.holder is self._tab:
            self._browser.hand_over()


class TabCoordinator:
    """The lock, the journal and the channel as one tab has them."""

    has_journal = True

    def __init__(self, tab: Tab, owner: str) -> None:
        self._tab = tab
        self.journal = self._owner = owner
        self._browser = tab.browser

    def lock(self) -> TabLock:
        """Return the browser's one lock."""
        return TabLock(self._tab)

    async def read_journal(self) -> JournalEntry | None:
        """Read what any tab committed."""
        await self._trip()
        return from_text(self._browser.journal.get(self._owner))

    async def write_journal(self, entry: JournalEntry) -> None:
        """Commit."""
        await self._trip()
        if self._tab.alive:
            # Nobody writes down a key that they haven't: then what is there stays.
            has_key = entry.key is None or entry.key in self._tab.prover.held
            key = entry.key if has_key else self._browser.keys.get(self._owner)
            self._browser.commit(self._owner, to_text(entry), key)

    def note_stored(self, session: str) -> None:
        """Keep it in this tab's sessionStorage."""
        self._tab.stored = session

    def was_stored(self, session: str) -> bool:
        """Look there."""
        return self._tab.stored == session

    async def _trip(self) -> None:
        await asyncio.sleep(self._browser.delay("journal"))
        if not self._browser.journal_works:
            raise OSError("InvalidStateError")

    def announce(self, mark: Mark) -> None:
        """Tell the other tabs, soon."""
        if self._tab.alive and self._browser.tell_by_channel:
            for other in self._browser.others(self._tab):
                for heard in other.channel_listeners:
                    self._browser.messages += 1
                    self._browser.all_heard.clear()
                    asyncio.get_running_loop().call_later(
                        self._browser.delay("channel"), _hear, other, heard, mark
                    )

    def listen(self, heard: Callable[[Mark], None]) -> Stop:
        """Hear what the others announce."""
        self._tab.channel_listeners.append(heard)
        return lambda: self._tab.channel_listeners.remove(heard)

    def show_renewal(self, under_way: bool) -> None:
        """Raise a flag that the other tabs see, soon, or lower it."""
        flag = (self._tab, self._owner)
        if under_way != (flag in self._browser.flags):
            (self._browser.flags.append if under_way else self._browser.flags.remove)(flag)
        self._browser.tell_flags()

    def watch_renewals(self, changed: Callable[[bool], None]) -> Stop:
        """Look for the others', now and whenever one changes."""
        watcher = FlagWatcher(self._tab, self._owner, changed)
        self._browser.flag_watchers.append(watcher)
        if self._browser.flags:
            self._browser.tell_flags()
        return lambda: self._browser.flag_watchers.remove(watcher)
