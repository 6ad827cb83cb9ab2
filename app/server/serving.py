"""Serving: binds the socket, says when it is ready, and stops quickly when told to."""

from __future__ import annotations

import errno
import signal
import socket

import uvicorn
from starlette.types import Scope

from app.server.app import App, create_app
from app.server.passwords import DEMO_PASSWORD, DEMO_USERNAME
from app.server.settings import Settings, SetupError

SHUTDOWN_TIMEOUT = 1  # seconds that requests in flight have to finish


class Server(uvicorn.Server):
    """Uvicorn that prints the address once it accepts connections."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        credentials = f"user {DEMO_USERNAME}, password {DEMO_PASSWORD}"
        print(f"silent-refresh demo: {self._address}  ({credentials})", flush=True)


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then raise SystemExit(0). Port 0 takes a free one. Raises SetupError."""
    if not (settings.root / "static" / "vendor").is_dir():
        raise SetupError("static/vendor is missing: run `make demo` once, it installs it")
    with bind(host, port) as listener:
        server, app = make_server(settings, listener)
        # Uvicorn raises the signal again after its shutdown; without this, Ctrl-C would end in a traceback.
        signal.signal(signal.SIGINT, _exit)
        signal.signal(signal.SIGTERM, _exit)
        try:
            server.run(sockets=[listener])
        finally:
            app.close()


def make_server(settings: Settings, listener: socket.socket) -> tuple[Server, App]:
    """Return the server of a bound socket, not yet running, and its app. Raises SetupError."""
    app = create_app(settings, drop=lambda scope: drop_connection(server, scope))
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,  # addresses may hold what callers put in a query
        log_level="warning",
        server_header=False,
        # No proxy stands in front, and a caller must not choose the address that sign-ins are counted by.
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
    server = Server(config, address_of(listener))
    return server, app


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises SetupError with what to do when the address can't be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise SetupError(f"{host} is not an address of this machine: try --host 127.0.0.1") from error
    try:
        # A port is free again right after the last server ended.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Bound is not yet taken: with SO_REUSEADDR another program may bind too, until one of them listens.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is in use: stop the other program or choose another with --port 0"
        elif error.errno == errno.EACCES:
            reason = f"port {port} is not allowed for this user: choose another with --port 0"
        else:
            reason = f"{host} is not an address of this machine: try --host 127.0.0.1"
        raise SetupError(reason) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL that a bound socket answers under."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def drop_connection(server: uvicorn.Server, scope: Scope) -> None:
    """Break the connection of a request, so that a browser reports a network error.

    An answer that no browser takes goes first. Browsers silently repeat a request, POST too, when a
    connection they had used before closes without a word; one lost answer would arrive here as two refreshes.
    It has to begin as HTTP: Firefox takes anything else for an answer of HTTP/0.9, with status 200. WebKitGTK
    wants a status that there is, the others one length.
    """
    for connection in list(server.server_state.connections):
        if getattr(connection, "client", None) == scope["client"] and connection.transport is not None:
            connection.transport.write(b"HTTP/1.1 099 None\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
            connection.transport.abort()


def _exit(number: int, frame: object) -> None:
    raise SystemExit(0)
