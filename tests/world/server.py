"""An auth server and its API: short-lived access tokens, token families, strict rotation, reuse detection."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from silent_refresh import Headers, NetworkError, Request, RequestTimeout, Response

from .keys import proof_in

Handler = Callable[["Call"], Awaitable["Answer"]]


@dataclass
class Answer:
    """What the server says; JSON unless ``body`` is text."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str | None = None  # where a redirect led to


@dataclass
class Call:
    """A request as it arrived."""

    method: str
    path: str
    token: str | None
    body: Any
    id: str = ""  # its X-Request-ID
    scheme: str = ""  # what stood before the token
    proof: dict[str, Any] | None = None
    url: str = ""  # the whole one


@dataclass
class Family:
    """One sign-in and the refresh tokens that descend from it."""

    user: str
    current: str
    used: set[str] = field(default_factory=set)
    alive: bool = True
    key: str | None = None  # that all its tokens are bound to

    def is_proved(self, call: Call, token: str | None) -> bool:
        """Tell whether a call has the proof that this family's tokens need, if they need one."""
        if self.key is None:
            return True
        expected = {"key": self.key, "htm": call.method, "htu": call.url.partition("?")[0], "ath": token}
        return call.proof == expected


class Server:
    """Counts what tests ask about: ``refreshes`` that were granted, ``reuses``, ``calls`` that arrived."""

    def __init__(
        self, *, access_ttl: float = 1800.0, delay: Callable[[str], float] = lambda what: 0.02
    ) -> None:
        self.access_ttl = access_ttl  # s
        self.delay = delay  # s that "there" and "back" take
        self.arrived: Callable[[Call], None] = lambda call: None
        self.answered: Callable[[Call, Answer], None] = lambda call, answer: None
        self.calls: list[Call] = []
        self.sent: Counter[str] = Counter()  # by X-Request-ID
        self.refreshes = 0
        self.reuses = 0
        self.reachable = True
        self.revoked: list[str] = []
        self.on_refresh: list[Handler] = []  # what answers the next refreshes in place of the server
        self.routes: dict[str, Handler] = {}
        self.rotates = True
        self._numbers = itertools.count(1)
        self._families: list[Family] = []
        self._access: dict[str, tuple[Family, float]] = {}

    @property
    def refresh_calls(self) -> int:
        """How many refresh calls arrived, whatever became of them."""
        return sum(call.path == "/refresh" for call in self.calls)

    # Tokens

    def sign_in(self, user: str = "ada", key: str | None = None) -> dict[str, Any]:
        """Start a family and return the answer to the sign-in; its tokens are bound to ``key``, if any."""
        family = Family(user, f"refresh-{user}-{next(self._numbers)}", key=key)
        self._families.append(family)
        return self._grant(family)

    def _grant(self, family: Family) -> dict[str, Any]:
        access_token = f"access-{family.user}-{next(self._numbers)}"
        self._access[access_token] = (family, asyncio.get_running_loop().time() + self.access_ttl)
        return {
            "accessToken": access_token,
            "refreshToken": family.current,
            "expiresIn": self.access_ttl,
            **({"tokenType": "DPoP"} if family.key is not None else {}),
        }

    def expire(self) -> None:
        """End all access tokens now, though their time is not over."""
        self._access = {token: (family, 0.0) for token, (family, _) in self._access.items()}

    def revoke(self) -> None:
        """End all families."""
        for family in self._families:
            family.alive = False

    def user_of(self, token: str | None) -> str | None:
        """Return whose token it is, if it is good."""
        family, ends = self._access.get(token or "", (None, 0.0))
        return family.user if family and asyncio.get_running_loop().time() < ends else None

    # The network

    async def transport(self, request: Request) -> Response:
        """Carry a request there and its answer back, as a ``Transport``."""
        try:
            async with asyncio.timeout(request.timeout):
                await asyncio.sleep(self.delay("there"))
                if not self.reachable:
                    raise NetworkError(f"{request!r} got no answer", request=request)
                answer = await self._handle(request)
                await asyncio.sleep(self.delay("back"))
        except TimeoutError as error:
            raise RequestTimeout(f"{request!r} was not answered", request=request) from error
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        url = answer.url or request.sent_url()
        return Response(
            answer.status,
            Headers(answer.headers),
            url,
            request,
            text=text,
            redirected=url != request.sent_url(),
        )

    async def _handle(self, request: Request) -> Answer:
        headers = request.sent_headers()
        authorization = headers.get("authorization", "")
        scheme, _, token = authorization.rpartition(" ")
        if scheme not in ("", "Bearer", "DPoP"):
            scheme, token = "", authorization  # the caller's own
        path = request.sent_url().partition("?")[0].removeprefix("https://app.example")
        body = request.sent_body()
        if isinstance(body, str) and body[:1] == "{":
            body = json.loads(body)
        id, proof = headers.get("x-request-id", ""), proof_in(headers.get("dpop"))
        call = Call(request.method, path, token or None, body, id, scheme, proof, request.sent_url())
        self.calls.append(call)
        self.sent[call.id] += 1
        self.arrived(call)
        try:
            answer = await self._answer(call)
        except BaseException:
            self.answered(call, Answer(0))
            raise
        self.answered(call, answer)
        return answer

    async def _answer(self, call: Call) -> Answer:
        path = call.path
        if path == "/refresh":
            return await (self.on_refresh.pop(0) if self.on_refresh else self.refresh)(call)
        if path == "/logout":
            self.revoked.append(call.body["refreshToken"])
            return Answer(204, "")
        if path in self.routes:
            return await self.routes[path](call)
        user = self.user_of(call.token)
        if user is not None and not self._access[call.token or ""][0].is_proved(call, call.token):
            user = None
        return Answer(200, {"user": user, "path": path}) if user else self.refusal()

    async def refresh(self, call: Call) -> Answer:
        """Rotate: the presented token dies, and with it the family if it was dead before."""
        presented = call.body["refreshToken"]
        for family in self._families:
            if presented in family.used:
                self.reuses += 1
                family.alive = False
            if presented == family.current and not family.is_proved(call, None):
                return Answer(400, {"error": "invalid_grant"})
            if presented == family.current and family.alive:
                self.refreshes += 1
                if self.rotates:
                    family.used.add(presented)
                    family.current = f"refresh-{family.user}-{next(self._numbers)}"
                return Answer(200, self._grant(family))
        return Answer(401, {"error": "invalid_grant"})

    @staticmethod
    def refusal() -> Answer:
        """Return what a dead access token is answered with."""
        return Answer(401, {"error": "invalid_token"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def saying(status: int, body: Any = None, **headers: str) -> Handler:
    """Return a handler that always gives this answer; ``Retry_After="7"`` becomes a header."""

    async def handler(call: Call) -> Answer:
        return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return handler


async def silence(call: Call) -> Answer:
    """Never answer."""
    return await asyncio.get_running_loop().create_future()
