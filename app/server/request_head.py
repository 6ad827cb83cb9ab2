"""The head of a request, judged before anything else is done with it.

It must name this server. A foreign page may let its own name lead to 127.0.0.1 (DNS rebinding), and the
browser then takes the two for one origin; only the name in ``Host`` tells (RFC 9110 §7.2). And it must say in
one way where its body ends, or a proxy may see one request where this server sees two (RFC 9112 §6.1).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.messages import Refused, refusal

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]*)?")


class CheckedHead:
    """Middleware that lets a request pass if it is for this machine, or for one of `hosts`."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = {_written(host) for host in (*THIS_MACHINE, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refuse(scope)
        await (answer or self._app)(scope, receive, send)

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if "Content-Length" in headers and "Transfer-Encoding" in headers:
            ambiguous = "Send Content-Length or Transfer-Encoding, not both"
            # What follows on this connection may be a part of this request, or of another's.
            return refusal(Refused(400, "invalid_request", ambiguous, {"Connection": "close"}))
        found = HOST.fullmatch(headers.get("Host", "").lower())
        # The address at which the connection arrived is one of the server's own, whichever it listens at.
        here, _ = scope.get("server") or ("", None)
        if found is None or _written(found["name"]) not in {*self._hosts, _written(here)}:
            misdirected = "This server has another name; --allow-host NAME gives it one more"
            return refusal(Refused(421, "misdirected_request", misdirected))
        return None


def read_host(text: str) -> str:
    """Return a name or an address as ``Host`` has it, without a port. Raises ValueError for anything else."""
    found = HOST.fullmatch(text.lower())
    if found is None or found["name"] != text.lower():
        raise ValueError("not a host")
    return found["name"]


def _written(host: str) -> str:
    """Return a name or an address in one spelling."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower()
    # A socket for both IPv6 and IPv4 has this for the latter.
    return str(getattr(address, "ipv4_mapped", None) or address)
