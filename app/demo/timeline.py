"""What happened, as lanes: one for each request, and the refreshes across them. No drawing here.

The library's events go in one by one. They fall into *episodes*: something starts, much happens, then it's
quiet. Each has a time axis of its own, or a minute of thinking would squeeze a storm of 50 ms to a line.

    timeline = Timeline()
    auth.listen(timeline.add)
    timeline.episodes[-1].lanes[0].spans      # [Span("refused", 0.0, 0.02), Span("waiting", 0.02, 0.05), …]
"""

from __future__ import annotations

from silent_refresh import Event

QUIET = 1.0  # s without an event, after which the next one starts an episode
MOST_EPISODES = 20
MOST_LANES = 400  # of one episode; more than that can't be told apart

START = {"sent": "sent", "queued": "waiting", "replayed": "replayed"}  # event: the span that it starts


class Span:
    """A stretch of a lane; `kind` is sent, refused, waiting or replayed, `end` is None while it lasts."""

    __slots__ = ("end", "kind", "start")

    def __init__(self, kind: str, start: float) -> None:
        self.kind = kind
        self.start = start
        self.end: float | None = None

    def lasts(self, now: float) -> float:
        """Return its length in seconds, up to now if it goes on."""
        return (now if self.end is None else self.end) - self.start


class Lane:
    """One request: its spans, and `outcome`, a status or the name of an error."""

    __slots__ = ("end", "method", "number", "outcome", "spans", "start", "url")

    def __init__(self, event: Event) -> None:
        self.number = event.request or 0
        self.method = event.method or ""
        self.url = event.url or ""
        self.start = event.at
        self.end: float | None = None
        self.spans: list[Span] = []
        self.outcome: int | str | None = None

    def add(self, event: Event) -> None:
        """Go on with the next event of this request."""
        last = self.spans[-1] if self.spans else None
        if last is not None and last.end is None:
            last.end = event.at
        if event.name in START:
            self.spans.append(Span(START[event.name], event.at))
        elif event.name == "refused" and last is not None:
            last.kind = "refused"
        elif event.name in ("answered", "failed"):
            self.outcome = event.status if event.name == "answered" else event.reason
            self.end = event.at

    @property
    def is_good(self) -> bool:
        """Whether the caller got an answer that is no refusal."""
        return isinstance(self.outcome, int) and self.outcome < 400

    def time_in(self, kind: str, now: float) -> float | None:
        """Return the seconds it spent in spans of this kind, None if there is none."""
        spans = [span.lasts(now) for span in self.spans if span.kind == kind]
        return sum(spans) if spans else None


class Refresh:
    """One refresh of this page: when it called, and how it ended: done, failed or dropped."""

    __slots__ = ("calls", "end", "generation", "outcome", "reason")

    def __init__(self, at: float) -> None:
        self.calls = [at]
        self.end: float | None = None
        self.outcome: str | None = None
        self.generation = 0
        self.reason: str | None = None

    def finish(self, outcome: str, event: Event) -> None:
        """Note how it ended."""
        self.outcome, self.end, self.reason, self.generation = (
            outcome,
            event.at,
            event.reason,
            event.generation,
        )


class Episode:
    """What happened from one quiet moment to the next. Times are the events' own."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.last = start
        self.lanes: list[Lane] = []
        self.refreshes: list[Refresh] = []
        self.adopted: list[tuple[float, int]] = []  # when, which generation

    @property
    def is_live(self) -> bool:
        """Whether anything in it still goes on."""
        return any(lane.end is None for lane in self.lanes) or self.is_refreshing

    @property
    def is_refreshing(self) -> bool:
        """Whether a refresh of this page goes on."""
        return self._open_refresh() is not None

    def length(self, now: float) -> float:
        """Return its seconds so far."""
        return (now if self.is_live else self.last) - self.start

    def _open_refresh(self) -> Refresh | None:
        return self.refreshes[-1] if self.refreshes and self.refreshes[-1].end is None else None

    def add(self, event: Event) -> None:
        """Take an event that is about the session, not about one request."""
        current = self._open_refresh()
        if event.name == "refresh-started":
            if current is not None:
                current.calls.append(event.at)
            else:
                self.refreshes.append(Refresh(event.at))
        elif event.name == "adopted":
            self.adopted.append((event.at, event.generation))
        elif event.name == "refresh-done" and current is not None:
            current.finish("done", event)
        elif event.name == "refresh-failed":
            if current is None:  # it failed before it could call
                current = Refresh(event.at)
                self.refreshes.append(current)
            current.finish("failed", event)
        elif event.name in ("signed-in", "signed-out") and current is not None:
            current.finish("dropped", event)


class Timeline:
    """The last episodes, oldest first."""

    def __init__(self) -> None:
        self.episodes: list[Episode] = []
        self._under_way: dict[int, tuple[Episode, Lane]] = {}
        self._refreshing: Episode | None = None  # the one whose refresh is under way
        self._is_cut = False

    def cut(self) -> None:
        """Let the next event that begins something begin an episode, however soon it comes."""
        self._is_cut = True

    def add(self, event: Event) -> None:
        """Take the library's next event."""
        if event.request is None:
            episode = self._refreshing or self._episode(event)
            episode.add(event)
            self._refreshing = episode if episode.is_refreshing else None
        elif event.request in self._under_way:
            episode, lane = self._under_way[event.request]
            lane.add(event)
            if lane.end is not None:
                del self._under_way[event.request]
        else:
            episode, lane = self._episode(event), Lane(event)
            lane.add(event)
            episode.lanes.append(lane)
            if lane.end is None:
                self._under_way[event.request] = episode, lane
        episode.last = max(episode.last, event.at)

    def _episode(self, event: Event) -> Episode:
        current = self.episodes[-1] if self.episodes else None
        is_new = (
            current is None
            or self._is_cut
            or len(current.lanes) >= MOST_LANES
            or (not current.is_live and event.at - current.last > QUIET)
        )
        if current is None or is_new:
            current = Episode(event.at)
            self._is_cut = False
            self.episodes.append(current)
            del self.episodes[:-MOST_EPISODES]
        return current
