"""``/lab``: switches that let tests and the demo bring about what otherwise takes days or bad luck.

Nothing here asks who you are, so these routes exist only when the server was started with ``--lab``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.server.access_tokens import AccessTokens
from app.server.bearer import invalid_token
from app.server.counters import Counters
from app.server.faults import Faults
from app.server.messages import answer, read_object
from app.server.refresh_tokens import RefreshTokens
from app.server.token_endpoints import Rotate


class Lab:
    """The switches. `drop` breaks the connection of a request; `sleep` waits that many seconds."""

    def __init__(
        self,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        counters: Counters,
        *,
        sleep: Callable[[float], Awaitable[None]],
        drop: Callable[[Scope], None],
    ) -> None:
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._counters = counters
        self._faults = Faults()
        self._sleep = sleep
        self._drop = drop

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route("/lab/expire", self.expire, methods=["POST"]),
            Route("/lab/revoke", self.revoke, methods=["POST"]),
            Route("/lab/refresh", self.order_fault, methods=["POST"]),
            Route("/lab/reset", self.reset, methods=["POST"]),
            Route("/lab/counters", self.show_counters, methods=["GET"]),
            Route("/lab/unauthorized", self.unauthorized, methods=["GET"]),
        ]

    async def expire(self, request: Request) -> Response:
        """Let all access tokens issued so far count as expired."""
        self._access_tokens.expire_all()
        return _done()

    async def revoke(self, request: Request) -> Response:
        """Make all refresh tokens unknown; access tokens live on until they expire."""
        self._refresh_tokens.forget_all()
        return _done()

    async def order_fault(self, request: Request) -> Response:
        """Take a fault for the next refreshes; it queues behind those ordered before.

        ``{"delay": s, "status": n, "body": str, "headers": {}, "drop": bool, "after": bool, "times": n}``,
        where every field may be missing; `Fault` says what they do.
        """
        self._faults.order(await read_object(request))
        return _done()

    async def reset(self, request: Request) -> Response:
        """Set the counters to zero and forget the faults that are still to come."""
        self._counters.reset()
        self._faults.clear()
        return _done()

    async def show_counters(self, request: Request) -> Response:
        """Answer ``{"refresh": n, "reuse": n, "api": n, "unauthorized": n}``, as `Counters` explains them."""
        return answer(asdict(self._counters))

    async def unauthorized(self, request: Request) -> Response:
        """Refuse with 401, however good the token."""
        raise invalid_token("This resource refuses every access token")

    async def around_refresh(self, rotate: Rotate) -> Response:
        """Run a rotation under the next fault."""
        fault = self._faults.take()
        if fault is None:
            return rotate()
        rotated = rotate() if fault.after else None
        if fault.delay:
            await self._sleep(fault.delay)
        if fault.drop:
            return DroppedConnection(self._drop)
        if fault.status is not None:
            headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
            headers |= {name.title(): value for name, value in fault.headers.items()}
            body = "" if fault.status in (204, 205, 304) else fault.body
            return Response(body, fault.status, headers)
        return rotated or rotate()


class DroppedConnection(Response):
    """Not an answer, but the end of the connection."""

    def __init__(self, drop: Callable[[Scope], None]) -> None:
        super().__init__()
        self._drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._drop(scope)
        # The server has to notice that the connection is gone, or it would send an error instead.
        while (await receive())["type"] != "http.disconnect":
            pass


def no_connection(scope: Scope) -> None:
    """Stand in for `drop` where the app runs without a server under it."""
    raise ConnectionResetError("the lab dropped the connection")


def _done() -> Response:
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
