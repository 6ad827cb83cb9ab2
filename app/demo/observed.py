"""What came of an experiment: counted from the library's events and at the server, never made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from silent_refresh import Event


class Observed(NamedTuple):
    """The facts.

    ``ends``: for each request its status or the name of its error. ``refreshes``, ``reuse``: refresh calls
    and reuses of an old refresh token that the server saw; ``kept``: whether the session is the one it was,
    and the page still here; ``later``: the status of a request sent when the trouble was over; ``elsewhere``:
    the same of the other tab, and ``adoptions`` how many of the two took over the other's tokens;
    ``seconds``: from the first request to the last end.
    """

    ends: tuple[int | str, ...] = ()
    events: tuple[Event, ...] = ()
    refreshes: int = 0
    reuse: int = 0
    kept: bool = True
    later: int | str | None = None
    elsewhere: int | str | None = None
    adoptions: int = 0
    seconds: float = 0.0

    def count(self, name: str) -> int:
        """Return how many events have this name."""
        return sum(event.name == name for event in self.events)

    @property
    def answered(self) -> int:
        """How many requests were answered well."""
        return sum(end == 200 for end in self.ends)

    @property
    def failed(self) -> int:
        """How many ended with an error."""
        return sum(isinstance(end, str) for end in self.ends)

    @property
    def most_sends(self) -> int:
        """How often the request was sent that was sent most often."""
        sends = Counter(event.request for event in self.events if event.name in ("sent", "replayed"))
        return max(sends.values(), default=0)

    @property
    def generation(self) -> int:
        """The newest generation of tokens that a request was sent with."""
        return max((event.generation for event in self.events), default=0)

    @property
    def needed_refresh(self) -> bool:
        """Whether a token was refused, or renewed before it was sent."""
        return self.count("refused") > 0 or self.count("queued") > 0


def names_of(outcomes: Sequence[object]) -> tuple[int | str, ...]:
    """Return, for what a gather brought, each response's status or each error's name."""
    return tuple(getattr(outcome, "status", None) or type(outcome).__name__ for outcome in outcomes)
