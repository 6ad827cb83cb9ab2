"""What the engine needs of the world: everything that a browser provides comes in through here.

``browser/`` has the real ones; a test hands in its own and runs the very same engine in CPython. These are
for type checkers: no page loads this module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol, TypeAlias, TypeVar

from ..http.messages import Request, Response
from .values import JournalEntry, Mark, Place

Stop: TypeAlias = Callable[[], None]
T = TypeVar("T")


class Clock(Protocol):
    """The two clocks of the ``time`` module, both in seconds."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...


class OneTasks(Protocol[T]):
    """What one task waits on until another settles it: as much of an ``asyncio.Future`` as that takes."""

    def __await__(self) -> Generator[Any, None, T]: ...
    def done(self) -> bool: ...
    def cancelled(self) -> bool: ...
    def set_result(self, result: T, /) -> None: ...
    def set_exception(self, error: BaseException, /) -> None: ...


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


class Lock(Protocol):
    """A hold of a lock: to be had once."""

    def acquire(self) -> Awaitable[None]:
        """Wait for it; a closed tab's is freed by the browser."""

    def held(self) -> bool:
        """Tell whether it is: another may have taken it away."""

    def release(self) -> None:
        """Free it, or wait no more. Once more does nothing."""


class Coordinator(Protocol):
    """Puts the tabs that share a session in an order.

    ``has_journal`` is ``False`` where nobody else could have changed the session.
    """

    has_journal: bool

    @property
    def journal(self) -> str | None:
        """Its name, for what is kept beside it; ``None`` where there's none."""

    def lock(self) -> Lock:
        """Return the one lock, which nobody has asked for yet."""

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

    def show_renewal(self, under_way: bool) -> None:
        """Let the other tabs know whether this one renews; when it is no more, it doesn't."""

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
