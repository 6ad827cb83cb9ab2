"""Counters: how many requests came in and what became of them, so that tests can count at the server."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_IDS = 10_000
MAX_ID_LENGTH = 200  # characters


@dataclass
class Counters:
    """Count since the start or the last reset.

    ``refresh``: POST /refresh received; ``reuse``: reuses found; ``api``: /api requests; ``unauthorized``:
    401s among their answers.
    """

    refresh: int = 0
    reuse: int = 0
    api: int = 0
    unauthorized: int = 0

    def __post_init__(self) -> None:
        """Begin the first period; each reset begins another."""
        self.period = 0

    def reset(self) -> None:
        """Set all of them to zero."""
        self.period += 1
        self.refresh = self.reuse = self.api = self.unauthorized = 0


@dataclass
class RequestIds:
    """Count the /api requests of each X-Request-ID; ids that are too long or too many are passed over."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, request_id: str) -> None:
        """Count one request."""
        known = request_id in self.counts
        if known or (0 < len(request_id) <= MAX_ID_LENGTH and len(self.counts) < MAX_IDS):
            self.counts[request_id] = self.counts.get(request_id, 0) + 1

    def reset(self) -> None:
        """Forget all ids."""
        self.counts.clear()


class CountRequests:
    """Middleware that counts requests as they arrive, whatever becomes of them."""

    def __init__(self, app: ASGIApp, counters: Counters, request_ids: RequestIds) -> None:
        self._app = app
        self._counters = counters
        self._request_ids = request_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/refresh" and scope.get("method") == "POST":
            self._counters.refresh += 1
        if not path.startswith("/api/"):
            await self._app(scope, receive, send)
            return

        period = self._counters.period

        async def count_and_send(message: Message) -> None:
            is_refusal = message["type"] == "http.response.start" and message["status"] == 401
            if is_refusal and self._counters.period == period:  # not the late answer to an earlier request
                self._counters.unauthorized += 1
            await send(message)

        self._counters.api += 1
        self._request_ids.add(Headers(scope=scope).get("X-Request-ID", ""))
        await self._app(scope, receive, count_and_send)
