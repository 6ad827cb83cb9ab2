"""A fake of Supabase: the gateway's apikey, Auth's sign-in and refresh, one resource of its REST API.

What it answers is what supabase/auth's ``internal/tokens/service.go`` and ``apierrors`` do: the refresh token
before the newest is accepted and gets the newest once more, an older one ends its session.

https://supabase.com/docs/guides/auth/sessions
"""

from __future__ import annotations

import secrets
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.interop.servers.bearer import sign, user_of
from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

APIKEY = "an-anon-key"
REUSE_INTERVAL = 10  # s in which an older refresh token does no harm


class Session:
    """One sign-in; ``refresh_tokens`` has the newest last."""

    def __init__(self, email: str) -> None:
        self.email = email
        self.refresh_tokens: list[str] = []
        self.ended = False
        self.rotate()

    def rotate(self) -> None:
        """Add a new refresh token."""
        self.refresh_tokens.append(secrets.token_urlsafe(9))
        self.refreshed_at = time.time()


class Auth:
    """The endpoint ``/auth/v1/token`` and its sessions."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []

    async def token(self, request: Request) -> Response:
        """Grant by ``?grant_type=``: ``password`` or ``refresh_token``."""
        try:
            params = await request.json()
        except ValueError:
            return refusal(400, "bad_json", "Could not parse request body as JSON")
        grant_type = request.query_params.get("grant_type")
        if grant_type == "password":
            return self._sign_in(params)
        if grant_type == "refresh_token":
            return self._refresh(params.get("refresh_token") or "")
        return JSONResponse({"error": "unsupported_grant_type"}, 400)

    def _sign_in(self, params: dict[str, str]) -> Response:
        email = f"{USERNAME}@example.org"
        if params != {"email": email, "password": PASSWORD}:
            return refusal(400, "invalid_credentials", "Invalid login credentials")
        session = Session(email)
        self._sessions.append(session)
        return granted(session)

    def _refresh(self, refresh_token: str) -> Response:
        if not refresh_token:
            return JSONResponse(
                {"error": "invalid_request", "error_description": "refresh_token required"}, 400
            )
        session = next((one for one in self._sessions if refresh_token in one.refresh_tokens), None)
        if session is None or session.ended:
            told = "Invalid Refresh Token: Refresh Token Not Found"
            return refusal(400, "refresh_token_not_found", told)
        if session.refreshed_at + REFRESH_TTL < time.time():
            told = "Invalid Refresh Token: Session Expired (Inactivity)"
            return refusal(400, "session_expired", told)
        if refresh_token == session.refresh_tokens[-1]:
            session.rotate()
        elif refresh_token != session.refresh_tokens[-2] and self._is_too_late(session):
            session.ended = True
            return refusal(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
        return granted(session)

    @staticmethod
    def _is_too_late(session: Session) -> bool:
        return session.refreshed_at + REUSE_INTERVAL < time.time()


def granted(session: Session) -> Response:
    """Answer with the session's tokens."""
    return JSONResponse(
        {
            "access_token": sign(session.email),
            "token_type": "bearer",
            "expires_in": ACCESS_TTL,
            "expires_at": int(time.time()) + ACCESS_TTL,
            "refresh_token": session.refresh_tokens[-1],
            "user": {"email": session.email},
        }
    )


def refusal(status: int, error_code: str, msg: str) -> Response:
    """Answer as Auth does to clients that name no API version."""
    return JSONResponse({"code": status, "error_code": error_code, "msg": msg}, status)


async def me(request: Request) -> Response:
    """Tell who asks, or refuse as PostgREST does."""
    user = user_of(request)
    if user is None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="JWT expired"'}
        return JSONResponse({"code": "PGRST303", "message": "JWT expired"}, 401, challenge)
    return JSONResponse({"user": user})


class Gateway:
    """Lets nothing in without the project's apikey."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        apikey = Request(scope).headers.get("apikey")
        app: ASGIApp = self._app
        if apikey is None:
            hint = "No `apikey` request header or url param was found."
            app = JSONResponse({"message": "No API key found in request", "hint": hint}, 401)
        elif apikey != APIKEY:
            hint = "Double check your Supabase `anon` or `service_role` API key."
            app = JSONResponse({"message": "Invalid API key", "hint": hint}, 401)
        await app(scope, receive, send)


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the project."""
    routes = [Route("/auth/v1/token", Auth().token, methods=["POST"]), Route("/rest/v1/me", me)]
    return Gateway(Starlette(routes=routes))


if __name__ == "__main__":
    serve(make, refresh_path="/auth/v1/token")
