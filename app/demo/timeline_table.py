"""The timeline as a table, for whoever can't see the picture: one row for each request and refresh, in order.

It is filled while it is open, and when the episode is over or another one is shown; not at each frame.
"""

from __future__ import annotations

from typing import Any

from pyodide.ffi.wrappers import add_event_listener

from demo.document import element, make
from demo.story import milliseconds
from demo.timeline import Episode, Lane, Refresh
from demo.words import Words

SPANS = ("refused", "waiting", "replayed")


class TimelineTable:
    """Fills the table's rows."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._box = element("table")
        self._state: tuple[Episode, float, bool] | None = None  # what the rows show
        self._last: tuple[Episode, float] | None = None

    def open(self) -> None:
        """Fill it when it is opened."""
        add_event_listener(self._box, "toggle", self._toggled)

    def _toggled(self, event: Any) -> None:
        if self._last is not None:
            self.show(*self._last)

    def forget(self) -> None:
        """Let the next `show` fill it anew."""
        self._state = None

    def show(self, episode: Episode, now: float) -> None:
        """Show an episode, if anybody looks and it isn't shown already."""
        self._last = episode, now
        state = episode, episode.last, episode.is_live
        if not self._box.open or state == self._state or (episode.is_live and self._is_shown(episode)):
            return
        self._state = state
        rows: list[tuple[float, Any]] = [
            (lane.start, self._lane(lane, episode, now)) for lane in episode.lanes
        ]
        rows += [(it.calls[0], self._refresh(it, episode)) for it in episode.refreshes]
        rows += [(at, self._row("row-adopted", at, episode)) for at, _ in episode.adopted]
        rows.sort(key=lambda row: row[0])
        element("rows").replaceChildren(*(row for _, row in rows))

    def _is_shown(self, episode: Episode) -> bool:
        return self._state is not None and self._state[0] is episode

    def _lane(self, lane: Lane, episode: Episode, now: float) -> Any:
        spans = [self._time(lane.time_in(kind, now)) for kind in SPANS]
        end = self._words("story-open") if lane.end is None else str(lane.outcome)
        name = f"#{lane.number} {lane.method} {lane.url}"
        return _cells(name, self._time(lane.start - episode.start), *spans, end)

    def _refresh(self, refresh: Refresh, episode: Episode) -> Any:
        key = f"refresh-{refresh.outcome}" if refresh.outcome else "story-open"
        end = self._words(key, generation=refresh.generation, reason=refresh.reason)
        name = self._words("row-refresh", calls=len(refresh.calls))
        return _cells(name, self._time(refresh.calls[0] - episode.start), "–", "–", "–", end)

    def _row(self, key: str, at: float, episode: Episode) -> Any:
        return _cells(self._words(key), self._time(at - episode.start), "–", "–", "–", "–")

    def _time(self, seconds: float | None) -> str:
        return "–" if seconds is None else milliseconds(seconds, self._words)


def _cells(name: str, *texts: str) -> Any:
    row = make("tr")
    row.append(make("th", name, scope="row"), *(make("td", text) for text in texts))
    return row
