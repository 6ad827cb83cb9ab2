"""The session made durable, in one order: the record into the store, the journal's entry, a word to the tabs.

The store alone would not do. Browsers show a tab's localStorage writes to other processes late, and bring
them to the disk later still; what a transaction of IndexedDB has committed, every tab sees, and it outlives
the browser. So the journal is the redo log of the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..errors import RefreshUnavailable
from ..platform.values import JournalEntry, Mark
from .memory import JournalStorage
from .record import Record
from .shared import SharedSession
from .time_limit import time_limit
from .tokens import Session

if TYPE_CHECKING:
    from ..platform.ports import Clock, Coordinator, SessionStore


class DurableSession(SharedSession):
    """Writes a session down: at once while somebody can wait for it, else in a moment."""

    def __init__(self, store: SessionStore, coordinator: Coordinator, clock: Clock, owner: str) -> None:
        self._store = store
        self._keeps = not isinstance(store, JournalStorage)  # else the journal alone does, over a restart
        self._clock = clock
        self._record = Record(store, clock, owner)
        super().__init__(self._record.read(), coordinator)
        self.at_once = False  # whether nobody can wait now: then the tabs are told in a moment
        self._committed: Mark | None = None  # what the journal held last
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def journal(self) -> str | None:
        """The name of what is written to, where it is a journal."""
        return self._coordinator.journal

    @asynccontextmanager
    async def lock(self, *, wait: float) -> AsyncIterator[Any]:
        """Hold the lock among tabs; raises ``RefreshUnavailable`` after ``wait`` seconds without it."""
        lock, task = self._coordinator.lock(), asyncio.current_task()

        def free(_: object) -> None:
            lock.release()

        if task is not None:  # an interrupt may strike what leads to the end of this, contextlib's own say
            task.add_done_callback(free)
        try:
            try:
                async with time_limit(wait):
                    await lock.acquire()
            except TimeoutError as error:
                raise RefreshUnavailable(
                    f"the lock among tabs could not be had within {wait:g} s: another may be renewing; "
                    "try again"
                ) from error
            yield lock.held
        finally:
            lock.release()
            if task is not None:
                task.remove_done_callback(free)  # a turn of the loop less

    async def _read_journal(self) -> JournalEntry | None:
        """Return the last commit. Raises ``OSError``.

        A mark without a record, which any application of this origin can have made, counts for its own
        session alone: what it says of another one ends none and begins none.
        """
        entry = await self._coordinator.read_journal()
        if entry is not None and entry.is_legacy and self.session is not None:
            entry = entry if entry.session == self.session.id else None
        self._committed = entry.mark if entry is not None else None
        return entry

    async def _read(self) -> JournalEntry | None:
        try:
            entry = await self._read_journal()
        except OSError:
            return None  # then the store is all there is
        if entry is not None:
            self._record.highest = max(self._record.highest, entry.generation)
        return entry

    async def _commit(self, session: Session) -> None:
        self._change(session)  # first: a store of the page's may end this, and the old refresh token is used
        self._in_store = self._record.write(session)
        record = self._record.text_of(session) if self._store.shared else None
        entry = JournalEntry(
            session.generation,
            session.id,
            ended=False,
            record=record,
            in_store=self._in_store and self._keeps,
            at=self._clock.time(),
            key=session.key,
        )
        await self._publish(entry)

    def _numbered(self, session: Session, entry: JournalEntry | None) -> Session:
        """Return the session, with a number after all that the journal has told of."""
        if entry is None or session.generation > entry.generation or self._record.begins_anew:
            return session
        return session.at_generation(self._record.next(), clock=self._clock)

    async def _publish(self, entry: JournalEntry) -> None:
        self._record.highest = max(self._record.highest, entry.generation)
        await self._do(self._tell_tabs(entry))

    async def _do(self, job: Coroutine[Any, Any, None]) -> None:
        if not self.at_once:
            return await job
        self._spawn(job)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _tell_tabs(self, entry: JournalEntry) -> None:
        with contextlib.suppress(OSError):  # told in the console, once; the store has it
            await self._coordinator.write_journal(entry)
        self._coordinator.announce(entry.mark)
