"""What the engine needs of the world: everything that a browser provides comes in through here.

``browser/`` has the real ones; a test hands in its own and runs the very same engine in CPython.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from .messages import Request, Response, without_query
from .session import Clock

if TYPE_CHECKING:
    from .auth import SilentRefresh

Stop: TypeAlias = Callable[[], None]
T = TypeVar("T")


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
    """The newest generation that any tab committed: of which session, and whether that ended."""

    generation: int
    session: str
    ended: bool


class Coordinator(Protocol):
    """Lets the tabs that share a store take turns."""

    def lock(self) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """Wait for the one lock; inside, the value tells whether it is still held."""

    async def read_mark(self) -> Mark | None: ...
    async def write_mark(self, mark: Mark) -> None: ...
    def announce(self, mark: Mark) -> None: ...
    def listen(self, heard: Callable[[Mark], None]) -> Stop: ...


class Place:
    """A parsed URL: ``origin`` as RFC 6454 writes it, ``path`` with query and fragment.

    ``resource`` is the URL without query, fragment and trailing slash: what tells one endpoint from another.
    ``is_fixed`` says that the URL is the same wherever the page is just now.
    """

    __slots__ = ("is_fixed", "origin", "path", "resource")

    def __init__(self, origin: str, path: str, *, is_fixed: bool = False) -> None:
        self.origin = origin
        self.path = path
        self.is_fixed = is_fixed
        self.resource = (origin + without_query(path)).rstrip("/")


class Navigation(Protocol):
    """Where the page is, and where it goes."""

    def here(self) -> str: ...
    def parse(self, url: str) -> Place:
        """Parse as the browser will when it fetches ``url``. Raises ``ValueError``."""

    def go(self, url: str) -> None: ...


class RoundTrip(Protocol):
    """What a tab needs to leave for another site and come back."""

    def remember(self, key: str, text: str) -> None:
        """Keep ``text`` until this tab is back. Raises ``OSError`` when that can't be."""

    def recall(self, key: str) -> str | None:
        """Return what was remembered, and forget it."""

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


def future_of_the_loop() -> asyncio.Future[Any]:
    """Return a future of the running event loop."""
    return asyncio.get_running_loop().create_future()


class Platform(NamedTuple):
    """One world, whole.

    ``future`` makes what a task waits on for another one. ``blocking`` is for callers that can't ``await``;
    ``stand_in`` what a worker has for a ``SilentRefresh``; ``round_trip`` is ``None`` where there's no page
    that could be left.
    """

    transport: Transport
    navigation: Navigation
    clock: Clock
    default_store: Callable[[], SessionStore]
    coordinator: Callable[[str], Coordinator]
    future: Callable[[], asyncio.Future[Any]] = future_of_the_loop
    blocking: Blocking | None = None
    stand_in: type[SilentRefresh] | None = None
    round_trip: RoundTrip | None = None


def this_browser() -> Platform:
    """Return the browser that this Python runs in. Raises ``RuntimeError`` where there's none."""
    try:
        from .browser import platform
    except ImportError as error:
        raise RuntimeError(
            "silent_refresh needs the Python of a browser (Pyodide, PyScript); elsewhere, in a test say, "
            "hand in platform=Platform(…)"
        ) from error
    return platform()
