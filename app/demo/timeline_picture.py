"""Draws the timeline, at most once for each frame that the browser shows, and tells what one points at.

The paths come ready from ``timeline_shape.py``; what is drawn here is a dozen attributes, however many lanes.
"""

from __future__ import annotations

import time
from typing import Any

import js
from pyodide.ffi import create_proxy
from pyodide.ffi.wrappers import add_event_listener

from demo.document import element, make_svg, put
from demo.story import lane_story
from demo.timeline import Episode, Timeline
from demo.timeline_shape import AXIS, BAND, KINDS, READABLE, Shape, lane_at, shape_of
from demo.timeline_table import TimelineTable
from demo.words import Words
from silent_refresh import Event

NARROW = 500  # px; below that, names take less room
GUTTERS = {True: 44, False: 150}  # px
FRAME = 17  # ms
REST = (
    3  # times as long as a frame with a drawing took beyond that: most of the time is left for the requests
)
MOST_REST = 1000  # ms; a page that nobody sees has no frames at all
KEYS = {"ArrowDown": 1, "ArrowUp": -1, "PageDown": 10, "PageUp": -10, "Home": -10_000, "End": 10_000}


class TimelinePicture:
    """The picture and its table, of one episode at a time: the newest, until an earlier one is asked for."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._timeline = Timeline()
        self._table = TimelineTable(words)
        self._shown: Episode | None = None  # None: the newest
        self._lane: int | None = None
        self._is_due = False
        self._drawn_at = self._rest_until = 0.0  # ms, by the clock of the frames
        self._calm = js.matchMedia("(prefers-reduced-motion: reduce)")
        self._box = element("picture")
        self._svg = self._box.querySelector("svg")
        self._paths = {kind: make_svg("path", data_kind=kind) for kind in KINDS}
        self._mark = make_svg("rect", data_kind="mark", width="100%", x="0")
        self._texts = make_svg("g")
        self._svg.append(self._mark, *self._paths.values(), self._texts)
        self._width = 0.0
        self._draw = create_proxy(self._draw_now)  # all proxies here live as long as the page
        self._measure = create_proxy(self._rest)

    def open(self) -> None:
        """Follow the size of the page, the pointer and the keyboard."""
        observer = js.ResizeObserver.new(create_proxy(self._resized))
        observer.observe(self._box)
        add_event_listener(self._box, "pointermove", self._point)
        add_event_listener(self._box, "pointerout", self._leave)
        add_event_listener(self._box, "keydown", self._key)
        add_event_listener(element("earlier"), "click", lambda event: self._page(-1))
        add_event_listener(element("later"), "click", lambda event: self._page(1))
        self._table.open()
        self._words.listen(self._reworded)

    def add(self, event: Event) -> None:
        """Take the library's next event."""
        self._timeline.add(event)
        # What just begins is what one wants to see; what happens in the episode at hand needs no jump.
        if self._shown is not None and event.name in ("sent", "refresh-started", "queued"):
            self._shown, self._lane = None, None
        self._redraw()

    def cut(self) -> None:
        """Begin a new picture with what comes next."""
        self._timeline.cut()

    def _episode(self) -> Episode | None:
        episodes = self._timeline.episodes
        return self._shown or (episodes[-1] if episodes else None)

    def _redraw(self) -> None:
        if not self._is_due:
            self._is_due = True
            js.requestAnimationFrame(self._draw)

    def _resized(self, entries: Any, observer: Any) -> None:
        self._width = entries[0].contentRect.width
        self._redraw()

    def _reworded(self) -> None:
        self._table.forget()
        self._redraw()

    def _draw_now(self, stamp: float) -> None:
        self._is_due = False
        if stamp < self._rest_until:
            self._redraw()
            return
        episode = self._episode()
        if episode is None or self._width <= 0:
            return
        now = time.monotonic()
        gutter = GUTTERS[self._width < NARROW]
        shape = shape_of(episode, now, width=self._width, gutter=gutter)
        self._svg.setAttribute("height", f"{shape.height:.0f}")
        for kind, path in self._paths.items():
            path.setAttribute("d", shape.paths[kind])
        self._name(episode, shape)
        self._highlight(episode, shape)
        self._tell(episode, now)
        self._table.show(episode, now)
        self._drawn_at = stamp
        js.requestAnimationFrame(self._measure)  # before the next drawing, which asks later
        if episode.is_live and not self._calm.matches:
            self._redraw()

    def _rest(self, stamp: float) -> None:
        """Rest by what the last frame took: drawing it, and what is mostly more, the browser's painting."""
        took = stamp - self._drawn_at - FRAME
        self._rest_until = stamp + min(REST * max(took, 0.0), MOST_REST)

    def _name(self, episode: Episode, shape: Shape) -> None:
        texts = [make_svg("text", label, x=f"{x:.1f}", y="14") for x, label in shape.ticks]
        if episode.refreshes or episode.adopted:
            texts.append(
                make_svg("text", self._words("kind-refresh"), x="0", y=f"{AXIS + 18}", class_="name")
            )
        if shape.lane_height >= READABLE:
            narrow = self._width < NARROW
            for index, lane in enumerate(episode.lanes):
                y = AXIS + BAND + shape.lane_height * (index + 0.5) + 4
                name = f"#{lane.number}" if narrow else f"{lane.method} {path_of(lane.url)}"
                texts.append(make_svg("text", name, x="0", y=f"{y:.1f}", class_="name"))
        self._texts.replaceChildren(*texts)

    def _highlight(self, episode: Episode, shape: Shape) -> None:
        shown = self._lane is not None and self._lane < len(episode.lanes)
        self._mark.setAttribute("height", f"{max(shape.lane_height, 3) if shown else 0:.1f}")
        if shown:
            self._mark.setAttribute("y", f"{AXIS + BAND + shape.lane_height * (self._lane or 0):.1f}")

    def _tell(self, episode: Episode, now: float) -> None:
        episodes = self._timeline.episodes
        at = episodes.index(episode) if episode in episodes else 0
        element("earlier").disabled = at == 0
        element("later").disabled = at == len(episodes) - 1
        element("timeline-empty").hidden = True
        put(
            "episode",
            self._words(
                "episode",
                number=at + 1,
                count=len(episodes),
                lanes=len(episode.lanes),
                refreshes=len(episode.refreshes),
            ),
        )
        told = ""
        if self._lane is not None and self._lane < len(episode.lanes):
            told = lane_story(episode.lanes[self._lane], now, self._words)
        put("picture-detail", told)

    def _choose(self, lane: int | None) -> None:
        if lane != self._lane:
            self._lane = lane
            self._redraw()

    def _point(self, event: Any) -> None:
        episode = self._episode()
        if episode is not None:
            self._choose(lane_at(event.clientY - self._svg.getBoundingClientRect().top, episode))

    def _leave(self, event: Any) -> None:
        # WebKit sends "pointerleave" to none but the shape that the pointer was over.
        if not self._box.contains(event.relatedTarget):
            self._choose(None)

    def _key(self, event: Any) -> None:
        episode = self._episode()
        if event.key not in KEYS or episode is None or not episode.lanes:
            return
        event.preventDefault()  # or the page would scroll
        start = self._lane if self._lane is not None else -1 if KEYS[event.key] > 0 else len(episode.lanes)
        self._choose(min(max(start + KEYS[event.key], 0), len(episode.lanes) - 1))

    def _page(self, step: int) -> None:
        episodes, episode = self._timeline.episodes, self._episode()
        at = episodes.index(episode) if episode in episodes else 0
        at = min(max(at + step, 0), len(episodes) - 1)
        self._shown = None if at == len(episodes) - 1 else episodes[at]
        self._lane = None
        self._redraw()


def path_of(url: str) -> str:
    """Return a URL's path, cut to what fits at the left of the lanes."""
    path = url.removeprefix(str(js.location.origin))
    return path if len(path) <= 18 else f"{path[:17]}…"
