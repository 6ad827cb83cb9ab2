"""The keys of one manager's sessions: made before there is one, let go when it is over (RFC 9449).

    key = await keys.for_sign_in()     # the calls of this sign-in are proved with it
    session = manager.begin(tokens, by, key=keys.of_sign_in())

Loaded by pages whose tokens are bound to a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ..errors import AuthorizationError, RefreshUnavailable, SessionChanged
from ..session.manager import SessionManager

if TYPE_CHECKING:
    from ..platform.ports import Prover

log = logging.getLogger("silent_refresh")

SWEEP_WAIT = 5.0  # s for the lock; what isn't swept now is at the next start


class SessionKeys:
    """Which key a sign-in is proved with, and which this page has at hand."""

    def __init__(self, manager: SessionManager, prover: Prover) -> None:
        self._manager = manager
        self._prover = prover
        self._signing_in: str | None = None  # the key of the sign-in under way, or of the last
        self._held: str | None = None  # the session's
        self._used: str | None = None  # of _signing_in: that a session has it
        self._making: asyncio.Task[str] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        prover.look_in(manager.journal)
        self._spawn(self._sweep())
        self.changed()

    async def for_sign_in(self) -> str:
        """Return the key of the sign-in under way, for each of its calls; where none is, one begins."""
        if self._signing_in is not None and self._signing_in != self._used:
            return self._signing_in
        if self._making is None:
            self._making = asyncio.ensure_future(self._make())
        return await asyncio.shield(self._making)

    async def _make(self) -> str:
        try:
            self._signing_in = key = await self._prover.make_key()
            if self._manager.journal is not None:
                await self._prover.keep(key, self._manager.journal)
        except OSError as error:
            log.warning("silent-refresh: IndexedDB can't be used (%s): a reload ends this session", error)
        finally:
            self._making = None
        return key

    async def for_redirect(self) -> str:
        """Return a key that is there when the provider sends this tab back. Raises ``AuthorizationError``."""
        key = await self._prover.make_key()
        try:
            if self._manager.journal is None:
                raise OSError("the session's store is this page's memory")
            await self._prover.keep(key, self._manager.journal)
        except OSError as error:
            raise AuthorizationError(
                f"the key of this sign-in can't be kept for the way back ({error})", reason="storage"
            ) from error
        return key

    def of_sign_in(self) -> str:
        """Return the key that a sign-in's answer is bound to.

        Raises ``ValueError`` when none was sent, ``SessionChanged`` when it went with an earlier session.
        """
        if self._signing_in is None and self._used is not None:
            raise SessionChanged(
                "the key of this sign-in went with a session that ended meanwhile: send it once more, with "
                "auth=auth.proving"
            )
        if self._signing_in is None:
            raise ValueError(
                "these tokens are bound to no key of this page's: send the sign-in with auth=auth.proving"
            )
        return self._signing_in

    def changed(self) -> None:
        """Have the session's key at hand: what revokes its tokens comes after its end."""
        session = self._manager.session
        key = session.key if session is not None else None
        if key is None or key == self._held:
            return
        self._held = key
        if key == self._signing_in:
            self._used = key
        self._spawn(self._prover.hold(key))

    def let_go(self, key: str | None) -> None:
        """Forget the key of a session that is over, and of which nothing is left to do."""
        session = self._manager.session
        if (
            key is None
            or key == self._signing_in != self._used
            or (session is not None and session.key == key)
        ):
            return
        if key == self._held:
            self._held = None
        if key == self._signing_in:
            self._signing_in = None
        self._prover.let_go(key)

    async def _sweep(self) -> None:
        """Remove the keys that belong to nobody: of a session that a version without them has ended, say."""
        await self._manager.restored()
        if self._manager.journal is not None:
            with contextlib.suppress(RefreshUnavailable):
                async with self._manager.lock(wait=SWEEP_WAIT):
                    has_session = await self._manager.has_entry()
                    await self._prover.sweep(self._manager.journal, has_session=has_session)

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            task = asyncio.ensure_future(job)
        except RuntimeError:  # no loop runs yet
            job.close()
            return
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
