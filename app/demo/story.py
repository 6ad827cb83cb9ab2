"""Tells in a sentence what became of one request: for the one lane that somebody points at."""

from __future__ import annotations

from collections.abc import Callable

from demo.timeline import Lane

Words = Callable[..., str]


def lane_story(lane: Lane, now: float, words: Words) -> str:
    """Return such as ``#7 GET /api/notes: refused after 12 ms, waited 40 ms, sent again (9 ms) …``."""
    parts = [
        words(f"story-{span.kind}", time=milliseconds(span.lasts(now), words))
        for span in lane.spans
        if span.kind != "waiting" or span.lasts(now) >= 0.0005  # a late refusal doesn't wait
    ]
    if lane.end is None:
        parts.append(words("story-open"))
    else:
        key = "story-answered" if isinstance(lane.outcome, int) else "story-failed"
        whole = milliseconds(lane.end - lane.start, words)
        parts.append(words(key, status=lane.outcome, reason=lane.outcome, time=whole))
    return words(
        "lane", number=lane.number, request=f"{lane.method} {lane.url}", story=words("then").join(parts)
    )


def milliseconds(seconds: float, words: Words) -> str:
    """Return a time as text."""
    return words("time", ms=round(seconds * 1000))
