"""Flask-JWT-Extended: the refresh token is the bearer, and a blocklist refuses the revoked ones.

https://flask-jwt-extended.readthedocs.io/en/stable/refreshing_tokens.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from a2wsgi import WSGIMiddleware
from flask import Flask, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)
from starlette.types import ASGIApp

from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY="a key for tests, and long enough for HS256",
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=ACCESS_TTL),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=REFRESH_TTL),
)
manager = JWTManager(app)
blocklist: set[str] = set()


@manager.token_in_blocklist_loader
def is_revoked(header: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Tell whether a token is on the blocklist."""
    return payload["jti"] in blocklist


def tokens(identity: str) -> dict[str, str]:
    """Make both tokens."""
    return {
        "access_token": create_access_token(identity),
        "refresh_token": create_refresh_token(identity),
    }


@app.post("/login")
def login() -> Any:
    """Sign in with ``{"username": str, "password": str}``."""
    if request.json != {"username": USERNAME, "password": PASSWORD}:
        return {"msg": "Bad username or password"}, 401
    return tokens(USERNAME)


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh() -> Any:
    """Exchange a refresh token for two new tokens."""
    blocklist.add(get_jwt()["jti"])
    return {"msg": "Token refreshed", **tokens(get_jwt_identity())}


@app.post("/logout")
@jwt_required(refresh=True)
def logout() -> Any:
    """Revoke the refresh token."""
    blocklist.add(get_jwt()["jti"])
    return {"msg": "Refresh token revoked"}


@app.route("/api/me", methods=["GET", "POST"])
@jwt_required()
def me() -> Any:
    """Tell who asks."""
    return {"user": get_jwt_identity()}


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Return the app as ASGI."""
    return WSGIMiddleware(app)


if __name__ == "__main__":
    serve(make, refresh_path="/refresh")
