"""What every server here offers to the tests: its clock can be moved, and its refreshes are counted.

| POST /lab/expire                | moves the clock past the end of all access tokens    |
| POST /lab/expire-refresh-tokens | … of all refresh tokens                              |
| POST /lab/reset                 | sets the counters to zero                            |
| GET /lab/counters               | ``{"refresh": n, "unauthorized": n}``                |

``refresh`` counts the refresh calls, ``unauthorized`` the 401s that other calls got (or what is ``refused``).

The tokens then are really expired, and it's the server's own code that finds it out.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable

import time_machine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

USERNAME = "demo"
PASSWORD = "demo-password"
ACCESS_TTL = 300  # s
REFRESH_TTL = 3600  # s


class Lab:
    """Wraps a server whose tokens are renewed at ``refresh_path``, and moves this process's clock."""

    def __init__(self, app: ASGIApp, *, refresh_path: str, refused: int = 401) -> None:
        self._app = app
        self._refused = refused
        self._refresh_path = refresh_path
        self._counters: Counter[str] = Counter()
        self._clock = time_machine.travel(time.time(), tick=True).start()
        self._switches = Router(
            [
                Route("/lab/expire", self._moving(ACCESS_TTL + 1), methods=["POST"]),
                Route("/lab/expire-refresh-tokens", self._moving(REFRESH_TTL + 1), methods=["POST"]),
                Route("/lab/reset", self._reset, methods=["POST"]),
                Route("/lab/counters", self._show),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/lab/"):
            await self._switches(scope, receive, send)
            return
        # A WebSocket has no method.
        is_refresh = scope.get("method") == "POST" and scope["path"] == self._refresh_path
        self._counters["refresh"] += is_refresh

        async def count(message: Message) -> None:
            self._counters["unauthorized"] += message.get("status") == self._refused and not is_refresh
            await send(message)

        await self._app(scope, receive, count)

    def _moving(self, seconds: float) -> Callable[[Request], Awaitable[Response]]:
        async def move(request: Request) -> Response:
            self._clock.shift(seconds)
            return Response(status_code=204)

        return move

    async def _reset(self, request: Request) -> Response:
        self._counters.clear()
        return Response(status_code=204)

    async def _show(self, request: Request) -> Response:
        return JSONResponse({name: self._counters[name] for name in ("refresh", "unauthorized")})
