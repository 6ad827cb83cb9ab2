"""``/api``: the protected resources that the demo page and the tests ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.server.access_tokens import AccessTokens, Identity
from app.server.around import Around, at_once
from app.server.database import Database
from app.server.dpop import Proofs
from app.server.guard import Protected, require_token
from app.server.messages import (
    Refused,
    answer,
    invalid_request,
    read_body,
    read_object,
    seconds,
    text_field,
)
from app.server.refresh_tokens import RefreshTokens

ECHO_LIMIT = 1024 * 1024  # bytes
NOTE_LIMIT = 2000  # characters
NOTES_SHOWN = 100
ECHOED_METHODS = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")  # and HEAD, as any GET
SECRET_HEADERS = {"authorization", "cookie", "dpop", "proxy-authorization"}


class Api:
    """The resources; `clock` gives seconds since the epoch, `around` may delay an answer or replace it."""

    def __init__(
        self,
        database: Database,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        proofs: Proofs,
        clock: Callable[[], float],
        *,
        around: Around = at_once,
    ) -> None:
        self._database = database
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._proofs = proofs
        self._clock = clock
        self._around = around

    def routes(self) -> list[Route]:
        """List the routes, each behind the guard."""

        def route(path: str, endpoint: Protected, *methods: str) -> Route:
            guarded = require_token(self._access_tokens, self._proofs, endpoint)

            async def run(request: Request) -> Response:
                return await self._around(lambda: guarded(request))

            return Route(path, run, methods=list(methods))

        return [
            route("/api/profile", self.profile, "GET"),
            route("/api/notes", self.notes, "GET", "POST"),
            route("/api/items/{n}", self.item, "GET"),
            route("/api/echo", self.echo, *ECHOED_METHODS),
            route("/api/admin", self.admin, "GET"),
        ]

    async def profile(self, request: Request, identity: Identity) -> Response:
        """Answer ``{"username": str, "name": str, "email": str, "refreshExpiresIn": s}``.

        The last is what the session has left that the access token comes from, 0 if no refresh token is good.
        """
        ((name, email),) = self._database.rows(
            "SELECT name, email FROM users WHERE username = ?", identity.username
        )
        left = seconds(self._refresh_tokens.expires_in(identity.family))
        return answer({"username": identity.username, "name": name, "email": email, "refreshExpiresIn": left})

    async def notes(self, request: Request, identity: Identity) -> Response:
        """Answer the user's notes, newest first, or add one: ``{"text": str}`` of 1 to 2000 characters."""
        if request.method == "POST":
            return await self._add_note(request, identity)
        found = self._database.rows(
            "SELECT id, text, created_at FROM notes WHERE username = ? ORDER BY id DESC LIMIT ?",
            identity.username,
            NOTES_SHOWN,
        )
        return answer({"notes": [{"id": id, "text": text, "createdAt": at} for id, text, at in found]})

    async def _add_note(self, request: Request, identity: Identity) -> Response:
        text = text_field(await read_object(request), "text")
        if len(text) > NOTE_LIMIT:
            raise invalid_request(f"A note may have at most {NOTE_LIMIT} characters")
        now = self._clock()

        def insert() -> int | None:
            with self._database.transaction() as connection:
                return connection.execute(
                    "INSERT INTO notes (username, text, created_at) VALUES (?, ?, ?)",
                    (identity.username, text, now),
                ).lastrowid

        id = await self._database.patiently(insert)
        return answer({"id": id, "text": text, "createdAt": now}, 201)

    async def item(self, request: Request, identity: Identity) -> Response:
        """Answer ``{"item": n, "name": str}`` for any number: something to ask for in great number."""
        n = request.path_params["n"]
        # Starlette's own converter runs int() on thousands of digits, which raises.
        if not (n.isascii() and n.isdigit() and len(n) <= 15):
            raise Refused(404, "not_found", "There is no such item")
        return answer({"item": int(n), "name": f"Item {int(n)}"})

    async def echo(self, request: Request, identity: Identity) -> Response:
        """Answer what arrived: ``{"method", "query", "headers", "body", "bytes", "sha256"}``.

        ``query`` is the raw string after the question mark; ``bytes`` and ``sha256`` are the body's, which
        ``body`` shows as text. Headers that carry credentials are left out.
        """
        body = await read_body(request, ECHO_LIMIT)
        return answer(
            {
                "method": request.method,
                "query": request.scope["query_string"].decode("latin-1"),  # any byte may come
                "headers": {k: v for k, v in request.headers.items() if k not in SECRET_HEADERS},
                "body": body.decode(errors="replace"),
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )

    async def admin(self, request: Request, identity: Identity) -> Response:
        """Refuse with 403: nobody here has the scope, and no renewed token will have it either."""
        scheme = "Bearer" if identity.jkt is None else "DPoP"
        challenge = {"WWW-Authenticate": f'{scheme} error="insufficient_scope", scope="admin"'}
        raise Refused(403, "insufficient_scope", "This needs the scope admin", challenge)
