"""``/login``, ``/refresh`` and ``/logout``: the endpoints that hand out and take back tokens."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from app.server.access_tokens import AccessTokens
from app.server.around import Around, at_once
from app.server.counters import Counters
from app.server.database import Database
from app.server.dpop import Proofs
from app.server.messages import CHALLENGE, Refused, answer, read_object, refusal, seconds, text_field
from app.server.passwords import Passwords
from app.server.proof import InvalidProof
from app.server.refresh_tokens import Grant, RefreshTokens, Refusal
from app.server.throttle import LoginThrottle


class TokenEndpoints:
    """The endpoints; `around_refresh` runs the rotation and may delay it or answer in its place."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        throttle: LoginThrottle,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        proofs: Proofs,
        counters: Counters,
        *,
        around_refresh: Around = at_once,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._throttle = throttle
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._proofs = proofs
        self._counters = counters
        self._around_refresh = around_refresh

    async def login(self, request: Request) -> Response:
        """Take ``{"username": str, "password": str}``; answer `_tokens`, 401 or 429.

        With a proof the tokens are bound to its key; one that isn't accepted is answered 400 (RFC 9449 §5).
        """
        content = await read_object(request)
        username = text_field(content, "username")
        password = text_field(content, "password")
        jkt = self._key_of(request)
        address = request.client.host if request.client else ""
        self._hold_back(username, address)
        right = await self._passwords.are_right(username, password)
        # Again: of many guesses sent at once, only as many as the limit learn whether they are right.
        self._hold_back(username, address)
        if not right:
            self._throttle.failed(username, address)
            return _unauthorized("invalid_credentials", "The user name or the password is wrong")
        self._throttle.succeeded(username)
        return await self._tokens(
            await self._database.patiently(lambda: self._refresh_tokens.start_family(username, jkt))
        )

    async def refresh(self, request: Request) -> Response:
        """Take ``{"refreshToken": str}``; answer `_tokens`, or 401 ``invalid_grant``; 400 as `login` does."""
        # Read before any delay: a client that hangs up meanwhile must find its rotation done all the same.
        refresh_token = text_field(await read_object(request), "refreshToken")
        jkt = self._key_of(request)
        period = self._counters.period

        async def rotate() -> Response:
            return await self._rotate(refresh_token, jkt, period)

        return await self._around_refresh(rotate)

    async def logout(self, request: Request) -> Response:
        """Take ``{"refreshToken": str}`` and end its session; 204, even if there is none (RFC 7009 §2.2)."""
        refresh_token = text_field(await read_object(request), "refreshToken")
        await self._database.patiently(lambda: self._refresh_tokens.revoke(refresh_token))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    def _key_of(self, request: Request) -> str | None:
        try:
            return self._proofs.check(request)
        except InvalidProof as error:
            raise Refused(400, error.error, str(error)) from error

    def _hold_back(self, username: str, address: str) -> None:
        wait = math.ceil(self._throttle.wait(username, address))
        if wait > 0:
            headers = {"Retry-After": str(wait)}
            raise Refused(429, "too_many_requests", "Too many sign-ins failed: wait and try again", headers)

    async def _rotate(self, refresh_token: str, jkt: str | None, period: int) -> Response:
        result = await self._database.patiently(lambda: self._refresh_tokens.rotate(refresh_token, jkt))
        if isinstance(result, Grant):
            return await self._tokens(result)
        if result is Refusal.WITHOUT_KEY:
            return refusal(Refused(400, "invalid_dpop_proof", result.value))
        if result is Refusal.REUSED and self._counters.period == period:  # not of an earlier request
            self._counters.reuse += 1
        return _unauthorized("invalid_grant", result.value)

    async def _tokens(self, grant: Grant) -> Response:
        """Answer ``{"accessToken", "refreshToken", "tokenType", "expiresIn", "refreshExpiresIn"}``, in s."""
        access_token = await self._database.patiently(
            lambda: self._access_tokens.issue(grant.username, grant.family, grant.jkt)
        )
        return answer(
            {
                "accessToken": access_token,
                "refreshToken": grant.refresh_token,
                "tokenType": "Bearer" if grant.jkt is None else "DPoP",
                "expiresIn": seconds(self._access_tokens.ttl),
                "refreshExpiresIn": seconds(grant.refresh_expires_in),
            }
        )


def _unauthorized(error: str, description: str) -> Response:
    # RFC 9110 §15.5.2 wants a challenge in each 401; bare, since RFC 6750's codes are about access tokens.
    return refusal(Refused(401, error, description, {"WWW-Authenticate": CHALLENGE}))
