"""What happens to the session: a sign-in, a renewal, its end, here or in another tab.

``SessionManager.session`` is what counts in this page. Sign-in and sign-out change it at once, synchronously;
a renewal changes it in ``commit``. The manager stands on three layers, a file each: who shares the session
(``shared.py``), how it is written down (``durable.py``), and what counts where this page, the store and the
journal differ (``reconciled.py``).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ..errors import RefreshUnavailable
from ..platform.values import JournalEntry, Mark
from .reconciled import ReconciledSession
from .shared import Observer
from .tokens import Session, Tokens, are_of_two_users

if TYPE_CHECKING:
    from ..platform.ports import Clock, Coordinator, SessionStore


class SessionManager(ReconciledSession):
    """Keeps the one session of one store. Those who make a change name themselves as ``by``."""

    def __init__(self, store: SessionStore, coordinator: Coordinator, clock: Clock, owner: str) -> None:
        super().__init__(store, coordinator, clock, owner)
        self._stops = [
            store.listen(self.look),
            coordinator.listen(self._heard),
            coordinator.watch_renewals(self._note_others),
        ]
        with contextlib.suppress(RuntimeError):  # no loop runs yet: then when it is first needed
            self._begin_to_restore()

    def leave(self, observer: Observer) -> None:
        """Tell this one no more; when it was the last, stop listening."""
        super().leave(observer)
        if self._observers:
            return
        for stop in self._stops:
            stop()
        self._stops.clear()
        if self._restoring is not None:
            self._restoring.cancel()
        if _open.get((self._store, self._record.owner)) is self:
            del _open[self._store, self._record.owner]

    # What this page does

    def begin(
        self,
        tokens: Tokens,
        by: Observer,
        id: str | None = None,
        *,
        proven: bool = False,
        key: str | None = None,
    ) -> Session:
        """Start a new session, in this page and in the store, at once; options as for ``Session.begin``."""
        generation = self._record.next()
        session = Session.begin(
            tokens, generation=generation, clock=self._clock, id=id, proven=proven, key=key
        )
        before = self.session
        if before is not None:
            self._dead[before.id] = session.generation
        self._unsettled.add(session.id)
        try:
            self._in_store = self._record.write(session)
            self._change(session)
        except BaseException:  # out of a store of the page's
            self._unsettled.discard(session.id)
            raise
        self._appear(None, session, by)
        return session

    async def begin_in_lock(self, tokens: Tokens, by: Observer) -> Session:
        """Start a session out of the cookie and settle it, for whoever holds the lock.

        Where each tab has an access token of its own, it is the session that the cookie belongs to already.
        """
        entry = await self._read()
        is_theirs = entry is not None and not entry.ended and not self._store.shared
        id = entry.session if entry is not None and is_theirs else None
        session = self.begin(tokens, by, id, proven=True)
        try:
            await self._settle(session)
        finally:
            self._unsettled.discard(session.id)
        return session

    def end(self, reason: str) -> Session | None:
        """End the session, in this page and in the store, at once; return what ended."""
        ended = self.session
        if ended is not None:
            self._dead[ended.id] = math.inf
        self._in_store = True
        self._change(None, reason)
        self._record.remove()
        if ended is not None:
            self._unsettled.add(ended.id)
        return ended

    async def settle(self, changed: Session, *, wait: float) -> None:
        """Make a sign-in or sign-out of this page final: in the journal, and numbered after all others.

        Waits at most ``wait`` seconds for a tab that holds the lock, and then goes on without it: what
        the user did counts, even when another tab hangs.
        """
        await self._do(self._settle_in_lock(changed, wait))

    async def _settle_in_lock(self, changed: Session, wait: float) -> None:
        self._coordinator.announce(Mark(changed.generation, changed.id, ended=self.is_over(changed)))
        try:
            async with self.lock(wait=wait):
                await self._settle(changed)
        except RefreshUnavailable:
            await self._settle(changed)
        finally:
            self._unsettled.discard(changed.id)
        if not self._unsettled:
            self._spawn(self._read_and_take())  # what others did meanwhile had to wait

    async def _settle(self, changed: Session) -> None:
        entry, current = await self._read(), self.session
        if changed.id in self._dead:
            await self._settle_end(changed, entry)
        elif current is not None and entry is not None and entry.ended and entry.session == current.id:
            self._lose(current, for_good=True)  # signed out in another tab before this sign-in was final
        elif current is not None and current.id == changed.id:
            await self._commit(self._numbered(current, entry))

    async def _settle_end(self, ended: Session, entry: JournalEntry | None) -> None:
        """Commit that a session ended, unless the journal has what came after it."""
        is_anothers = entry is not None and not entry.ended and entry.session != ended.id
        is_anothers = is_anothers and not entry.is_legacy  # type: ignore[union-attr]
        if is_anothers and entry.generation >= ended.generation:  # type: ignore[union-attr]
            return  # somebody signed in elsewhere since
        if self.session is None:
            self._record.remove()  # once more: a tab that was renewing may have written behind our back
            number = self._record.next()
        else:  # signed in again, which is not in the journal yet and comes after this
            number = max(ended.generation, entry.generation if entry is not None else 0)
        await self._publish(JournalEntry(number, ended.id, ended=True))

    # What a renewal does

    async def commit(self, session: Session, by: Observer) -> Session | None:
        """Keep a renewed session; ``None``, and nothing kept, when its session ended meanwhile."""
        self.look()
        before = self.session
        if self.is_over(session):
            return None
        if not self._store.shared and before is not None and are_of_two_users(before.tokens, session.tokens):
            self._lose(before)  # the cookie is somebody else's by now: a server has signed them in
            return None
        if session.generation <= self._record.highest:
            session = session.at_generation(self._record.next(), clock=self._clock)
        await self._commit(session)
        if self.is_over(session):
            return None
        self._appear(before, session, by)
        return session

    async def reject(self, session: Session) -> bool:
        """End a session whose refresh token the server refused; ``False`` when it had ended already."""
        if self.is_over(session):
            return False
        self.end("rejected")
        try:
            await self._publish(JournalEntry(self._record.next(), session.id, ended=True))
        finally:
            self._unsettled.discard(session.id)
        return True

    # What other tabs do

    def _heard(self, mark: Mark) -> None:
        """Hear from another tab; who it really is nobody knows, so what counts is what was committed."""
        session = self.session
        if mark.ended:
            self._dead[mark.session] = math.inf
            if session is not None and session.id == mark.session:
                self._lose(session)
                if self.is_known:
                    self._spawn(self._read_and_take())  # what this page may have stored of it goes then
                return
        self.look()
        session = self.session
        if session is None or session.generation < mark.generation:
            self._announced = mark
            if self.is_known:
                self._spawn(self._read_and_take())


# One session for all that a page makes on one store: a sign-out through one is everybody's.
_open: WeakValueDictionary[tuple[SessionStore, str], SessionManager] = WeakValueDictionary()


def manager_of(
    store: SessionStore, owner: str, clock: Clock, coordinator: Callable[[], Coordinator]
) -> SessionManager:
    """Return the manager of this page's sessions in ``store`` that belong to ``owner``."""
    manager = _open.get((store, owner))
    if manager is None:
        manager = _open[store, owner] = SessionManager(store, coordinator(), clock, owner)
    else:
        manager.look()  # the page's own code may have written since
    return manager
