"""What the demo page keeps of the library's events until it can show them."""

from __future__ import annotations

from demo.kept_events import KeptEvents
from silent_refresh import Event

EVENTS = [Event(name, at) for at, name in enumerate(("sent", "answered", "sent"))]


def test_events_before_they_can_be_shown_are_shown_in_order():
    """Whoever comes late gets what was kept, then what happens, each event once."""
    events = KeptEvents()
    shown: list[Event] = []
    events.hear(EVENTS[0])
    events.hear(EVENTS[1])
    events.pass_on(shown.append)
    events.hear(EVENTS[2])

    assert EVENTS == shown
