"""``/lab``: switches that let tests and the demo bring about what otherwise takes days or bad luck.

Nothing here asks who you are, so these routes exist only when the server was started with ``--lab``, and
answer nobody but this server's own pages, and programs that are no browser. A switch takes JSON, ``{}`` where
nothing needs saying: other pages can't send that without asking, and there is no CORS here to grant it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.server.access_tokens import AccessTokens
from app.server.around import Run
from app.server.counters import Counters, RequestIds
from app.server.cross_origin import require_this_origin
from app.server.database import Database
from app.server.faults import Fault, Faults
from app.server.guard import refuse_token
from app.server.messages import Refused, answer, invalid_request, number_field, read_object, refusal
from app.server.nonces import Nonces
from app.server.refresh_tokens import RefreshTokens
from app.server.throttle import LoginThrottle

MAX_SECONDS = 31_536_000  # a year

Switch = Callable[[dict[str, Any]], Awaitable[None]]
Reading = Callable[[], Awaitable[Response]]


class Lab:
    """The switches. `drop` breaks the connection of a request; `sleep` waits that many seconds."""

    def __init__(
        self,
        database: Database,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokens,
        nonces: Nonces,
        throttle: LoginThrottle,
        counters: Counters,
        request_ids: RequestIds,
        *,
        sleep: Callable[[float], Awaitable[None]],
        drop: Callable[[Scope], None],
    ) -> None:
        self._database = database
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._nonces = nonces
        self._throttle = throttle
        self._counters = counters
        self._request_ids = request_ids
        self._refresh_faults = Faults()
        self._api_faults = Faults()
        self._start_values = access_tokens.ttl, refresh_tokens.grace, nonces.required
        self._sleep = sleep
        self._drop = drop

    def routes(self) -> list[Route]:
        """List the routes, each for this origin only."""
        return [
            _switch("/lab/expire", self.expire),
            _switch("/lab/revoke", self.revoke),
            _switch("/lab/refresh", self.order_refresh_fault),
            _switch("/lab/api", self.order_api_fault),
            _switch("/lab/ttl", self.set_ttl),
            _switch("/lab/grace", self.set_grace),
            _switch("/lab/nonces", self.set_nonces),
            _switch("/lab/reset", self.reset),
            _reading("/lab/counters", self.show_counters),
            _reading("/lab/requests", self.show_requests),
            _reading("/lab/unauthorized", self.unauthorized),
        ]

    async def expire(self, content: dict[str, Any]) -> None:
        """Let all access tokens issued so far count as expired."""
        await self._database.patiently(self._access_tokens.expire_all)

    async def revoke(self, content: dict[str, Any]) -> None:
        """Make all refresh tokens unknown; access tokens live on until they expire."""
        await self._database.patiently(self._refresh_tokens.forget_all)

    async def order_refresh_fault(self, content: dict[str, Any]) -> None:
        """Take a fault for the next refreshes; it queues behind those ordered before.

        ``{"delay": s, "status": n, "body": str, "headers": {}, "drop": bool, "after": bool, "times": n}``,
        where every field may be missing; `Fault` says what they do.
        """
        self._refresh_faults.order(content)

    async def order_api_fault(self, content: dict[str, Any]) -> None:
        """Take a fault for the next requests to the resources under /api, put as one for a refresh."""
        self._api_faults.order(content)

    async def set_ttl(self, content: dict[str, Any]) -> None:
        """Take ``{"access": s}``: how long access tokens issued from now on live; 0: expired at once."""
        self._access_tokens.ttl = number_field(content, "access", MAX_SECONDS)

    async def set_grace(self, content: dict[str, Any]) -> None:
        """Take ``{"seconds": s}``: the grace for the refresh token before the newest, at once; 0: none."""
        self._refresh_tokens.grace = number_field(content, "seconds", MAX_SECONDS)

    async def set_nonces(self, content: dict[str, Any]) -> None:
        """Take ``{"required": bool}``: whether proofs need a nonce; those handed out before are stale."""
        required = content.get("required")
        if not isinstance(required, bool):
            raise invalid_request('"required" must be true or false')
        self._nonces.required = required
        self._nonces.renew()

    async def reset(self, content: dict[str, Any]) -> None:
        """Go back to the start: counters, faults, failed sign-ins, ttl, grace and nonces. Sessions stay."""
        self._counters.reset()
        self._request_ids.reset()
        self._refresh_faults.clear()
        self._api_faults.clear()
        self._throttle.clear()
        self._access_tokens.ttl, self._refresh_tokens.grace, self._nonces.required = self._start_values

    async def show_counters(self) -> Response:
        """Answer ``{"refresh": n, "reuse": n, "api": n, "unauthorized": n}``, as `Counters` explains them."""
        return answer(asdict(self._counters))

    async def show_requests(self) -> Response:
        """Answer ``{"<X-Request-ID>": n}``: how often each /api request arrived since the last reset."""
        return answer(self._request_ids.counts)

    async def unauthorized(self) -> Response:
        """Refuse with 401, however good the token."""
        raise refuse_token("This resource refuses every access token")

    async def around_refresh(self, run: Run) -> Response:
        """Run a rotation under the next fault for refreshes."""
        return await self._run_under(self._refresh_faults.take(), run)

    async def around_api(self, run: Run) -> Response:
        """Run an endpoint of /api under the next fault for it."""
        return await self._run_under(self._api_faults.take(), run)

    async def _run_under(self, fault: Fault | None, run: Run) -> Response:
        if fault is None:
            return await run()
        done = await _answer_of(run) if fault.after else None
        if fault.delay:
            await self._sleep(fault.delay)
        if fault.drop:
            return DroppedConnection(self._drop)
        if fault.status is not None:
            headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
            headers |= {name.title(): value for name, value in fault.headers.items()}
            body = "" if fault.status in (204, 205, 304) else fault.body
            return Response(body, fault.status, headers)
        return done or await run()


class DroppedConnection(Response):
    """Not an answer, but the end of the connection."""

    def __init__(self, drop: Callable[[Scope], None]) -> None:
        super().__init__()
        self._drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._drop(scope)
        # The server has to notice that the connection is gone, or it would send an error instead.
        while (await receive())["type"] != "http.disconnect":
            pass


def no_connection(scope: Scope) -> None:
    """Stand in for `drop` where the app runs without a server under it."""
    raise ConnectionResetError("the lab dropped the connection")


async def _answer_of(run: Run) -> Response:
    try:
        return await run()
    except Refused as refused:
        # What the endpoint says is to be lost, and a refusal is one of the things it may say.
        return refusal(refused)


def _switch(path: str, throw: Switch) -> Route:
    async def run(request: Request) -> Response:
        require_this_origin(request)
        await throw(await read_object(request))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    return Route(path, run, methods=["POST"])


def _reading(path: str, show: Reading) -> Route:
    async def run(request: Request) -> Response:
        require_this_origin(request)
        return await show()

    return Route(path, run, methods=["GET"])
