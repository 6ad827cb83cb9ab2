"""The log: one line for each event of the library, with the seconds since the first one."""

from __future__ import annotations

from demo.document import element, make
from silent_refresh import Event

LONGEST = 200  # lines


class EventLog:
    """Writes events into the list on the page."""

    def __init__(self) -> None:
        self._list = element("log")
        self._box = self._list.parentElement
        self._start: float | None = None

    def add(self, event: Event) -> None:
        """Add a line, and drop the oldest when there are too many."""
        if self._start is None:
            self._start = event.at
        self._list.append(make("li", f"{event.at - self._start:7.3f} s  {describe(event)}"))
        if self._list.childElementCount > LONGEST:
            self._list.firstElementChild.remove()
        self._box.scrollTop = self._box.scrollHeight


def describe(event: Event) -> str:
    """Return an event as text, such as ``answered 200  GET /api/profile``."""
    parts = [event.name, event.status, event.reason]
    subject = f"  {event.method} {event.url}" if event.method else f"  generation {event.generation}"
    return " ".join(str(part) for part in parts if part is not None) + subject
