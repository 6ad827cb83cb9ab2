"""What a worker knows of its page, and a request on its way through the page's engine."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, NamedTuple

from ..interceptors import Send
from ..messages import Request, Response
from ..session import Tokens


class Known(NamedTuple):
    """What the page told last; the two ends are those of the token's life, on both clocks, in seconds."""

    session: str | None = None
    tokens: Tokens | None = None
    valid_until: float = -math.inf
    valid_until_date: float = -math.inf
    origins: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()

    def token(self) -> str | None:
        """Return the access token if the worker may send it without asking."""
        # Time stands still on the one clock while the computer sleeps, and the other may be set.
        is_good = time.monotonic() < self.valid_until and time.time() < self.valid_until_date
        return self.tokens.access_token if self.tokens is not None and is_good else None


class Errand:
    """One request that runs through the page's engine; ``response`` is its last answer."""

    def __init__(self, request: Request, send: Send, token: str | None, response: Response | None) -> None:
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        self.response = response
        self._request = request
        self._send = send
        self._token = token
        self._times = 0 if response is None else 1

    async def send(self, token: str) -> Response:
        """Send it with this token; what was sent with it already, or twice, keeps its answer."""
        if self.response is not None:
            if token == self._token or self._times > 1:
                return self.response
            self.response.discard()
        self.response, self._token = None, token
        self._times += 1
        self.response = await self._send(self._request.with_bearer(token) if token else self._request)
        return self.response
