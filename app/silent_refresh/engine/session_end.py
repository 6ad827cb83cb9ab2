"""Ends a session by the page's own clock: so long after its sign-in, or so long after it was last used.

    SilentRefresh(max_age=12 * 3600, idle=900)  # s

A session that nobody uses is so over for whoever sits down at the computer next, though its server would let
it go on (ASVS 7.3.1, 7.3.2). When no page is open meanwhile, it ends when the next one starts, before a token
is sent. All tabs tell each other of its use, by a date beside the record, which is written now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..http.json import number_from
from ..session.manager import SessionManager
from ..session.tokens import Session

if TYPE_CHECKING:
    from ..platform.ports import Clock, SessionStore

LONGEST_PAUSE = 3600.0  # s; a browser's timers overflow, and stand still while the computer sleeps
NOTED_EVERY = 60.0  # s at most, and a tenth of ``idle``: how exact the end is


class SessionEnd:
    """Watches over one manager's session; ``end(session, reason)`` ends it. Both ages are in seconds."""

    def __init__(
        self,
        manager: SessionManager,
        store: SessionStore,
        owner: str,
        clock: Clock,
        *,
        max_age: float | None,
        idle: float | None,
        end: Callable[[Session, str], Awaitable[None]],
    ) -> None:
        self._manager = manager
        self._store = store
        self._clock = clock
        self._max_age = math.inf if max_age is None else max_age
        self._idle = math.inf if idle is None else idle
        self._end = end
        self._key = f"{store.key}:used:{owner}"
        self._noted = -math.inf  # when this page wrote the date last
        self._timer: asyncio.TimerHandle | None = None
        self._job: asyncio.Task[None] | None = None
        self.watch()

    async def check(self) -> None:
        """End the session if it is over; it has been used just now if not."""
        await self._manager.restored()
        session = self._manager.session
        if session is None:
            return
        reason = self._reason_to_end(session)
        if reason is None:
            self._note_use()
        else:
            await self._end(session, reason)

    def begin(self) -> None:
        """Count anew: somebody signed in."""
        self._noted = -math.inf
        self._note_use()

    def watch(self) -> None:
        """Look again when the session may be over, or at once if it is: something about it has changed."""
        self.close()
        with contextlib.suppress(RuntimeError):  # no loop runs yet: then at the first request
            loop = asyncio.get_running_loop()
            session = self._manager.session
            if session is not None:
                pause = max(0.0, min(self._left_of_age(session), self._left_of_use(session), LONGEST_PAUSE))
                self._timer = loop.call_later(pause, self._ring)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._job = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        await self._manager.restored()
        session = self._manager.session
        reason = self._reason_to_end(session) if session is not None else None
        if session is not None and reason is not None:
            await self._end(session, reason)
        else:
            self.watch()

    def _reason_to_end(self, session: Session) -> str | None:
        if self._left_of_age(session) <= 0:
            return "max_age"
        return "idle" if self._left_of_use(session) <= 0 else None

    def _left_of_age(self, session: Session) -> float:
        return self._max_age - session.age(self._clock)

    def _left_of_use(self, session: Session) -> float:
        if self._idle == math.inf:
            return math.inf
        now = self._clock.time()
        noted = number_from(self._store.get(self._key) or "")
        # What a clock that was ahead wrote is no use of the future.
        used = max(session.issued_at, noted if noted is not None and noted <= now else 0.0)
        return self._idle - max(0.0, now - used)

    def _note_use(self) -> None:
        now = self._clock.time()
        if self._idle < math.inf and not 0 <= now - self._noted < min(NOTED_EVERY, self._idle / 10):
            self._noted = now
            with contextlib.suppress(OSError):  # full: then the last renewal counts
                self._store.set(self._key, str(now))
