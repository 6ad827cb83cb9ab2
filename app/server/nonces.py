"""Nonces for DPoP proofs, so that none can be made ahead of its time (RFC 9449 §8, §9).

One row of them for the token endpoints and the resources: they are one server.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERIOD = 60  # seconds for which a nonce is the newest; it is good for as long again


class Nonces:
    """What a proof has to carry if `required`. `clock`, the server's time, never goes back."""

    def __init__(self, clock: Callable[[], float], *, required: bool) -> None:
        self._clock = clock
        self.required = required
        self.renew()

    def renew(self) -> None:
        """Let every nonce that was handed out so far be stale."""
        self._key = secrets.token_bytes(32)

    def newest(self) -> str:
        """Return the nonce of this period."""
        return self._of(self._period())

    def is_good(self, nonce: object) -> bool:
        """Tell whether a proof may carry `nonce`: the newest, or the one before."""
        period = self._period()
        return nonce in (self._of(period), self._of(period - 1))

    def _period(self) -> int:
        return int(self._clock() // PERIOD)

    def _of(self, period: int) -> str:
        return hmac.digest(self._key, str(period).encode(), "sha256").hex()


class OfferNonces:
    """Middleware that sends the newest nonce with every answer to a proof, while they are required."""

    def __init__(self, app: ASGIApp, nonces: Nonces) -> None:
        self._app = app
        self._nonces = nonces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "DPoP" not in Headers(scope=scope):
            await self._app(scope, receive, send)
            return

        async def send_with_nonce(message: Message) -> None:
            if message["type"] == "http.response.start" and self._nonces.required:
                MutableHeaders(scope=message)["DPoP-Nonce"] = self._nonces.newest()
            await send(message)

        await self._app(scope, receive, send_with_nonce)
