"""What listeners are told, in the order in which it happened; never a token.

    def show(event):
        print(event.name, event.method, event.url, event.reason)

    stop = auth.listen(show)

| name            | when                                                         | carries         |
| --------------- | ------------------------------------------------------------ | --------------- |
| sent            | a request left, with the access token if there is one        | request         |
| refused         | its answer refused the token                                 | request, status |
| queued          | it waits for a renewal                                       | request         |
| replayed        | it left once more, with the new token                        | request         |
| answered        | the caller gets this answer                                  | request, status |
| failed          | the caller gets an error instead                             | request, reason |
| refresh-started | this page sends a refresh call, or sends it again            |                 |
| refresh-done    | it brought new tokens, and they are stored                   |                 |
| refresh-failed  | it did not                                                   | reason          |
| adopted         | new tokens came from another tab                             |                 |
| signed-in       | a session began, here or in another tab                      |                 |
| signed-out      | the session ended, or a request was turned away for want of one | reason       |
| renewing-changed | ``auth.renewing`` did, here or in another tab               |                 |

Every event has the ``generation`` that it concerns. Listeners run later in the event loop and never
under a lock, so they may use the client; who waited for what is told may have gone on by then.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple, Protocol, get_args

from .http.messages import Request, without_query

log = logging.getLogger("silent_refresh")
FAILED = "silent-refresh: %s failed on %r; all else goes on"


EventName = Literal[
    "sent",
    "refused",
    "queued",
    "replayed",
    "answered",
    "failed",
    "refresh-started",
    "refresh-done",
    "refresh-failed",
    "adopted",
    "signed-in",
    "signed-out",
    "renewing-changed",
]
OF_REQUESTS = frozenset({"sent", "refused", "queued", "replayed", "answered", "failed"})


class Event(NamedTuple):
    """One thing that happened.

    ``at`` is in seconds on the monotonic clock. ``request`` numbers this page's requests; ``method`` and
    ``url`` (without query and fragment) are that request's. ``reason`` is the name of an error; for
    ``signed-out`` it is ``"sign_out"`` (here), ``"elsewhere"`` (another tab, or storage was cleared),
    ``"rejected"`` (the server refused the refresh token), ``"no_refresh_token"`` (nothing to renew with),
    ``"max_age"`` or ``"idle"`` (its time was up), or ``"not_signed_in"``.
    """

    name: EventName
    at: float
    generation: int = 0
    request: int | None = None
    method: str | None = None
    url: str | None = None
    status: int | None = None
    reason: str | None = None


Listener = Callable[[Event], object]


class Tell(Protocol):
    """Tells the listeners one more thing about a certain request."""

    def __call__(
        self, name: EventName, *, generation: int = 0, status: int | None = None, reason: str | None = None
    ) -> None: ...


class Events:
    """The listeners of one ``SilentRefresh``."""

    def __init__(self, now: Callable[[], float], changed: Callable[[], None]) -> None:
        """Make the list; ``changed`` is called when somebody begins or ends to listen.

        ``of_requests`` tells whether anybody wants to hear of each request.
        """
        self._now = now
        self._changed = changed
        self._callbacks = Callbacks()
        self._listeners: list[tuple[Listener, frozenset[EventName]]] = []
        self.of_requests = False
        self._requests = 0

    def listen(self, listener: Listener, *names: EventName) -> Callable[[], None]:
        """Call ``listener`` with each event, or with those of these ``names``; return what stops it.

        Raises ``ValueError`` for a name that no event has.
        """
        unknown = set(names) - set(get_args(EventName))
        if unknown:
            raise ValueError(f"there is no event {', '.join(map(repr, sorted(unknown)))}")
        entry = (listener, frozenset(names))
        self._listeners.append(entry)
        self._note_change()

        def stop() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)
                self._note_change()

        return stop

    def _note_change(self) -> None:
        self.of_requests = any(not names or names & OF_REQUESTS for _, names in self._listeners)
        self._changed()

    @property
    def wanted(self) -> list[EventName] | None:
        """The names that somebody listens for, none at all for every name; ``None`` when nobody listens."""
        names = [names for _, names in self._listeners]
        return sorted(frozenset().union(*names)) * all(names) if names else None

    def emit(self, name: EventName, *, generation: int = 0, reason: str | None = None) -> Event:
        """Tell all listeners, and return what they are told."""
        event = Event(name, self._now(), generation, reason=reason)
        self.pass_on(event)
        return event

    def about(self, request: Request) -> Tell:
        """Return what tells of this request; where nobody listens, ``nobody`` does as well."""
        self._requests += 1
        number, method, url = self._requests, request.method, without_query(request.url)

        def tell(
            name: EventName, *, generation: int = 0, status: int | None = None, reason: str | None = None
        ) -> None:
            self.pass_on(Event(name, self._now(), generation, number, method, url, status, reason))

        return tell

    def pass_on(self, event: Event) -> None:
        """Tell all listeners, later."""
        for listener, names in self._listeners:  # from the event loop: whoever emits may hold a lock
            if not names or event.name in names:
                asyncio.get_running_loop().call_soon(self._callbacks.call, listener, event, "a listener")


class Callbacks:
    """Calls functions of the page's that are told something, async ones too; what they raise is logged."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[None]] = set()  # the loop alone would forget them

    def call(self, function: Callable[[Event], object], event: Event, who: str) -> None:
        """Call it; one that is async goes on by itself."""
        try:
            result = function(event)
        except Exception:
            log.exception(FAILED, who, event.name)
            return
        if inspect.isawaitable(result):
            task = asyncio.ensure_future(self._end_of(result, event, who))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _end_of(self, result: Awaitable[Any], event: Event, who: str) -> None:
        try:
            await result
        except Exception:
            log.exception(FAILED, who, event.name)


def is_async(function: object) -> bool:
    """Tell whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004
    )


def nobody(
    name: EventName, *, generation: int = 0, status: int | None = None, reason: str | None = None
) -> None:
    """Tell nobody."""
