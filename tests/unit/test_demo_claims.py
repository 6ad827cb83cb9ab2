"""The verdicts of the demo's experiments: each claim is true of what it claims and false of others."""

from __future__ import annotations

import pytest

from demo.claims import CLAIMS, judge
from demo.observed import Observed, names_of
from silent_refresh import Event, RefreshUnavailable


def events(*names: str, request: int | None = 1, generation: int = 1) -> tuple[Event, ...]:
    """Make events of one request."""
    return tuple(Event(name, 0.0, generation, request) for name in names)


RENEWED = events("sent", "refused", "queued", "replayed", "answered")
TRUE = {
    "all-answered": Observed((200, 200)),
    "refresh-if-needed": Observed((200,), RENEWED, refreshes=1),
    "one-refresh": Observed(refreshes=1),
    "three-calls": Observed(refreshes=3),
    "sent-twice-at-most": Observed((200,), RENEWED),
    "own-errors": Observed(("RefreshUnavailable", "RefreshUnavailable")),
    "tokens-kept": Observed(kept=True),
    "works-later": Observed(later=200),
    "refused-now": Observed((401,)),
    "good-for-now": Observed((200,)),
    "other-answered": Observed(elsewhere=200),
    "one-adopted": Observed(adoptions=1),
    "no-reuse": Observed(reuse=0),
}
FALSE = [
    ("all-answered", Observed()),
    ("all-answered", Observed((200, 401))),
    ("all-answered", Observed((200, "NetworkError"))),
    ("refresh-if-needed", Observed((200,), RENEWED, refreshes=2)),
    ("refresh-if-needed", Observed((200,), RENEWED, refreshes=0)),
    ("refresh-if-needed", Observed((200,), events("sent", "answered"), refreshes=1)),
    ("one-refresh", Observed(refreshes=2)),
    ("three-calls", Observed(refreshes=1)),
    ("sent-twice-at-most", Observed()),
    ("sent-twice-at-most", Observed((200,), events("sent", "replayed", "replayed"))),
    ("own-errors", Observed()),
    ("own-errors", Observed(("RefreshUnavailable", 200))),
    ("own-errors", Observed(("RefreshUnavailable", "RefreshRejected"))),
    ("tokens-kept", Observed(kept=False)),
    ("works-later", Observed(later="RefreshUnavailable")),
    ("works-later", Observed()),
    ("refused-now", Observed((200,))),
    ("good-for-now", Observed((401,))),
    ("good-for-now", Observed()),
    ("other-answered", Observed(elsewhere=401)),
    ("one-adopted", Observed(adoptions=0)),
    ("one-adopted", Observed(adoptions=2)),
    ("no-reuse", Observed(reuse=1)),
]


def test_each_claim_can_be_true_and_can_be_false():
    """No verdict is a foregone conclusion: for each claim there is an observation either way."""
    assert set(CLAIMS) == set(TRUE) == {claim for claim, _ in FALSE}


@pytest.mark.parametrize("claim", TRUE)
def test_what_came_true_is_told(claim):
    """A claim is true of what it says."""
    assert {claim: True} == judge((claim,), TRUE[claim])


@pytest.mark.parametrize(("claim", "observed"), FALSE)
def test_what_did_not_come_true_is_told(claim, observed):
    """A claim is false of anything else."""
    assert {claim: False} == judge((claim,), observed)


def test_ends_are_statuses_and_the_names_of_errors():
    """A gather's outcomes become what can be counted and shown."""

    class Answer:
        status = 503

    assert (503, "RefreshUnavailable") == names_of([Answer(), RefreshUnavailable("later")])


def test_sends_are_counted_by_request():
    """Two requests that were sent twice each were not sent four times."""
    observed = Observed((200, 200), RENEWED + events("sent", "replayed", request=2))

    assert 2 == observed.most_sends
