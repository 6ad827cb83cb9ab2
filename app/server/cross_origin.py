"""CORS (https://fetch.spec.whatwg.org/#http-cors-protocol): which other origins may call, and what they see.

No origin is allowed unless the command line lists it. The page, its files and the lab are never shared.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

SHARED_PATHS = re.compile("/(api|login|refresh|logout)(/|$)")
ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
EXPOSED_HEADERS = ["Retry-After", "WWW-Authenticate"]


class CrossOrigin:
    """Middleware that answers preflights and marks answers for the listed `origins`."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        # Any header may come from a listed origin. No credentials: tokens travel in headers, not in cookies.
        self._shared = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._shared if SHARED_PATHS.match(scope.get("path", "")) else self._app
        await app(scope, receive, send)


def read_origin(text: str) -> str:
    """Return an origin as browsers write it (RFC 6454 §6.2). Raises ValueError for anything else."""
    # Scheme, host and port only: with a path or a user name it would never match, and nobody would see why.
    found = ORIGIN.fullmatch(text.lower())
    if found is None:
        raise ValueError("not an origin")
    scheme, host, port = found.groups(default="")
    return f"{scheme}://{host}" + ("" if port == DEFAULT_PORTS[scheme] else port)
