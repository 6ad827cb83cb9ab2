"""The server's time: seconds since the epoch that only go on.

Whoever sets the clock back an hour, a bad time server or somebody at the machine, would bring back what that
hour ended: expired tokens, and used refresh tokens whose grace is over. So the time follows the wall clock
forward only. While the wall clock is behind, a steady clock counts on, and the database keeps the latest time
for the next start (`Database.transaction`).
"""

from __future__ import annotations

from collections.abc import Callable


class ServerTime:
    """A clock, called for the time. `wall`: seconds since the epoch; `steady`: seconds, never set back."""

    def __init__(self, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall = wall
        self._steady = steady
        self._ahead = wall() - steady()  # of the steady clock

    def __call__(self) -> float:
        steady = self._steady()
        # A steady clock stands still while the machine sleeps, the wall clock doesn't.
        self._ahead = max(self._ahead, self._wall() - steady)
        return steady + self._ahead

    def go_on_from(self, latest: float) -> None:
        """Be no earlier than `latest`, which was this server's time before."""
        self._ahead = max(self._ahead, latest - self._steady())
