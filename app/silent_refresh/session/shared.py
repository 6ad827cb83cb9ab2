"""The session that counts in this page, and those who are told when it changes.

A session ends in ``_change``, whatever ends it, and whoever shares it is told there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from .tokens import Session

if TYPE_CHECKING:
    from ..platform.ports import Coordinator


class Observer(Protocol):
    """What a manager tells those who share its session, at once; a lock may be held."""

    def changed(self) -> None:
        """``session``, or whether it is known for certain, may have changed."""

    def appeared(self, before: Session | None, after: Session) -> None:
        """Somebody else has renewed the session, or begun one."""

    def ended(self, session: Session, reason: str) -> None:
        """A session ended.

        ``reason`` is ``"sign_out"``, ``"rejected"``, ``"no_refresh_token"``, ``"replaced"`` (by another one)
        or ``"elsewhere"`` (in another tab, or because the store was cleared).
        """

    def signed_out(self, session: Session, reason: str) -> None:
        """The end of that session is settled."""

    def renewing_changed(self) -> None:
        """``renewing`` did, by whomever."""


class Sessions(Protocol):
    """What renewals and requests ask: a ``SessionManager``, or what stands before one."""

    at_once: bool

    @property
    def session(self) -> Session | None: ...
    @property
    def is_known(self) -> bool: ...
    async def restored(self) -> None: ...
    def lock(self, *, wait: float) -> AbstractAsyncContextManager[Callable[[], bool]]: ...
    def look(self) -> None: ...
    def is_over(self, session: Session) -> bool: ...
    def is_behind(self, session: Session) -> bool: ...
    async def catch_up(self) -> Session | None: ...
    async def commit(self, session: Session, by: Observer) -> Session | None: ...
    async def reject(self, session: Session) -> bool: ...


class SharedSession:
    """One session, for all that a page makes on its store: a sign-out through one is everybody's."""

    def __init__(self, session: Session | None, coordinator: Coordinator) -> None:
        self.session = session
        self.is_known = not coordinator.has_journal  # for certain: the journal was asked
        self._coordinator = coordinator
        self._observers: list[Observer] = []
        self._ends_told: set[str] = set()  # sessions at whose end somebody went to the login
        self._renewals: list[Observer] = []  # those that renew it now
        self._others_renew = False
        self._shows_renewal = self._told_renewing = False
        # Whether the store took the newest record; else it's memory that counts.
        self._in_store = True

    def join(self, observer: Observer) -> None:
        """Tell this one of each change from now on."""
        self._observers.append(observer)

    def leave(self, observer: Observer) -> None:
        """Tell this one no more."""
        if observer in self._observers:
            self._observers.remove(observer)

    @property
    def renewing(self) -> bool:
        """Whether anybody renews the session, in this tab or another."""
        return bool(self._renewals) or self._others_renew

    def note_renewal(self, by: Observer, under_way: bool) -> None:
        """Let everybody know, in all tabs, whether ``by`` renews the session."""
        if under_way and by not in self._renewals:
            self._renewals.append(by)
        elif not under_way and by in self._renewals:
            self._renewals.remove(by)
        shows = bool(self._renewals)
        if shows != self._shows_renewal:
            self._coordinator.show_renewal(shows)
            self._shows_renewal = shows  # last: what an interrupt struck is done once more
        self._tell_renewing()

    def _note_others(self, renew: bool) -> None:
        self._others_renew = renew
        self._tell_renewing()

    def _tell_renewing(self) -> None:
        if self.renewing != self._told_renewing:
            self._told_renewing = self.renewing
            for observer in list(self._observers):
                observer.renewing_changed()

    def tell_signed_out(self, session: Session, reason: str) -> None:
        """Tell all that the end of a session, which they heard of, is settled: the page may be left now.

        Where somebody has signed in meanwhile, it stays.
        """
        if self.session is not None:
            return
        for observer in list(self._observers):
            observer.signed_out(session, reason)

    def claim_login(self, session: Session) -> bool:
        """Tell whether it is the caller's to go to the login at the end of this session: the first one's."""
        if session.id in self._ends_told:
            return False
        self._ends_told.add(session.id)
        return True

    def is_over(self, session: Session) -> bool:
        """Tell whether the session ended, or another took its place, as far as this page knows."""
        return self.session is None or self.session.id != session.id

    def _change(self, session: Session | None, reason: str = "replaced") -> None:
        """Let this one count from now on; what it replaces has ended, unless it is the same one renewed."""
        before, self.session = self.session, session
        if session is not None and self._in_store and (before is None or session.id != before.id):
            self._coordinator.note_stored(session.id)
        self._tell_changed()
        if before is not None and (session is None or session.id != before.id):
            for observer in list(self._observers):
                observer.ended(before, reason)

    def _know(self) -> None:
        self.is_known = True
        self._tell_changed()

    def _tell_changed(self) -> None:
        for observer in list(self._observers):
            observer.changed()

    def _appear(self, before: Session | None, after: Session, by: Observer | None = None) -> None:
        for observer in list(self._observers):
            if observer is not by:
                observer.appeared(before, after)
