"""Where the session lives: this page's memory first, then the record in the store, then the tabs' mark.

``Vault.session`` is what counts in this page. Sign-in and sign-out change it at once, synchronously;
a renewal changes it in ``commit``. Each change is then made durable in one order: the record into the
store, the mark (generation, session, ended) into the coordinator, a word to the other tabs. The mark is
there because browsers show a tab's localStorage writes to other processes late: a lock holder that finds
the mark newer than the record waits for the record (``catch_up``) and never renews with the stale token.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from .errors import RefreshUnavailable
from .ports import Coordinator, Mark, SessionStore
from .record import Record
from .session import Clock, Session, Tokens

VISIBLE_WITHIN = 1.0  # s; seen up to 0.017 under load
LOOK_AGAIN = 0.004  # s

Changed = Callable[["Session | None", "Session | None"], None]


class Vault:
    """Keeps the one session of one store.

    ``changed(before, after)`` is called when another tab, or whoever cleared the storage, changed it.
    """

    def __init__(self, store: SessionStore, coordinator: Coordinator, clock: Clock, changed: Changed) -> None:
        self._record = Record(store, clock)
        self._coordinator = coordinator
        self._clock = clock
        self._changed = changed
        self._unsaved = False  # the store refused the newest record: then it's memory that counts
        self._dead: dict[str, float] = {}  # the generation up to which a session is dead
        self.at_once = False  # whether nobody can wait now: then the tabs are told in a moment
        self._jobs: set[asyncio.Task[None]] = set()
        self.session: Session | None = self._record.read()
        self.on_change: Callable[[], None] = _nothing  # called after each change of `session`
        self._stops = [store.listen(self.look), coordinator.listen(self._heard)]

    # What this page does

    def begin(self, tokens: Tokens) -> Session:
        """Start a new session, in this page and in the store, at once."""
        session = Session.begin(tokens, generation=self._record.highest + 1, clock=self._clock)
        if self.session is not None:
            self._dead[self.session.id] = session.generation
        self._keep(session)
        return session

    async def begin_in_turn(self, tokens: Tokens) -> Session:
        """Start a new session and settle it, for whoever holds the lock."""
        session = self.begin(tokens)
        await self._settle(session)
        return session

    def end(self) -> Session | None:
        """End the session, in this page and in the store, at once; return what ended."""
        ended = self.session
        if ended is not None:
            self._dead[ended.id] = math.inf
        self.session, self._unsaved = None, False
        self.on_change()
        self._record.remove()
        return ended

    async def settle(self, changed: Session, *, wait: float) -> None:
        """Make a sign-in or sign-out of this page final among the tabs: numbered after all others.

        Waits at most ``wait`` seconds for a tab that holds the lock, and then goes on without it: what
        the user did counts, even when another tab hangs.
        """
        await self._do(self._settle_in_turn(changed, wait))

    async def _settle_in_turn(self, changed: Session, wait: float) -> None:
        self._coordinator.announce(Mark(changed.generation, changed.id, ended=self.is_over(changed)))
        try:
            async with self.turn(wait=wait):
                await self._settle(changed)
        except RefreshUnavailable:
            await self._settle(changed)

    async def _settle(self, changed: Session) -> None:
        mark = await self._coordinator.read_mark()
        number = max(self._record.highest, mark.generation if mark else 0)
        current = self.session
        if current is None:
            self._record.remove()  # once more: a tab that was renewing may have written behind our back
            await self._publish(Mark(number + 1, changed.id, ended=True))
        elif self._is_ended(current, mark):
            self._bury(current)  # signed out in another tab before this sign-in was final
        elif current.id == changed.id:
            behind = mark is not None and mark.generation >= current.generation
            self._keep(current.at_generation(number + 1, clock=self._clock) if behind else current)
            await self._publish(Mark(self.session.generation, changed.id, ended=False))  # type: ignore[union-attr]
        # else another sign-in came after this change, and that one settles itself

    # What a renewal does

    @asynccontextmanager
    async def turn(self, *, wait: float) -> AsyncIterator[Callable[[], bool]]:
        """Hold the lock among tabs; raises ``RefreshUnavailable`` after ``wait`` seconds without it."""
        lock = self._coordinator.lock()
        try:
            async with asyncio.timeout(wait):
                still_held = await lock.__aenter__()
        except TimeoutError as error:
            raise RefreshUnavailable(
                f"another tab has been renewing the token for {wait:g} s; try again"
            ) from error
        try:
            yield still_held
        finally:
            await lock.__aexit__(None, None, None)

    async def catch_up(self) -> Session | None:
        """Return the newest session that any tab committed, waiting until the store shows it.

        Raises ``RefreshUnavailable`` when the store never shows it: then another tab's tokens are newer,
        and to present the old ones could end the session for all.
        """
        mark = await self._coordinator.read_mark()
        if mark is not None and not self._is_caught_up(mark):
            self._coordinator.announce(mark)  # should the store have refused it, it's tried once more there
            for _ in range(round(VISIBLE_WITHIN / LOOK_AGAIN)):
                await asyncio.sleep(LOOK_AGAIN)
                if self._is_caught_up(mark):
                    break
        self.look()
        session = self.session
        if session is None or mark is None or session.id != mark.session:
            return session
        if self._is_ended(session, mark):
            self._bury(session)
            return None
        if session.generation < mark.generation:
            raise RefreshUnavailable("another tab renewed the token but could not store it; try again there")
        return session

    def _bury(self, session: Session) -> None:
        """Take note of the end of a session that another tab ended, for good."""
        self._dead[session.id] = math.inf
        self._record.remove()
        self._lose(session)

    @staticmethod
    def _is_ended(session: Session, mark: Mark | None) -> bool:
        return mark is not None and mark.ended and mark.session == session.id

    def _is_caught_up(self, mark: Mark) -> bool:
        if mark.ended or (self._unsaved and self._newest_is(mark, self.session)):
            return True
        return self._newest_is(mark, self._record.read())

    @staticmethod
    def _newest_is(mark: Mark, session: Session | None) -> bool:
        return session is not None and session.generation >= mark.generation

    async def commit(self, session: Session) -> bool:
        """Keep a renewed session; ``False``, and nothing kept, when its session ended meanwhile."""
        self.look()
        if self.is_over(session):
            return False
        self._keep(session)
        await self._publish(Mark(session.generation, session.id, ended=False))
        return not self.is_over(session)

    async def bury(self, session: Session) -> bool:
        """End a session whose refresh token the server refused; ``False`` when it had ended already."""
        if self.is_over(session):
            return False
        self.end()
        await self._publish(Mark(max(self._record.highest, session.generation) + 1, session.id, ended=True))
        return True

    # What other tabs do

    def look(self) -> None:
        """Read the record again and take over what another tab wrote."""
        before, stored = self.session, self._record.read()
        if stored is not None and stored.generation <= self._dead.get(stored.id, 0):
            return  # shown late, or written behind the back of a sign-out
        if stored is None:
            if before is not None and not self._unsaved:
                self._lose(before)
        elif (
            before is None
            or stored.generation > before.generation
            or (stored.generation == before.generation and stored.id != before.id)
        ):
            self.session, self._unsaved = stored, False
            self.on_change()
            self._changed(before, stored)
        # else it's what is known, or an old value that is shown late

    def _heard(self, mark: Mark) -> None:
        self._record.highest = max(self._record.highest, mark.generation)
        if mark.ended:
            self._dead[mark.session] = math.inf
        if mark.ended and self.session is not None and self.session.id == mark.session:
            self._lose(self.session)
        elif self._unsaved and self.session is not None:
            self._keep(self.session)
        else:
            self.look()

    def close(self) -> None:
        """Stop listening."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    # Memory

    def is_over(self, session: Session) -> bool:
        """Tell whether the session ended, or another took its place, as far as this page knows."""
        return self.session is None or self.session.id != session.id

    def _keep(self, session: Session) -> None:
        self.session = session
        self._unsaved = not self._record.write(session)
        self.on_change()

    def _lose(self, session: Session) -> None:
        """Note that it's gone; unless it's dead for good, a later record may bring it back."""
        self.session, self._unsaved = None, False
        self.on_change()
        self._changed(session, None)

    async def _publish(self, mark: Mark) -> None:
        self._record.highest = max(self._record.highest, mark.generation)
        await self._do(self._tell_tabs(mark))

    async def _do(self, job: Coroutine[Any, Any, None]) -> None:
        if not self.at_once:
            return await job
        task = asyncio.ensure_future(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _tell_tabs(self, mark: Mark) -> None:
        await self._coordinator.write_mark(mark)
        self._coordinator.announce(mark)


def _nothing() -> None:
    """Do nothing."""
