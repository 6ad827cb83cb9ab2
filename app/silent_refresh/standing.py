"""What a way in outside of Python is told: a request whose token is good then costs no trip into Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Standing(NamedTuple):
    """What a way in outside of Python may do by itself, ``adapters/window_fetch.py`` say.

    ``access_token`` can be sent for ``valid_for`` seconds (``None``: until it is refused) to ``origins``,
    except to the endpoints in ``exempt`` (URLs without query); when it's ``None``, every request is Python's.
    ``session`` is the id of the session that there is.
    """

    access_token: str | None
    valid_for: float | None
    origins: frozenset[str]
    exempt: frozenset[str]
    session: str | None

    def __repr__(self) -> str:
        return f"<Standing {'good' if self.access_token else 'none'}>"


class Watched:
    """The part of ``SilentRefresh`` that tells a way in when its standing changed."""

    _watchers: list[Callable[[], None]]

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever ``standing()`` has another answer, time aside; return what stops it."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()
