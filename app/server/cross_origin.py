"""CORS (https://fetch.spec.whatwg.org/#http-cors-protocol): which other origins may call, and what they see.

No origin is allowed unless the command line lists it. The page, its files and the lab are never shared. What
needs no preflight other pages can send all the same; `require_this_origin` refuses that too.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.messages import Refused

SHARED_PATHS = re.compile("/(api|login|refresh|logout)(/|$)")
ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# From ``Date`` a page learns that its clock is wrong, which a proof is refused for.
EXPOSED_HEADERS = ["DPoP-Nonce", "Date", "Retry-After", "WWW-Authenticate"]


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


def require_this_origin(request: Request) -> None:
    """Let pages of this origin pass, and what is no page. Raises Refused (403) for a page of another origin.

    Browsers write both headers, and let no page change them
    (https://fetch.spec.whatwg.org/#forbidden-request-header). ``none`` is somebody at the address line;
    another port of this machine is ``same-site``.
    """
    site = request.headers.get("Sec-Fetch-Site")
    here = f"{request.scope['scheme']}://{request.headers.get('Host')}"
    if site not in ("same-origin", "none") if site else request.headers.get("Origin", here) != here:
        raise Refused(403, "access_denied", "Only this server's own pages may ask for this")
