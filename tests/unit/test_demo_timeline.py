"""The demo's timeline: what its lanes, refreshes and episodes say, and the shapes that are drawn of them."""

from __future__ import annotations

import re

import pytest

from demo.english import TEXTS
from demo.story import lane_story
from demo.timeline import MOST_EPISODES, MOST_LANES, QUIET, Timeline
from demo.timeline_shape import AXIS, BAND, KINDS, LOWEST, lane_at, lane_height, shape_of, times
from silent_refresh import Event


def words(key: str, **values: object) -> str:
    """Put into English."""
    return TEXTS[key].format(**values)


def about(
    number: int, name: str, at: float, *, status: int | None = None, reason: str | None = None
) -> Event:
    """Make an event of a request."""
    return Event(name, at, 1, number, "GET", f"/api/items/{number}", status, reason)


def told(*events: Event) -> Timeline:
    """Make a timeline of events."""
    timeline = Timeline()
    for event in events:
        timeline.add(event)
    return timeline


def renewed(number: int, start: float = 0.0) -> list[Event]:
    """Tell of a request whose token was refused, and that was sent again."""
    return [
        about(number, "sent", start),
        about(number, "refused", start + 0.1, status=401),
        about(number, "queued", start + 0.1),
        about(number, "replayed", start + 0.3),
        about(number, "answered", start + 0.4, status=200),
    ]


def spans(timeline: Timeline) -> list[tuple[str, float, float | None]]:
    """Return the spans of the first lane."""
    return [(span.kind, span.start, span.end) for span in timeline.episodes[0].lanes[0].spans]


def test_a_renewed_request_is_refused_waits_and_is_sent_again():
    """One lane with three spans, each where the one before ended, and the answer at the end."""
    timeline = told(*renewed(1))

    assert [("refused", 0.0, 0.1), ("waiting", 0.1, 0.3), ("replayed", 0.3, 0.4)] == spans(timeline)
    assert timeline.episodes[0].lanes[0].outcome == 200
    assert timeline.episodes[0].lanes[0].is_good


def test_a_request_that_waits_first_is_sent_once():
    """A token that is renewed before it is sent leaves a waiting span, then a sent one."""
    timeline = told(about(1, "queued", 0.0), about(1, "sent", 0.2), about(1, "answered", 0.3, status=200))

    assert [("waiting", 0.0, 0.2), ("sent", 0.2, 0.3)] == spans(timeline)


def test_a_failed_request_has_its_errors_name():
    """The lane of a request that got an error ends with it, and isn't good."""
    timeline = told(about(1, "sent", 0.0), about(1, "failed", 0.2, reason="NetworkError"))

    assert "NetworkError" == timeline.episodes[0].lanes[0].outcome
    assert not timeline.episodes[0].lanes[0].is_good


def test_an_answer_that_refuses_again_is_not_good():
    """A replay that is refused too is drawn as refused, and its 401 is no good answer."""
    events = [*renewed(1)[:4], about(1, "refused", 0.4, status=401), about(1, "answered", 0.4, status=401)]
    lane = told(*events).episodes[0].lanes[0]

    assert "refused" == lane.spans[-1].kind
    assert not lane.is_good


def test_what_goes_on_lasts_until_now():
    """An open span grows with the time, and makes its episode live."""
    timeline = told(about(1, "sent", 1.0))
    episode = timeline.episodes[0]

    assert 4.0 == episode.lanes[0].spans[0].lasts(5.0)
    assert episode.is_live
    assert 4.0 == episode.length(5.0)


def test_retries_belong_to_one_refresh():
    """A refresh that calls three times is one band with three calls."""
    timeline = told(
        *(Event("refresh-started", at, 1) for at in (0.0, 0.5, 1.5)), Event("refresh-done", 1.6, 2)
    )
    (refresh,) = timeline.episodes[0].refreshes

    assert [0.0, 0.5, 1.5] == refresh.calls
    assert ("done", 1.6, 2) == (refresh.outcome, refresh.end, refresh.generation)


@pytest.mark.parametrize("name", ["signed-out", "signed-in"])
def test_a_refresh_ends_with_its_session(name):
    """Whoever signs out, or in as somebody else, leaves no refresh that would never end."""
    timeline = told(Event("refresh-started", 0.0, 1), Event(name, 0.1, 2))

    assert "dropped" == timeline.episodes[0].refreshes[0].outcome
    assert not timeline.episodes[0].is_live


def test_a_refresh_that_could_not_call_is_shown_as_failed():
    """A wait for the lock that came to nothing is a failure without a call."""
    timeline = told(Event("refresh-failed", 3.0, 1, reason="RefreshUnavailable"))

    assert "failed" == timeline.episodes[0].refreshes[0].outcome


def test_another_tabs_refresh_is_marked_as_adopted():
    """New tokens from another tab are a mark, and no refresh of this page."""
    episode = told(Event("adopted", 0.5, 7)).episodes[0]

    assert [(0.5, 7)] == episode.adopted
    assert [] == episode.refreshes


def test_a_pause_begins_an_episode_and_waiting_does_not():
    """A quiet moment separates; while something is under way there is none, however long it takes."""
    late = 0.4 + QUIET + 0.1

    assert 2 == len(told(*renewed(1), *renewed(2, late)).episodes)
    assert 1 == len(told(about(1, "sent", 0.0), about(2, "sent", 60.0)).episodes)


def test_an_experiment_begins_an_episode_at_once():
    """After a cut the next request has an episode of its own; what is under way ends where it began."""
    timeline = told(*renewed(1)[:3], Event("refresh-started", 0.1, 1))
    timeline.cut()
    for event in (about(2, "sent", 0.2), Event("refresh-done", 0.3, 2), *renewed(1)[3:]):
        timeline.add(event)

    assert [[1], [2]] == [[lane.number for lane in episode.lanes] for episode in timeline.episodes]
    assert "done" == timeline.episodes[0].refreshes[0].outcome
    assert 200 == timeline.episodes[0].lanes[0].outcome
    assert [] == timeline.episodes[1].refreshes


def test_nothing_grows_without_end():
    """The oldest episodes go, and one that has too many lanes is followed by the next."""
    events = [event for number in range(1, 1000) for event in renewed(number, 10.0 * number)]

    assert MOST_EPISODES == len(told(*events).episodes)
    crowd = [about(number, "sent", 0.0) for number in range(1, MOST_LANES + 2)]
    assert [MOST_LANES, 1] == [len(episode.lanes) for episode in told(*crowd).episodes]


def test_a_lane_is_told_in_a_sentence():
    """What one points at is told in the order in which it happened."""
    lane = told(*renewed(7)).episodes[0].lanes[0]

    assert (
        "#7 GET /api/items/7: refused after 100 ms, waited 200 ms, sent again (100 ms), "
        "answered 200 after 400 ms in all"
    ) == lane_story(lane, 1.0, words)


def test_a_late_refusal_is_not_told_as_waiting():
    """A request that could be sent again at once didn't wait."""
    events = [about(1, "sent", 0.0), about(1, "refused", 0.2), about(1, "queued", 0.2)]
    lane = told(*events, about(1, "replayed", 0.2)).episodes[0].lanes[0]

    assert "waited" not in lane_story(lane, 0.3, words)
    assert "under way" in lane_story(lane, 0.3, words)


def test_all_lanes_of_a_kind_are_one_path():
    """However many the lanes, there is one path a kind: drawing 200 costs as much as drawing one."""
    timeline = told(*(event for number in range(1, 201) for event in renewed(number, number / 1000)))
    shape = shape_of(timeline.episodes[0], 1.0, width=700, gutter=150)

    assert set(KINDS) == set(shape.paths)
    for kind in ("refused", "waiting", "replayed", "answered"):
        assert 200 == shape.paths[kind].count("M"), kind
    assert LOWEST == shape.lane_height
    assert AXIS + BAND + 200 * LOWEST < shape.height < 500


def test_an_adoption_and_a_failure_have_shapes_of_their_own():
    """What came from another tab, and a refresh that failed, are told from a refresh that brought tokens."""
    events = [Event("adopted", 0.1, 7), Event("refresh-started", 0.2, 7), Event("refresh-failed", 0.4, 7)]
    paths = shape_of(told(*events).episodes[0], 1.0, width=600, gutter=100).paths

    assert "" != paths["adopted"]
    assert "" != paths["refresh-failed"]
    assert "" == paths["refresh"]


def test_everything_is_drawn_within_the_picture():
    """No span begins left of the names' end, and none ends right of the picture."""
    timeline = told(*renewed(1), *renewed(2, 0.2), Event("refresh-started", 0.35), Event("refresh-done", 0.5))
    shape = shape_of(timeline.episodes[0], 9.0, width=600, gutter=100)

    for d in (path for kind, path in shape.paths.items() if kind != "grid"):
        for left, width in re.findall(r"M([\d.]+) [\d.]+h([\d.]+)v", d):
            assert 100 <= float(left)
            assert float(left) + float(width) <= 600


def test_a_height_tells_the_lane():
    """Pointing between the band and the end finds the lane, and elsewhere none."""
    episode = told(*renewed(1), *renewed(2)).episodes[0]
    step = lane_height(2)

    assert [None, 0, 1, None] == [
        lane_at(y, episode)
        for y in (
            AXIS + 2,
            AXIS + BAND + 1,
            AXIS + BAND + step + 1,
            AXIS + BAND + 2 * step + 1,
        )
    ]


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (0.05, ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms", "50 ms"]),
        (2.5, ["0.0 s", "0.5 s", "1.0 s", "1.5 s", "2.0 s", "2.5 s"]),
        (33.0, ["0 s", "10 s", "20 s", "30 s"]),
    ],
)
def test_the_axis_has_round_times(length, labels):
    """Times stand at 1, 2 or 5 of a power of ten, with room between them."""
    assert labels == [label for _, label in times(length, 500)]
