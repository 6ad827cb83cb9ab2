"""Access tokens that come in the answers of the API: each answer may bring the one for the next request.

    RefreshEndpoint("/auth/validate_token", method="GET", header="access-token", next_token="access-token")

It is a rule that looks at every answer, as ``is_refused`` is: so every way in shows it all that comes.

https://devise-token-auth.gitbook.io/devise-token-auth/conceptual
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from ..errors import RefreshUnavailable
from ..http.messages import Response
from ..session.manager import SessionManager
from ..session.shared import Observer
from ..session.tokens import Tokens
from .origins import Rule

if TYPE_CHECKING:
    from ..platform.ports import Clock


class AnsweredTokens:
    """The rule ``is_refused``, which keeps the token in the header ``field`` of what it doesn't refuse.

    A blank one is none, and an answer to a token that isn't the newest any more was overtaken.
    """

    def __init__(
        self,
        field: str,
        is_refused: Rule,
        manager: SessionManager,
        clock: Clock,
        *,
        wait: float,
        by: Observer,
    ) -> None:
        self._field = field
        self._is_refused = is_refused
        self._manager = manager
        self._clock = clock
        self._wait = wait
        self._by = by
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself forgets those that nobody holds

    async def __call__(self, response: Response) -> Any:
        verdict = self._is_refused(response)
        if inspect.isawaitable(verdict):
            verdict = await verdict
        token, sent = (response.headers.get(self._field) or "").strip(), response.request.credential
        if not verdict and sent is not None and token not in ("", sent.token):
            await self._take(token, sent.token)
        return verdict

    async def _take(self, token: str, sent: str) -> None:
        try:
            tokens = Tokens(token, token)
        except ValueError:
            return  # none that could be sent
        if self._manager.at_once:
            await self._keep(tokens, sent)
            return
        # Whoever waits for the answer may be cancelled; the old token is over all the same.
        task = asyncio.ensure_future(self._keep_in_lock(tokens, sent))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _keep_in_lock(self, tokens: Tokens, sent: str) -> None:
        try:
            async with self._manager.lock(wait=self._wait):
                await self._manager.catch_up()
                await self._keep(tokens, sent)
        except RefreshUnavailable:  # a tab hangs: without the lock then
            await self._keep(tokens, sent)

    async def _keep(self, tokens: Tokens, sent: str) -> None:
        session = self._manager.session
        if session is not None and session.tokens.access_token == sent:
            await self._manager.commit(session.renewed(tokens, clock=self._clock), self._by)
