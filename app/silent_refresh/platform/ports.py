"""What the engine needs of the world: everything that a browser provides comes in through here.

``browser/`` has the real ones; a test hands in its own and runs the very same engine in CPython.
``current.py`` finds those of the browser that this Python runs in.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from ..http.messages import Request, Response, without_query

Stop: TypeAlias = Callable[[], None]
T = TypeVar("T")


class Clock(Protocol):
    """The two clocks of the ``time`` module, both in seconds."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...


class Transport(Protocol):
    """Sends a request; raises ``NetworkError`` or ``RequestTimeout``; aborts when the task is cancelled."""

    def __call__(self, request: Request) -> Awaitable[Response]: ...


class SessionStore(Protocol):
    """Text under names, as localStorage keeps it. ``key`` is the record's name; one key, one session.

    ``shared`` says whether other tabs see it: then tabs take turns. ``set`` raises ``OSError`` when the
    text can't be kept (quota).
    """

    key: str
    shared: bool

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, text: str) -> None: ...
    def remove(self, key: str) -> None: ...
    def listen(self, changed: Callable[[], None]) -> Stop:
        """Call ``changed`` when another tab changed or cleared the record, or when this page woke up."""


class Mark(NamedTuple):
    """What tabs tell each other: the newest generation, of which session, and whether that ended."""

    generation: int
    session: str
    ended: bool


class JournalEntry(NamedTuple):
    """The last change of the session that was committed: what survives the death of the browser.

    ``record`` is the session's record as the store keeps it; ``None`` when the session ended, and for a store
    of this page's own memory. ``in_store`` tells whether the store took it, too. ``at`` is when, in s since
    the epoch. ``is_legacy``: a version that kept no journal told of it, and its record is in the store alone.
    ``key`` is the thumbprint of the key that the session's tokens are bound to: that key is kept beside the
    entry, and goes with it. An entry that was read doesn't say it; the record does.
    """

    generation: int
    session: str
    ended: bool
    record: str | None = None
    in_store: bool = True
    at: float = 0.0
    is_legacy: bool = False
    key: str | None = None

    @property
    def mark(self) -> Mark:
        """What other tabs may be told of it."""
        return Mark(self.generation, self.session, self.ended)

    def __repr__(self) -> str:
        return f"<JournalEntry {self.session} generation {self.generation}{' ended' * self.ended}>"


class Coordinator(Protocol):
    """Puts the tabs that share a session in an order.

    ``has_journal`` is ``False`` where nobody else could have changed the session.
    """

    has_journal: bool

    @property
    def journal(self) -> str | None:
        """Its name, for what is kept beside it; ``None`` where there's none."""

    def lock(self) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """Wait for the one lock; inside, the value tells whether it is still held."""

    async def read_journal(self) -> JournalEntry | None:
        """Return what was committed last. Raises ``OSError`` when that can't be known."""

    async def write_journal(self, entry: JournalEntry) -> None:
        """Commit the entry and its key, and return when that outlives the browser; any other key is gone.

        Raises ``OSError`` when it can't be.
        """

    def note_stored(self, session: str) -> None:
        """Let this tab remember, while the browser lives, that the store had this session's record."""

    def was_stored(self, session: str) -> bool:
        """Tell whether this tab remembers that it had."""

    def announce(self, mark: Mark) -> None: ...
    def listen(self, heard: Callable[[Mark], None]) -> Stop: ...

    def show_renewal(self) -> Stop:
        """Let the other tabs know that this one renews, until that is called or this tab is no more."""

    def watch_renewals(self, changed: Callable[[bool], None]) -> Stop:
        """Call ``changed`` with whether another tab renews, whenever that changes."""


class Prover(Protocol):
    """Key pairs whose private half nobody can read, and proofs that a request is of who has one (RFC 9449).

    A key is known by its thumbprint (RFC 7638). It is kept with a session's entry in a journal; before there
    is a session, for a sign-in, beside that.
    """

    def look_in(self, journal: str | None) -> None:
        """Look for keys there from now on, too."""

    async def make_key(self) -> str:
        """Make one for a sign-in; return its name."""

    async def keep(self, key: str, journal: str) -> None:
        """Write it down there, for an hour, until a session has it. Raises ``OSError``."""

    async def hold(self, key: str) -> None:
        """Have it at hand from now on, though it be gone from the journal in a moment. Raises nothing."""

    def let_go(self, key: str) -> None:
        """Forget it, in this page."""

    async def sweep(self, journal: str, *, has_session: bool) -> None:
        """Remove the keys there that are nobody's: of sign-ins long ago, and of a session that is over."""

    async def prove(self, request: Request) -> str:
        """Return a proof for a request that somebody else sends, by its credential's key.

        Raises ``KeyGone``, ``NetworkError`` when the key can't be read now.
        """

    async def hears(self, response: Response) -> bool:
        """Learn from an answer to such a request; tell whether with a new proof it would be another one."""


class Place:
    """A parsed URL: ``origin`` as RFC 6454 writes it, ``path`` with query and fragment, ``url`` the whole.

    ``endpoint`` is the URL without its fragment, ``resource`` without its query and trailing slash too: what
    tells one endpoint from another.
    """

    __slots__ = ("endpoint", "origin", "path", "resource", "url")

    def __init__(self, origin: str, path: str, *, url: str | None = None) -> None:
        self.origin = origin
        self.path = path
        self.url = origin + path if url is None else url
        self.endpoint = origin + path.partition("#")[0]
        self.resource = without_query(self.endpoint).rstrip("/")


class Navigation(Protocol):
    """Where the page is, and where it goes; ``document`` tells this load of a page from any other."""

    document: str

    def here(self) -> str: ...
    def parse(self, url: str) -> Place:
        """Parse as the browser will when it fetches ``url``. Raises ``ValueError``."""

    def go(self, url: str) -> None:
        """Leave for ``url``, a whole one."""

    def came_from(self) -> str | None:
        """Return the URL of the page whose link or code led here, ``""`` when that isn't known.

        ``None`` when the user reloaded this page or came by the history.
        """

    def when_stayed(self, stayed: Callable[[bool], None]) -> Stop:
        """Call ``stayed(is_back)`` when a page that was to be left is there still.

        That is when it comes back out of the bfcache, and when somebody uses it.
        """


class RedirectMemory(Protocol):
    """What a tab remembers of a redirect transaction, while it is at another site (RFC 6749 §4.1)."""

    def remember(self, key: str, text: str) -> None:
        """Keep ``text`` until this tab is back. Raises ``OSError`` when that can't be."""

    def recall(self, key: str) -> str | None:
        """Return what was remembered, or ``None``."""

    def forget(self, key: str) -> None:
        """Remember it no longer."""

    def show(self, url: str) -> None:
        """Let the address line say ``url``, without loading it."""


class Blocking(Protocol):
    """What callers have that can't ``await``."""

    def can_wait(self) -> bool:
        """Tell whether this caller can be suspended while the page goes on."""

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, once it does; only where ``can_wait()``."""

    async def send(self, request: Request) -> Response:
        """Send in one go, as a ``Transport`` does else: the page stands still until the answer is there."""


# What names its host itself.
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//")


def place_named(url: str, navigation: Navigation) -> Place:
    """Parse a URL that the page's code named: a relative one is of this page's origin, or of none.

    Raises ``ValueError``, also where a ``<base>`` leads elsewhere: whoever can write markup can put one in.
    """
    place = navigation.parse(url)
    own = navigation.parse(
        navigation.here()
    ).origin  # "null" for an iframe's srcdoc: nobody knows better there
    if not ABSOLUTE.match(url) and own not in (place.origin, "null"):
        raise ValueError(
            f"{without_query(url)!r} leads to {place.origin} by this page's <base>: pass a whole URL"
        )
    return place


def own_path(wanted: str, navigation: Navigation) -> str:
    """Return the path of ``wanted`` when it is one of this origin, else ``"/"``."""
    try:
        place = navigation.parse(wanted)
    except ValueError:
        return "/"
    same_origin = place.origin == navigation.parse(navigation.here()).origin and place.origin != "null"
    # The path of http://this.example//evil.example is a URL of another origin, a blob's is a whole URL.
    is_path = place.path.startswith("/") and not place.path.startswith("//")
    return place.path if same_origin and is_path else "/"


def same(body: Any) -> Any:
    """Return it as it is."""
    return body


def future_of_the_loop() -> asyncio.Future[Any]:
    """Return a future of the running event loop."""
    return asyncio.get_running_loop().create_future()


def is_plain_http(origin: str) -> bool:
    """Tell whether an origin is of HTTP/1.1, as all without encryption are (RFC 9113 §3.1)."""
    return origin.startswith("http://")


def joined(pieces: list[Any]) -> Any:
    """Return one body of several pieces. Raises ``TypeError`` for what isn't bytes."""
    return b"".join(pieces)


class Platform(NamedTuple):
    """One world, whole.

    ``coordinator(key, owner)`` makes that of the tabs that share the store's ``key``, for the sessions of one
    ``owner``. ``future`` makes what a task waits on for another one. ``blocking`` is for callers that can't
    ``await``; ``redirect_memory`` is ``None`` where there's no page that could be left; ``is_worker`` tells
    whether a page's session is elsewhere, to be used from afar; ``open_storage(area, key)`` opens
    localStorage, say; ``is_http1(origin)`` tells whether an origin is known to be spoken to by HTTP/1.1;
    ``settled(body)`` returns what is sent of a body that others may change; ``joined(pieces)`` returns a body
    of bytes and objects of the browser's; ``prover`` returns what signs for
    tokens that are bound to a key, and is ``None`` where nothing can.
    """

    transport: Transport
    navigation: Navigation
    clock: Clock
    default_store: Callable[[], SessionStore]
    coordinator: Callable[[str, str], Coordinator]
    future: Callable[[], asyncio.Future[Any]] = future_of_the_loop
    blocking: Blocking | None = None
    redirect_memory: RedirectMemory | None = None
    is_worker: bool = False
    open_storage: Callable[[str, str], SessionStore] | None = None
    is_http1: Callable[[str], bool] = is_plain_http
    settled: Callable[[Any], Any] = same
    prover: Callable[[], Prover] | None = None
    joined: Callable[[list[Any]], Any] = joined
