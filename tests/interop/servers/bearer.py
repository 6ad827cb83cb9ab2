"""The access tokens of the fakes: JWTs of ten lines."""

from __future__ import annotations

import time

import jwt
from starlette.requests import Request

from tests.interop.servers.lab import ACCESS_TTL

KEY = "a key for tests, and long enough for HS256"


def sign(user: str) -> str:
    """Return an access token of this moment."""
    now = int(time.time())
    return jwt.encode({"sub": user, "iat": now, "exp": now + ACCESS_TTL}, KEY, algorithm="HS256")


def user_of(request: Request) -> str | None:
    """Return whose good access token a request carries, or ``None``."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return user_in(token) if scheme.lower() == "bearer" else None


def user_in(token: str) -> str | None:
    """Return whose token this is, or ``None`` when it's not good."""
    try:
        user: str | None = jwt.decode(token, KEY, algorithms=["HS256"]).get("sub")
    except jwt.InvalidTokenError:
        return None
    return user
