"""An auth server and its API in memory: it signs in, expires, revokes and fails on command."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..errors import NetworkError
from ..http.credential import BEARER
from ..http.json import parse_json
from ..http.messages import Headers, Request, Response
from .page import FakePage

REFUSAL = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class Call(NamedTuple):
    """A request as it arrived; ``user`` is whose access token it had, if that was good."""

    method: str
    path: str
    query: str
    user: str | None
    headers: Headers
    body: Any

    def json(self) -> Any:
        """Parse the body. Raises ``ValueError``."""
        return parse_json(self.body or "null")


class _Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]
    public: bool = False


class _Session:
    """One sign-in, and the one refresh token of it that is good."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.refresh_token = ""
        self.used: set[str] = set()
        self.alive = True


class FakeServer:
    """One origin: an API at any path, and a token endpoint at ``refresh``.

    Access tokens live for ``access_ttl`` seconds. A refresh token is good once; a used one ends its session,
    as RFC 9700 §4.14.2 asks for. ``refreshes`` counts what was renewed, ``calls`` lists all that arrived;
    while ``offline`` nothing does.
    """

    def __init__(
        self,
        *,
        origin: str = "https://app.example",
        refresh: str = "/refresh",
        access_ttl: float = 1800.0,
    ) -> None:
        self.origin = origin
        self.access_ttl = access_ttl
        self.offline = False
        self.refreshes = 0
        self.calls: list[Call] = []
        self._refresh = refresh
        self._numbers = itertools.count(1)
        self._sessions: list[_Session] = []
        self._access: dict[str, tuple[_Session, float]] = {}
        self._routes: dict[tuple[str, str], _Answer] = {}
        self._failures: dict[str, list[_Answer]] = {}
        self._passed = 0.0  # s that a test let pass

    def page(self, path: str = "/") -> FakePage:
        """Return a page of this origin that shows ``path``: ``with server.page("/orders") as page:``."""
        return FakePage(self.origin, path, self, self)

    # What a test says

    def answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        public: bool = False,
    ) -> None:
        """Answer a path (without its query) with a text, with JSON, or with what ``body(call)`` returns.

        Unless it is ``public``, whoever has no good access token gets a 401.
        """
        self._routes[method, path] = _Answer(status, body, headers or {}, public)

    def sign_in(self, user: str = "ada") -> dict[str, Any]:
        """Begin a session; return a sign-in's answer: ``accessToken``, ``refreshToken``, ``expiresIn``."""
        session = _Session(user)
        self._sessions.append(session)
        return self._grant(session)

    def expire(self) -> None:
        """End all access tokens now, before their time."""
        self._access.clear()

    def revoke(self) -> None:
        """End all sessions: access tokens and refresh tokens."""
        self._access.clear()
        for session in self._sessions:
            session.alive = False

    def fail(
        self,
        path: str,
        status: int = 503,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Give this answer to the next calls of a path, be it the token endpoint or the API."""
        self._failures.setdefault(path, []).extend([_Answer(status, body, headers or {})] * times)

    def pass_time(self, seconds: float) -> None:
        """Let the clocks of the server and of its pages go on; who sleeps isn't woken."""
        self._passed += seconds

    # What a page has

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set, as ``time.monotonic`` does."""
        return time.monotonic() + self._passed

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self._passed

    async def __call__(self, request: Request) -> Response:
        """Carry a request there and its answer back. Raises ``NetworkError`` while ``offline``."""
        await asyncio.sleep(0)
        url = request.sent_url()
        if self.offline or not url.startswith(self.origin + "/"):
            raise NetworkError(f"{request!r} got no answer", request=request)
        path, _, query = url.removeprefix(self.origin).partition("#")[0].partition("?")
        headers = request.sent_headers()
        token = (headers.get(BEARER.header) or "").removeprefix(BEARER.prefix)
        call = Call(request.method, path, query, self._user_of(token), headers, request.sent_body())
        self.calls.append(call)
        answer = self._answer_to(call)
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return Response(answer.status, Headers(answer.headers), url, request, text=text)

    def _answer_to(self, call: Call) -> _Answer:
        if self._failures.get(call.path):
            return self._failures[call.path].pop(0)
        if call.path == self._refresh:
            return self._renewed(call)
        route = self._routes.get((call.method, call.path))
        if call.user is None and not (route is not None and route.public):
            return _Answer(401, {"error": "invalid_token"}, REFUSAL)
        if route is None:
            return _Answer(404, {"detail": f"no answer was given for {call.method} {call.path}"}, {})
        body: Callable[[Call], Any] | Any = route.body
        return route._replace(body=body(call)) if callable(body) else route

    def _renewed(self, call: Call) -> _Answer:
        try:
            presented = call.json()["refreshToken"]
        except (ValueError, TypeError, KeyError):
            return _Answer(400, {"error": "invalid_request"}, {})
        for session in self._sessions:
            if presented in session.used:
                session.alive = False
            elif presented == session.refresh_token and session.alive:
                session.used.add(presented)
                self.refreshes += 1
                return _Answer(200, self._grant(session), {})
        return _Answer(401, {"error": "invalid_grant"}, {})

    def _user_of(self, token: str) -> str | None:
        session, ends = self._access.get(token, (None, 0.0))
        return session.user if session is not None and session.alive and self.time() < ends else None

    def _grant(self, session: _Session) -> dict[str, Any]:
        access_token = f"access-{session.user}-{next(self._numbers)}"
        session.refresh_token = f"refresh-{session.user}-{next(self._numbers)}"
        self._access[access_token] = session, self.time() + self.access_ttl
        return {
            "accessToken": access_token,
            "refreshToken": session.refresh_token,
            "expiresIn": self.access_ttl,
        }
