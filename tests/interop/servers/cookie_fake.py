"""A fake of a server that keeps the refresh token in an HttpOnly cookie, where no script can read it.

The cookie is sent along by itself, also with what a page of another site posts. So it is SameSite, and the
calls that use it need a header that a form can't send: 403 without it. A dead cookie is answered 401.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
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

COOKIE = "refresh_token"
PATH = "/session"  # where the browser sends the cookie


class Sessions:
    """``/session/login``, ``/session/refresh``, ``/session/logout``, and the refresh tokens that are good."""

    def __init__(self) -> None:
        self._good_until: dict[str, float] = {}

    async def login(self, request: Request) -> Response:
        """Sign in with ``{"username": str, "password": str}``."""
        if await request.json() != {"username": USERNAME, "password": PASSWORD}:
            return JSONResponse({"error": "invalid_credentials"}, 401)
        return self._granted()

    async def refresh(self, request: Request) -> Response:
        """Take the cookie, set the next one."""
        if not is_from_a_script(request):
            return JSONResponse({"error": "csrf_header_missing"}, 403)
        if self._good_until.pop(request.cookies.get(COOKIE, ""), 0) < time.time():
            return JSONResponse({"error": "session_over"}, 401)
        return self._granted()

    async def logout(self, request: Request) -> Response:
        """Forget the session and clear the cookie."""
        if not is_from_a_script(request):
            return JSONResponse({"error": "csrf_header_missing"}, 403)
        self._good_until.pop(request.cookies.get(COOKIE, ""), None)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path=PATH)
        return response

    def _granted(self) -> Response:
        refresh_token = secrets.token_urlsafe()
        self._good_until[refresh_token] = time.time() + REFRESH_TTL
        response = JSONResponse({"accessToken": sign(USERNAME), "expiresIn": ACCESS_TTL})
        response.set_cookie(
            COOKIE, refresh_token, max_age=REFRESH_TTL, path=PATH, httponly=True, samesite="strict"
        )
        return response


def is_from_a_script(request: Request) -> bool:
    """Tell whether the header is there that a form of another site can't send."""
    return "X-Requested-With" in request.headers


async def me(request: Request) -> Response:
    """Tell who asks."""
    user = user_of(request)
    if user is None:
        return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
    return JSONResponse({"user": user})


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the server."""
    sessions = Sessions()
    return Starlette(
        routes=[
            Route(f"{PATH}/login", sessions.login, methods=["POST"]),
            Route(f"{PATH}/refresh", sessions.refresh, methods=["POST"]),
            Route(f"{PATH}/logout", sessions.logout, methods=["POST"]),
            Route("/api/me", me),
        ]
    )


if __name__ == "__main__":
    serve(make, refresh_path=f"{PATH}/refresh", with_credentials=True)
