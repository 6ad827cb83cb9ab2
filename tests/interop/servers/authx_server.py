"""AuthX, for FastAPI: the refresh token is the bearer, and a blocklist refuses the used ones.

https://authx.yezz.me/
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from authx import AuthX, AuthXConfig, TokenPayload
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from starlette.types import ASGIApp

from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

app = FastAPI()
auth: AuthX[Any] = AuthX(
    AuthXConfig(
        JWT_SECRET_KEY="a key for tests, and long enough for HS256",
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=ACCESS_TTL),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=REFRESH_TTL),
    )
)
auth.handle_errors(app)
used: set[str] = set()


auth.set_token_blocklist(lambda token: token in used)


Refreshing = Annotated[TokenPayload, Depends(auth.refresh_token_required)]
Accessing = Annotated[TokenPayload, Depends(auth.access_token_required)]


class Credentials(BaseModel):
    """Who signs in."""

    username: str
    password: str


def tokens(user: str) -> dict[str, str]:
    """Make both tokens."""
    return {"access_token": auth.create_access_token(user), "refresh_token": auth.create_refresh_token(user)}


@app.post("/login")
def login(credentials: Credentials) -> dict[str, str]:
    """Sign in."""
    if (credentials.username, credentials.password) != (USERNAME, PASSWORD):
        raise HTTPException(401)
    return tokens(credentials.username)


def use_up(request: Request) -> None:
    """Let the refresh token of a request be good no more."""
    used.add(request.headers["Authorization"].removeprefix("Bearer "))


@app.post("/refresh")
def refresh(request: Request, payload: Refreshing) -> dict[str, str]:
    """Exchange a refresh token for two new tokens."""
    use_up(request)
    return tokens(payload.sub)


@app.post("/logout")
def logout(request: Request, payload: Refreshing) -> dict[str, str]:
    """Revoke the refresh token."""
    use_up(request)
    return {"message": "Refresh token revoked"}


@app.get("/api/me")
def me(payload: Accessing) -> dict[str, str]:
    """Tell who asks."""
    return {"user": payload.sub}


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Return the app."""
    return app


if __name__ == "__main__":
    serve(make, refresh_path="/refresh", refused=422)
