"""What a way in outside of Python is told: a request whose token is good then costs no trip into Python."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from .challenge import refuses_token
from .endpoint import RefreshEndpoint
from .events import Events
from .messages import Response
from .ports import Platform
from .refresh import OwnRefresh, refresh_by
from .renewal import Renewal
from .vault import Vault


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


class WaysIn:
    """The part of ``SilentRefresh`` for ways in that run outside of Python's tasks."""

    platform: Platform
    _endpoint: RefreshEndpoint | OwnRefresh
    _events: Events
    _exempt: set[str]
    _is_refused: Callable[[Response], bool]
    _origins: set[str]
    _renewal: Renewal
    _vault: Vault
    _watchers: list[Callable[[], None]]

    def standing(self) -> Standing:
        """Return what an adapter may do by itself, until ``watch`` says that it changed."""
        session = self._renewal.usable_session()
        # Somebody who listens wants to hear of every request, and a rule of the page's runs in Python.
        alone = session is not None and not self._events.listeners and self._is_refused is refuses_token
        return Standing(
            session.tokens.access_token if session is not None and alone else None,
            self._renewal.time_until_due(session) if session is not None else None,
            frozenset(self._origins),
            frozenset(self._exempt),
            self._vault.session.id if self._vault.session is not None else None,
        )

    async def is_over(self, session: str) -> bool:
        """Tell whether the session of this id is over; raises ``RefreshRejected`` if the server ended it."""
        current = self._vault.session
        if current is None:
            await self._renewal.raise_rejection(session)
        return current is None or current.id != session

    def at_once(self) -> AbstractContextManager[None]:
        """Wait for nothing while this lasts, and renew with a call that blocks the page."""
        assert self.platform.blocking is not None
        if not isinstance(self._endpoint, RefreshEndpoint):
            return self._renewal.at_once(None)
        blocking = self.platform._replace(transport=self.platform.blocking.send)
        return self._renewal.at_once(refresh_by(self._endpoint, blocking))

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever ``standing()`` has another answer, time aside; return what stops it."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()
