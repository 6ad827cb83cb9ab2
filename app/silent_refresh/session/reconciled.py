"""What counts where this page, the store and the journal differ.

| the journal says | the store has                     | what counts                                   |
| ---------------- | --------------------------------- | --------------------------------------------- |
| nothing          | a session                         | the store; the journal begins anew            |
| a newer change   | an older session                  | the journal: a sign-in, a renewal, the end    |
| an older change  | a session that is newer           | the store: the browser died before the commit |
| a session        | nothing, though it had the record | nobody: who clears the store signs out        |

A lock holder reads the journal first (``catch_up``), a page at its start (``restored``), and what is newer
there is adopted from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING

from ..errors import RefreshUnavailable
from ..platform.values import JournalEntry, Mark
from .durable import DurableSession
from .tokens import Session

if TYPE_CHECKING:
    from ..platform.ports import Clock, Coordinator, SessionStore

log = logging.getLogger("silent_refresh")

VISIBLE_WITHIN = 1.0  # s until a write of another tab is seen in the store; 0.017 under load
LOOK_AGAIN = 0.004  # s
RESTORED_WITHIN = 5.0  # s; the journal has been asked by then, or the event loop has lost the task
ON_THE_DISK = 120.0  # s after which a browser has written its storage down; seen: within 70


class ReconciledSession(DurableSession):
    """Takes over what other tabs, and this browser's last life, have left."""

    def __init__(self, store: SessionStore, coordinator: Coordinator, clock: Clock, owner: str) -> None:
        super().__init__(store, coordinator, clock, owner)
        self._dead: dict[str, float] = {}  # the generation up to which a session is dead
        # Sessions that this page began or ended, which the journal doesn't know yet.
        self._unsettled: set[str] = set()
        self._announced: Mark | None = None  # what another tab told of, until the journal was asked
        self._restoring: asyncio.Task[None] | None = None

    # The start

    async def restored(self) -> None:
        """Return when the journal was asked: from then on ``session`` is what survived.

        Where nobody seems to be signed in, it looks once more: somebody may be, elsewhere, and the event or
        the message about it may still be on its way.
        """
        if self.is_known and self.session is None:
            if self._keeps:
                self.look()
            elif not self.at_once:
                await self._ask_journal()
        while not self.is_known:
            restoring = self._begin_to_restore()
            ended, _ = await asyncio.wait({restoring}, timeout=RESTORED_WITHIN)
            if not ended:
                restoring.cancel()
                self._know()

    def _begin_to_restore(self) -> asyncio.Task[None]:
        if self._restoring is None or self._restoring.done():  # the page may cancel whatever runs
            self._restoring = asyncio.get_running_loop().create_task(self._restore())
        return self._restoring

    async def _restore(self) -> None:
        if not self.is_known:
            await self._ask_journal()
        self._know()

    async def _ask_journal(self) -> None:
        try:
            await self._read_and_take()
        except Exception:
            log.exception("silent-refresh: the journal could not be made use of; what the store has counts")

    async def _read_and_take(self) -> None:
        """Ask the journal, let it count, and write down where it and the store differ."""
        try:
            entry = await self._read_journal()
        except OSError:
            return  # nobody knows better than the store
        finally:
            self._announced = None
        if not self.is_known and self._was_lost(entry):
            self._adopt(entry)  # type: ignore[arg-type]
        await self._until_visible(entry)
        self._take(entry)
        if self._differs_from(entry):
            self._spawn(self._write_down())

    def _was_lost(self, entry: JournalEntry | None) -> bool:
        """Tell whether the store is empty because the browser died before it wrote the record down.

        Else somebody has cleared it, which is a sign-out. This tab's sessionStorage tells one from the other:
        it ends with the browser, so what saw the record stored was there when it was cleared.
        """
        if entry is None or entry.ended or entry.record is None or self._record.read() is not None:
            return False
        is_recent = abs(self._clock.time() - entry.at) < ON_THE_DISK
        return is_recent and not self._unsettled and not self._coordinator.was_stored(entry.session)

    # In the lock

    async def catch_up(self) -> Session | None:
        """Return the newest session that any tab committed, for whoever holds the lock."""
        entry = await self._read()
        await self._until_visible(entry)
        self._take(entry)
        return self.session

    async def has_entry(self) -> bool:
        """Tell whether the journal has a session, or may have one: for whoever holds the lock."""
        try:
            entry = await self._coordinator.read_journal()
        except OSError:
            return True
        return entry is not None and not entry.ended

    def is_behind(self, session: Session) -> bool:
        """Tell whether a later generation of it was committed, or told of by another tab just now.

        What is said of another session, whoever says it, can't hold this one back.
        """
        told = [mark for mark in (self._announced, self._committed) if mark and mark.session == session.id]
        return any(mark.generation > session.generation for mark in told)

    def _differs_from(self, entry: JournalEntry | None) -> bool:
        """Tell whether the journal lacks what counts now."""
        session = self.session
        if not self._coordinator.has_journal or self._unsettled:
            return False
        if not self._store.shared:  # each tab has an access token of its own
            return session is not None and entry is None
        if session is None:
            return entry is not None and not entry.ended and not entry.is_legacy
        return (
            entry is None
            or entry.is_legacy
            or (entry.session, entry.generation) != (session.id, session.generation)
        )

    async def _write_down(self) -> None:
        """Commit what counts now, if the journal still lacks it."""
        with contextlib.suppress(RefreshUnavailable, OSError):
            async with self.lock(wait=VISIBLE_WITHIN):
                entry = await self._read_journal()
                await self._until_visible(entry)
                self._take(entry)
                if not self._differs_from(entry):
                    return
                if self.session is not None:
                    await self._commit(self._numbered(self.session, entry))
                elif entry is not None:
                    await self._publish(JournalEntry(self._record.next(), entry.session, ended=True))

    # What the journal says

    def _take(self, entry: JournalEntry | None) -> None:
        """Let what the journal holds count where it is newer than what this page and the store have."""
        self.look()
        if entry is None:
            return
        self._record.highest = max(self._record.highest, entry.generation)
        session = self.session
        if entry.ended:
            self._dead[entry.session] = math.inf
            if session is not None and self._is_behind(session, entry):
                self._lose(session, for_good=True)
            elif session is None and not self._unsettled and self._record.read() is not None:
                self._record.remove()  # what a browser that died has left of it
        elif self._unsettled or (session is not None and not self._is_behind(session, entry)):
            return  # what the user does here counts, and is about to be written down
        elif entry.record is not None:
            if session is not None or not self._is_in_store(entry) or self._record.is_foreign:
                self._adopt(entry)
        elif session is not None and session.id != entry.session and not self._store.shared:
            self._lose(session)  # the cookie that renews its token is another session's now

    def _is_behind(self, session: Session, entry: JournalEntry) -> bool:
        """Tell whether the entry came after this session, or this generation of it."""
        if session.id == entry.session:
            return entry.ended or session.generation < entry.generation
        if session.id in self._unsettled:
            return False  # it is about to be numbered after all others
        if session.id == self._record.adopted:
            return False  # code that knows nothing of a journal has signed in since
        if entry.ended:
            return session.generation < entry.generation
        if self._coordinator.was_stored(entry.session):
            return False  # this tab saw the entry's record stored, so what is there now came after it
        return session.generation <= entry.generation

    def _adopt(self, entry: JournalEntry) -> None:
        """Take over a record out of the journal."""
        try:
            session = self._record.parse(entry.record or "")
        except ValueError:
            return  # then what there is has to do; the token server has the last word
        if session.generation <= self._dead.get(session.id, 0):
            return
        before = self.session
        self._in_store = not self._is_on_its_way(entry) and self._record.write(session)
        self._change(session, "elsewhere")
        self._appear(before, session)

    def _is_on_its_way(self, entry: JournalEntry) -> bool:
        """Tell whether an entry's record is in the store already, only not to be seen yet.

        Written once more it could take the place of a later one. An older entry is in a store that the
        browser lost; and beside another session of its own number it would never be seen.
        """
        if not self._is_in_store(entry) or abs(self._clock.time() - entry.at) >= VISIBLE_WITHIN:
            return False
        stored = self._record.read()
        return stored is None or stored.generation < entry.generation

    def _is_in_store(self, entry: JournalEntry) -> bool:
        """Tell whether the store had the entry's record, as far as it is one that keeps any."""
        return entry.in_store and self._keeps

    async def _until_visible(self, entry: JournalEntry | None) -> None:
        """Wait a moment for what must be in the store and can't be seen there yet."""
        now = asyncio.get_running_loop().time
        until = now() + VISIBLE_WITHIN  # by the clock: in a tab behind others a timer may take a second
        while self._may_be_late(entry) and now() < until:  # noqa: ASYNC110  no event may tell of it
            await asyncio.sleep(LOOK_AGAIN)

    def _may_be_late(self, entry: JournalEntry | None) -> bool:
        if entry is None or entry.ended or self._unsettled:
            return False
        if not self._store.shared or not self._is_in_store(entry):
            return False
        stored = self._record.read()
        if stored is None:
            # Cleared, or not to be seen yet; what this page has in its memory doesn't depend on it.
            return not self._record.is_foreign and (self.session is None or self._in_store)
        return entry.is_legacy and stored.id == entry.session and stored.generation < entry.generation

    # What the store says

    def look(self) -> None:
        """Read the record again and take over what another tab wrote."""
        before, stored = self.session, self._record.read()
        if before is not None and before.id in self._unsettled and stored is not None:
            return  # what the user did here counts, and is about to be numbered after all others
        if stored is not None and stored.generation <= self._dead.get(stored.id, 0):
            return  # shown late, or written behind the back of a sign-out
        if stored is None:
            if before is not None and self._in_store and not self._record.is_foreign:
                self._lose(before)
        elif (
            before is None
            or stored.generation > before.generation
            or (stored.generation == before.generation and stored.id != before.id)
        ):
            self._in_store = True
            self._change(stored, "elsewhere")
            self._appear(before, stored)
        elif stored.id == before.id and stored.generation == before.generation and not self._in_store:
            self._in_store = True  # now it is to be seen
            self._coordinator.note_stored(stored.id)
        # else it's what is known, or an old value that is shown late

    def _lose(self, session: Session, *, for_good: bool = False) -> None:
        """Note that another tab ended it; unless that was for good, a later record may bring it back."""
        if for_good:
            self._dead[session.id] = math.inf
            self._record.remove()
        was_cleared = not for_good and session.id not in self._dead and self._store.shared
        self._in_store = True
        self._change(None, "elsewhere")
        if was_cleared and self.is_known:
            self._spawn(self._write_down())
