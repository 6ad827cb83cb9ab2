"""``/login``, ``/refresh`` and ``/logout``: the endpoints that hand out and take back tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app.server.access_tokens import AccessTokens
from app.server.counters import Counters
from app.server.messages import CHALLENGE, Refused, answer, read_object, refusal, seconds, text_field
from app.server.passwords import Passwords
from app.server.refresh_tokens import Grant, RefreshTokens, Refusal

Rotate = Callable[[], Response]


async def at_once(rotate: Rotate) -> Response:
    """Answer a refresh without more ado: what happens when no lab stands in between."""
    return rotate()


class TokenEndpoints:
    """The endpoints; `around_refresh` runs the rotation and may delay it or answer in its place."""

    def __init__(
        self,
        passwords: Passwords,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        counters: Counters,
        *,
        around_refresh: Callable[[Rotate], Awaitable[Response]] = at_once,
    ) -> None:
        self._passwords = passwords
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._counters = counters
        self._around_refresh = around_refresh

    async def login(self, request: Request) -> Response:
        """Take ``{"username": str, "password": str}``; answer `_tokens`, or 401 ``invalid_credentials``."""
        content = await read_object(request)
        username = text_field(content, "username")
        password = text_field(content, "password")
        if not await self._passwords.are_right(username, password):
            return _unauthorized("invalid_credentials", "The user name or the password is wrong")
        return self._tokens(self._refresh_tokens.start_family(username))

    async def refresh(self, request: Request) -> Response:
        """Take ``{"refreshToken": str}``; answer `_tokens`, or 401 ``invalid_grant``."""
        # Read before any delay: a client that hangs up meanwhile must find its rotation done all the same.
        refresh_token = text_field(await read_object(request), "refreshToken")
        return await self._around_refresh(lambda: self._rotate(refresh_token))

    async def logout(self, request: Request) -> Response:
        """Take ``{"refreshToken": str}`` and end its session; 204, even if there is none (RFC 7009 §2.2)."""
        self._refresh_tokens.revoke(text_field(await read_object(request), "refreshToken"))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    def _rotate(self, refresh_token: str) -> Response:
        result = self._refresh_tokens.rotate(refresh_token)
        if isinstance(result, Grant):
            return self._tokens(result)
        if result is Refusal.REUSED:
            self._counters.reuse += 1
        return _unauthorized("invalid_grant", result.value)

    def _tokens(self, grant: Grant) -> Response:
        """Answer ``{"accessToken", "refreshToken", "tokenType", "expiresIn", "refreshExpiresIn"}``, in s."""
        return answer(
            {
                "accessToken": self._access_tokens.issue(grant.username, grant.family),
                "refreshToken": grant.refresh_token,
                "tokenType": "Bearer",
                "expiresIn": seconds(self._access_tokens.ttl),
                "refreshExpiresIn": seconds(grant.refresh_expires_in),
            }
        )


def _unauthorized(error: str, description: str) -> Response:
    # RFC 9110 §15.5.2 wants a challenge in each 401; bare, since RFC 6750's codes are about access tokens.
    return refusal(Refused(401, error, description, {"WWW-Authenticate": CHALLENGE}))
