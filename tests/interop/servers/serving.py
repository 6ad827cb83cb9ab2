"""The command line that all the servers share: ``--port 0`` for a free port, ``--allow-origin`` for CORS."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

import uvicorn
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.serving import address_of, bind
from tests.interop.servers.lab import Lab

KEEP_ALIVE = 60  # s; no connection is closed while a test is about to use it again


def in_lower_case(app: ASGIApp) -> ASGIApp:
    """Let an app's header names be as ASGI wants them: else its own CORS header would be a second one."""

    async def serve_one(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if "headers" in message:
                message["headers"] = [(name.lower(), value) for name, value in message["headers"]]
            await send(message)

        await app(scope, receive, send_on)

    return serve_one


Make = Callable[[str, tuple[str, ...]], ASGIApp]


def serve(make: Make, *, refresh_path: str, with_credentials: bool = False, refused: int = 401) -> None:
    """Serve what ``make(address, allowed_origins)`` returns until SIGTERM, with CORS and the lab around it.

    ``with_credentials`` lets pages of the allowed origins send cookies; ``refused`` is the status for a token
    that has ended.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--allow-origin", action="append", default=[])
    options = parser.parse_args()
    with bind("127.0.0.1", options.port) as listener:
        address = address_of(listener).rstrip("/")
        shared = CORSMiddleware(
            in_lower_case(make(address, tuple(options.allow_origin))),
            allow_origins=options.allow_origin,
            allow_methods=["*"],
            allow_headers=["*"],
            allow_credentials=with_credentials,
            expose_headers=["Retry-After", "WWW-Authenticate"],
        )
        config = uvicorn.Config(
            Lab(shared, refresh_path=refresh_path, refused=refused),
            lifespan="off",
            log_level="warning",
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        # Raised again by uvicorn after its shutdown; so that what is temporary gets removed.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
        print(f"ready: {address}", flush=True)  # connections wait in the listener's queue from here on
        uvicorn.Server(config).run(sockets=[listener])
