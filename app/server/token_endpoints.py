"""``/login``, ``/refresh`` and ``/logout``: the endpoints that hand out and take back tokens."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from app.server.access_tokens import AccessTokens
from app.server.around import Around, at_once
from app.server.counters import Counters
from app.server.messages import CHALLENGE, Refused, answer, read_object, refusal, seconds, text_field
from app.server.passwords import Passwords
from app.server.refresh_tokens import Grant, RefreshTokens, Refusal
from app.server.throttle import LoginThrottle


class TokenEndpoints:
    """The endpoints; `around_refresh` runs the rotation and may delay it or answer in its place."""

    def __init__(
        self,
        passwords: Passwords,
        throttle: LoginThrottle,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        counters: Counters,
        *,
        around_refresh: Around = at_once,
    ) -> None:
        self._passwords = passwords
        self._throttle = throttle
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._counters = counters
        self._around_refresh = around_refresh

    async def login(self, request: Request) -> Response:
        """Take ``{"username": str, "password": str}``; answer `_tokens`, 401 or 429."""
        content = await read_object(request)
        username = text_field(content, "username")
        password = text_field(content, "password")
        address = request.client.host if request.client else ""
        self._hold_back(username, address)
        right = await self._passwords.are_right(username, password)
        # Again: of many guesses sent at once, only as many as the limit learn whether they are right.
        self._hold_back(username, address)
        if not right:
            self._throttle.failed(username, address)
            return _unauthorized("invalid_credentials", "The user name or the password is wrong")
        self._throttle.succeeded(username)
        return self._tokens(self._refresh_tokens.start_family(username))

    async def refresh(self, request: Request) -> Response:
        """Take ``{"refreshToken": str}``; answer `_tokens`, or 401 ``invalid_grant``."""
        # Read before any delay: a client that hangs up meanwhile must find its rotation done all the same.
        refresh_token = text_field(await read_object(request), "refreshToken")

        async def rotate() -> Response:
            return self._rotate(refresh_token)

        return await self._around_refresh(rotate)

    async def logout(self, request: Request) -> Response:
        """Take ``{"refreshToken": str}`` and end its session; 204, even if there is none (RFC 7009 §2.2)."""
        self._refresh_tokens.revoke(text_field(await read_object(request), "refreshToken"))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    def _hold_back(self, username: str, address: str) -> None:
        wait = math.ceil(self._throttle.wait(username, address))
        if wait > 0:
            headers = {"Retry-After": str(wait)}
            raise Refused(429, "too_many_requests", "Too many sign-ins failed: wait and try again", headers)

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
