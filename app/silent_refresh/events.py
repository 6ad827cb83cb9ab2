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

Every event has the ``generation`` that it concerns. Listeners run later in the event loop and never
under a lock, so they may use the client; who waited for what is told may have gone on by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .messages import Request, without_query

log = logging.getLogger("silent_refresh")


class Event(NamedTuple):
    """One thing that happened.

    ``at`` is in seconds on the monotonic clock. ``request`` numbers this page's requests; ``method`` and
    ``url`` (without query and fragment) are that request's. ``reason`` is the name of an error; for
    ``signed-out`` it is ``"sign_out"`` (here), ``"elsewhere"`` (another tab, or storage was cleared),
    ``"rejected"`` (the server refused the refresh token), ``"no_refresh_token"`` (nothing to renew with) or
    ``"not_signed_in"``.
    """

    name: str
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
        self, name: str, *, generation: int = 0, status: int | None = None, reason: str | None = None
    ) -> None: ...


class Events:
    """The listeners of one ``SilentRefresh``."""

    def __init__(self, now: Callable[[], float], changed: Callable[[], None]) -> None:
        """Make the list, ``listeners``; ``changed`` is called when somebody begins or ends to listen."""
        self._now = now
        self._changed = changed
        self.listeners: list[Listener] = []
        self._requests = 0

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every event from now on; return what stops it."""
        self.listeners.append(listener)
        self._changed()

        def stop() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)
                self._changed()

        return stop

    def emit(self, name: str, *, generation: int = 0, reason: str | None = None) -> Event:
        """Tell all listeners, and return what they are told."""
        event = Event(name, self._now(), generation, reason=reason)
        self.pass_on(event)
        return event

    def about(self, request: Request) -> Tell:
        """Return what tells of this request; where nobody listens, ``nobody`` does as well."""
        self._requests += 1
        number, method, url = self._requests, request.method, without_query(request.url)

        def tell(
            name: str, *, generation: int = 0, status: int | None = None, reason: str | None = None
        ) -> None:
            self.pass_on(Event(name, self._now(), generation, number, method, url, status, reason))

        return tell

    def pass_on(self, event: Event) -> None:
        """Tell all listeners, later."""
        if self.listeners:  # from the event loop: whoever emits may hold a lock
            loop = asyncio.get_running_loop()
            for listener in self.listeners:
                loop.call_soon(_call, listener, event)


def _call(listener: Listener, event: Event) -> None:
    try:
        listener(event)
    except Exception:
        log.exception("silent-refresh: a listener failed on %r; all else goes on", event.name)


def nobody(name: str, *, generation: int = 0, status: int | None = None, reason: str | None = None) -> None:
    """Tell nobody."""
