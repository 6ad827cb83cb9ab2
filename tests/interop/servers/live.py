"""A server that has something to say by itself: over a WebSocket, and as server-sent events.

| POST /login      | ``{"accessToken": str, "refreshToken": str}``, for the asking                      |
| POST /refresh    | the same for a good ``{"refreshToken": str}``, which is good once                  |
| WebSocket /live  | the first message is ``{"access_token": str}``; then a number, and the next …      |
| GET /events      | a stream of numbers, with the access token in the header; ``Last-Event-ID`` counts |

Both end when the access token does: the socket with the code 4401, the stream as any other.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.interop.servers.bearer import sign, user_in, user_of
from tests.interop.servers.lab import USERNAME
from tests.interop.servers.serving import serve

REFUSED = 4401  # of the range 4000–4999 that is an application's own (RFC 6455 §7.4.2)
PAUSE = 0.02  # s between two numbers


class Tokens:
    """``/login`` and ``/refresh``."""

    def __init__(self) -> None:
        self._good: set[str] = set()

    async def login(self, request: Request) -> Response:
        """Sign the demo user in."""
        return self._granted()

    async def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for new tokens."""
        presented = (await request.json()).get("refreshToken")
        if presented not in self._good:
            return JSONResponse({"error": "invalid_grant"}, 401)
        self._good.remove(presented)
        return self._granted()

    def _granted(self) -> Response:
        refresh_token = secrets.token_urlsafe()
        self._good.add(refresh_token)
        return JSONResponse({"accessToken": sign(USERNAME), "refreshToken": refresh_token})


async def live(socket: WebSocket) -> None:
    """Say numbers from 1 on while the token is good."""
    await socket.accept()
    try:
        access_token = (await socket.receive_json()).get("access_token", "")
        number = 0
        while user_in(access_token) is not None:
            number += 1
            await socket.send_json({"number": number})
            await asyncio.sleep(PAUSE)
        await socket.close(REFUSED, "the access token is not good any more")
    except WebSocketDisconnect:
        return


async def events(request: Request) -> Response:
    """Say numbers while the token is good, from where the client was cut off."""
    if user_of(request) is None:
        return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
    first = int(request.headers.get("Last-Event-ID", "0")) + 1

    async def numbers() -> AsyncIterator[str]:
        number = first
        yield ": a comment, which says nothing\n\n"
        while user_of(request) is not None:
            yield f"event: number\r\nid: {number}\r\ndata: the number\r\ndata: {number} é\r\n\r\n"
            number += 1
            await asyncio.sleep(PAUSE)

    return StreamingResponse(numbers(), media_type="text/event-stream")


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the server."""
    tokens = Tokens()
    return Starlette(
        routes=[
            Route("/login", tokens.login, methods=["POST"]),
            Route("/refresh", tokens.refresh, methods=["POST"]),
            Route("/events", events),
            WebSocketRoute("/live", live),
        ]
    )


if __name__ == "__main__":
    serve(make, refresh_path="/refresh")
