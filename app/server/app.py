"""The app: which path leads where. Everything is put together here and handed down.

app = create_app(Settings(data=Path(".data")))      # an ASGI app; app.close() when done
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.access_tokens import AccessTokens
from app.server.api import Api
from app.server.around import at_once
from app.server.counters import Counters, CountRequests, RequestIds
from app.server.cross_origin import CrossOrigin
from app.server.data_folder import prepare_data_folder, signing_key
from app.server.database import Database, DatabaseBusy
from app.server.dpop import Proofs
from app.server.headers import SecurityHeaders
from app.server.lab import Lab, no_connection
from app.server.messages import Refused, refusal
from app.server.nonces import Nonces, OfferNonces
from app.server.passwords import Passwords
from app.server.refresh_tokens import RefreshTokens
from app.server.request_head import CheckedHead
from app.server.server_time import ServerTime
from app.server.settings import Settings
from app.server.static_files import StaticFiles
from app.server.throttle import LoginThrottle
from app.server.token_endpoints import TokenEndpoints


class App:
    """The finished ASGI app and the database it holds open."""

    def __init__(self, asgi: ASGIApp, database: Database) -> None:
        self._asgi = asgi
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._asgi(scope, receive, send)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def create_app(settings: Settings, *, drop: Callable[[Scope], None] = no_connection) -> App:
    """Build the app; `drop` breaks the connection of a request, for the lab. Raises SetupError."""
    prepare_data_folder(settings.data)
    key = signing_key(settings.data)
    clock = ServerTime(settings.clock, settings.steady_clock)
    database = Database(settings.data / "auth.sqlite3", clock, sleep=settings.sleep)
    access_tokens = AccessTokens(database, key, clock, ttl=settings.access_ttl)
    refresh_tokens = RefreshTokens(database, clock, ttl=settings.refresh_ttl, grace=settings.grace)
    nonces = Nonces(clock, required=settings.dpop_nonce)
    proofs = Proofs(clock, nonces)
    throttle = LoginThrottle(settings.steady_clock)
    counters, request_ids = Counters(), RequestIds()
    lab = Lab(
        database,
        access_tokens,
        refresh_tokens,
        nonces,
        throttle,
        counters,
        request_ids,
        sleep=settings.sleep,
        drop=drop,
    )
    tokens = TokenEndpoints(
        database,
        Passwords(database, settings.password_hasher),
        throttle,
        access_tokens,
        refresh_tokens,
        proofs,
        counters,
        around_refresh=lab.around_refresh if settings.lab else at_once,
    )
    around_api = lab.around_api if settings.lab else at_once
    api = Api(database, access_tokens, refresh_tokens, proofs, clock, around=around_api)
    static_files = StaticFiles(settings.root, lab=settings.lab)

    async def login(request: Request) -> Response:
        # One path, two things: the page shows the form here, and posts it here.
        return await tokens.login(request) if request.method == "POST" else static_files.respond(request)

    database.never_wait()
    starlette = Starlette(
        routes=[
            Route("/login", login, methods=["GET", "POST"]),
            Route("/refresh", tokens.refresh, methods=["POST"]),
            Route("/logout", tokens.logout, methods=["POST"]),
            *api.routes(),
            *(lab.routes() if settings.lab else []),
        ],
        exception_handlers={
            Refused: _refuse,
            DatabaseBusy: _ask_to_come_back,
            HTTPException: _refuse_method,
            ClientDisconnect: _say_nothing,
            Exception: _fail,
        },
    )
    starlette.router.default = static_files
    # It would build the address from the Host header, which the client chooses.
    starlette.router.redirect_slashes = False
    asgi: ASGIApp = OfferNonces(starlette, nonces)
    if settings.lab:
        asgi = CountRequests(asgi, counters, request_ids)
    if settings.allow_origins:
        # Around the lab: a preflight is no request to count, and an answer made up by a fault can be read.
        asgi = CrossOrigin(asgi, settings.allow_origins)
    checked = CheckedHead(asgi, settings.allow_hosts)
    return App(SecurityHeaders(checked, lab=settings.lab), database)


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(error)


def _ask_to_come_back(request: Request, error: Exception) -> Response:
    busy = "Another program holds the database: try again"
    return refusal(Refused(503, "temporarily_unavailable", busy, {"Retry-After": "1"}))


def _refuse_method(request: Request, error: Exception) -> Response:
    # The router raises this for one reason only: the path exists and the method doesn't fit.
    assert isinstance(error, HTTPException)
    return refusal(
        Refused(error.status_code, "invalid_request", "The method is not allowed here", error.headers)
    )


def _say_nothing(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # the client hung up in mid-request and won't read it


def _fail(request: Request, error: Exception) -> Response:
    return refusal(Refused(500, "server_error", "Something went wrong in the server; its log says what"))
