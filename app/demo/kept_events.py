"""Keeps the library's events of the start, until what shows them has been read too."""

from __future__ import annotations

from collections.abc import Callable

from silent_refresh import Event


class KeptEvents:
    """Hears events from the first request on."""

    def __init__(self) -> None:
        self._kept: list[Event] = []
        self._show: Callable[[Event], object] = self._kept.append

    def hear(self, event: Event) -> None:
        """Take the library's next event."""
        self._show(event)

    def pass_on(self, show: Callable[[Event], object]) -> None:
        """Give `show` what was kept, and from now on every event."""
        self._show = show
        for event in self._kept:
            show(event)
