"""What a worker knows of its page, and a request on its way through the page's engine."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, NamedTuple

from ..http.credential import BEARER, AuthScheme, Credential
from ..http.messages import Request, Response, Send
from ..session.tokens import Tokens


class Known(NamedTuple):
    """What the page told last; the two ends are those of the token's life, on both clocks, in seconds."""

    session: str | None = None
    tokens: Tokens | None = None
    valid_until: float = -math.inf
    valid_until_date: float = -math.inf
    origins: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    scheme: AuthScheme = BEARER
    judged: bool = False  # whether a rule of the page's looks at every answer
    key: str | None = None  # the name of the one that the tokens are bound to
    renewing: bool = False

    def credential(self) -> Credential | None:
        """Return what signs a request, if the worker may send it without asking."""
        # Time stands still on the one clock while the computer sleeps, and the other may be set.
        is_good = time.monotonic() < self.valid_until and time.time() < self.valid_until_date
        return self.scheme.credential(self.tokens.access_token, self.key) if self.tokens and is_good else None


class RemoteRequest:
    """One request that runs through the page's engine; ``response`` is its last answer."""

    def __init__(self, request: Request, send: Send, response: Response | None) -> None:
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        self.response = response
        self._request = request
        self._send = send

    async def send(self, credential: Credential | None) -> Response:
        """Send it with this, as the page asks for."""
        if self.response is not None:
            self.response.discard()
            self.response = None
        signed = self._request.with_credential(credential) if credential is not None else self._request
        self.response = await self._send(signed)
        return self.response
