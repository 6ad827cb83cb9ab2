"""Turns an episode into shapes: one path for all spans of a kind, so that 200 lanes cost as much as one.

Coordinates are pixels. The rows, from the top: the axis, the refreshes, one lane for each request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from demo.timeline import Episode, Lane

AXIS = 22  # px, height of the row of times
BAND = 26  # px, height of the row of refreshes
LANES = 330  # px that the lanes share
TALLEST, LOWEST = 22.0, 2.0  # px of one lane
READABLE = 13.0  # px from which a lane can carry a name
THINNEST = 2.0  # px, so that what took no time can be seen
SHORTEST = 0.05  # s that the axis shows at least
TICK_ROOM = 90  # px between two times, at least

KINDS = (
    "shade",
    "grid",
    "sent",
    "refused",
    "waiting",
    "replayed",
    "answered",
    "failed",
    "refresh",
    "refresh-failed",
    "adopted",
)
Scale: TypeAlias = Callable[[float], float]  # a time to its x
SHARE = {"waiting": 0.34}  # of the lane's bar: thinner, so that it isn't told by its colour alone


class Shape(NamedTuple):
    """What to draw: a path's `d` for each kind, the times of the axis, and the height of it all in pixels."""

    paths: dict[str, str]
    ticks: list[tuple[float, str]]
    lane_height: float
    height: float


def lane_height(count: int) -> float:
    """Return the height of one of so many lanes, in pixels."""
    return max(LOWEST, min(TALLEST, LANES / max(count, 1)))


def lane_at(y: float, episode: Episode) -> int | None:
    """Return the index of the lane at a height, None above the first and below the last."""
    index = int((y - AXIS - BAND) // lane_height(len(episode.lanes)))
    return index if 0 <= index < len(episode.lanes) else None


def shape_of(episode: Episode, now: float, *, width: float, gutter: float) -> Shape:
    """Return what to draw in so many pixels, of which the names take `gutter` at the left."""
    room = max(width - gutter - 14, 50)  # some room for what ends last
    length = max(episode.length(now), SHORTEST)
    scale = room / length
    paths: dict[str, list[str]] = {kind: [] for kind in KINDS}
    step = lane_height(len(episode.lanes))
    height = AXIS + BAND + step * len(episode.lanes) + 4

    def x(at: float) -> float:
        return gutter + (at - episode.start) * scale

    ticks = [(gutter + at * scale, label) for at, label in times(length, room)]
    paths["grid"] = [f"M{left:.1f} {AXIS}V{height:.1f}" for left, _ in ticks]
    _refreshes(paths, episode, x, now, height)
    for index, lane in enumerate(episode.lanes):
        _lane(paths, lane, x, now, AXIS + BAND + step * index, step)
    return Shape({kind: "".join(parts) for kind, parts in paths.items()}, ticks, step, height)


def _lane(paths: dict[str, list[str]], lane: Lane, x: Scale, now: float, top: float, step: float) -> None:
    bar = step * 0.7 if step > 4 else step - 0.5
    middle = top + step / 2
    for span in lane.spans:
        tall = bar * SHARE.get(span.kind, 1)
        paths[span.kind].append(box(x(span.start), middle - tall / 2, x(span.start + span.lasts(now)), tall))
    if lane.end is not None:
        size = min(bar, 11) / 2
        right = x(lane.end) + size + 1
        paths["answered" if lane.is_good else "failed"].append(
            disc(right, middle, size) if lane.is_good else cross(right, middle, size)
        )


def _refreshes(paths: dict[str, list[str]], episode: Episode, x: Scale, now: float, height: float) -> None:
    for refresh in episode.refreshes:
        left, right = x(refresh.calls[0]), x(now if refresh.end is None else refresh.end)
        kind = "refresh-failed" if refresh.outcome in ("failed", "dropped") else "refresh"
        paths[kind].append(box(left, AXIS + 4, right, BAND - 10))
        # Each further call leaves a gap, so that they can be counted.
        paths["grid"] += [f"M{x(call):.1f} {AXIS + 2}v{BAND - 6}" for call in refresh.calls[1:]]
        paths["shade"].append(box(left, AXIS + BAND - 2, right, height - AXIS - BAND))
    for at, _ in episode.adopted:
        paths["adopted"].append(diamond(x(at), AXIS + BAND / 2 - 1, 7))
        paths["adopted"].append(f"M{x(at) - 0.75:.1f} {AXIS + BAND}h1.5V{height:.1f}h-1.5z")


def box(left: float, top: float, right: float, height: float) -> str:
    """Return a rectangle, never too thin to be seen."""
    return f"M{left:.1f} {top:.1f}h{max(right - left, THINNEST):.1f}v{height:.1f}H{left:.1f}z"


def disc(x: float, y: float, radius: float) -> str:
    """Return a circle."""
    half = f"a{radius:.1f} {radius:.1f} 0 1 0"
    return f"M{x - radius:.1f} {y:.1f}{half} {2 * radius:.1f} 0{half} {-2 * radius:.1f} 0z"


def cross(x: float, y: float, size: float) -> str:
    """Return an x, as two bars."""
    s, w = size, size / 3
    return (
        f"M{x - s:.1f} {y - s + w:.1f}l{w:.1f} {-w:.1f}L{x + s:.1f} {y + s - w:.1f}l{-w:.1f} {w:.1f}z"
        f"M{x + s - w:.1f} {y - s:.1f}l{w:.1f} {w:.1f}L{x - s + w:.1f} {y + s:.1f}l{-w:.1f} {-w:.1f}z"
    )


def diamond(x: float, y: float, size: float) -> str:
    """Return a square on its corner."""
    return f"M{x:.1f} {y - size:.1f}l{size:.1f} {size:.1f}l{-size:.1f} {size:.1f}l{-size:.1f} {-size:.1f}z"


def times(length: float, room: float) -> list[tuple[float, str]]:
    """Return the times to mark on an axis of so many seconds and pixels: 1, 2, 5, 10 … of something apart."""
    wanted = length * TICK_ROOM / room
    step = next(
        step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5) if step * 10.0**power >= wanted
    )
    return [(step * n, _time(step * n, step)) for n in range(int(length / step) + 1)]


def _time(at: float, step: float) -> str:
    return f"{at * 1000:.0f} ms" if step < 0.1 else f"{at:.1f} s" if step < 1 else f"{at:.0f} s"
