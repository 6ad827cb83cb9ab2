"""Flask-JWT-Extended with both tokens in HttpOnly cookies, and a CSRF value beside each that changes with it.

https://flask-jwt-extended.readthedocs.io/en/stable/token_locations.html#cookies
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from a2wsgi import WSGIMiddleware
from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
    set_access_cookies,
    set_refresh_cookies,
)
from starlette.types import ASGIApp

from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY="a key for tests, and long enough for HS256",
    JWT_TOKEN_LOCATION=["cookies"],
    JWT_COOKIE_SECURE=False,
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=ACCESS_TTL),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=REFRESH_TTL),
)
manager = JWTManager(app)
used: set[str] = set()


@manager.token_in_blocklist_loader
def is_revoked(header: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Tell whether a refresh token was used before."""
    return payload["jti"] in used


def granted(identity: str) -> Any:
    """Answer with new cookies, and with no token."""
    answer = jsonify(msg="ok")
    set_access_cookies(answer, create_access_token(identity))
    set_refresh_cookies(answer, create_refresh_token(identity))
    return answer


@app.post("/login")
def login() -> Any:
    """Sign in with ``{"username": str, "password": str}``."""
    if request.json != {"username": USERNAME, "password": PASSWORD}:
        return {"msg": "Bad username or password"}, 401
    return granted(USERNAME)


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh() -> Any:
    """Exchange the cookies for new ones."""
    used.add(get_jwt()["jti"])
    return granted(get_jwt_identity())


@app.route("/api/me", methods=["GET", "POST"])
@jwt_required()
def me() -> Any:
    """Tell who asks; a POST has to have the CSRF value of the access token."""
    return {"user": get_jwt_identity()}


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Return the app as ASGI."""
    return WSGIMiddleware(app)


if __name__ == "__main__":
    serve(make, refresh_path="/refresh", with_credentials=True)
