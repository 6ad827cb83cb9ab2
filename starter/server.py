"""Serves the page, and the API that it talks to.

uvicorn server:app
"""

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import FileResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

PAGE = Path(__file__).resolve().parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
KEY = os.environ.get("KEY") or secrets.token_urlsafe()  # yours: a secret that outlives a restart
ACCESS_LIFE = int(os.environ.get("ACCESS_LIFE", 300))  # s
SESSION_LIFE = 7 * 86_400  # s
USERS = {"demo": "demo-password"}  # yours: a table, with hashes of argon2

app = FastAPI()
# Yours: tables. What a session's user is, its newest refresh token, and when it ends …
sessions = {}
session_of = {}  # … and to which session each refresh token belongs, used ones too, kept as hashes


class Credentials(BaseModel):
    username: str
    password: str


class Presented(BaseModel):
    refreshToken: str


@app.post("/login")
async def login(credentials: Credentials, response: Response):
    if not password_is_right(credentials.username, credentials.password):
        raise HTTPException(401)
    id = secrets.token_urlsafe()
    sessions[id] = {"user": credentials.username, "ends": time.time() + SESSION_LIFE}
    return grant(id, response)


@app.post("/refresh")
async def refresh(presented: Presented, response: Response):
    # No await from the first line to the last: no other request comes between. Yours: one transaction.
    token = digest(presented.refreshToken)
    id = session_of.get(token)
    session = sessions.get(id)
    if session is None or session["newest"] != token or session["ends"] <= time.time():
        sessions.pop(id, None)  # a token that was used before may be a thief's: the session ends for all
        raise HTTPException(401)
    return grant(id, response)


@app.post("/logout", status_code=204)
async def logout(presented: Presented):
    sessions.pop(session_of.get(digest(presented.refreshToken)), None)


def grant(id, response):
    refresh_token = secrets.token_urlsafe()
    session_of[digest(refresh_token)] = id
    sessions[id]["newest"] = digest(refresh_token)
    claims = {"sub": sessions[id]["user"], "exp": int(time.time()) + ACCESS_LIFE}
    response.headers["Cache-Control"] = "no-store"
    return {
        "accessToken": jwt.encode(claims, KEY, "HS256"),
        "refreshToken": refresh_token,
        "expiresIn": ACCESS_LIFE,
    }


def password_is_right(username, password):
    known = USERS.get(username)
    return known is not None and secrets.compare_digest(known.encode(), password.encode())


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def user_of(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]):
    try:
        return jwt.decode(sent.credentials, KEY, ["HS256"])["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from None


@app.get("/api/profile")
async def profile(user: Annotated[str, Depends(user_of)]):
    return {"name": user}


@app.middleware("http")
async def with_policy(request, call_next):
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = POLICY
    return response


@app.get("/login")
async def login_page():
    return FileResponse(PAGE / "login.html")


app.mount("/", StaticFiles(directory=PAGE, html=True))  # last: what is named above comes first
