"""One server inside the test, without sockets: its app, a clock that stands still, and ways to ask it.

async with Site(tmp_path, grace=10) as site:
    tokens = await site.sign_in()
    site.clock.advance(1800)
    assert 401 == (await site.get("/api/profile", tokens["accessToken"])).status_code
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import anyio.lowlevel
import httpx
from argon2 import PasswordHasher
from starlette.types import Message

from app.server.app import create_app
from app.server.settings import Settings

START = 1_700_000_000.0  # seconds since the epoch
HOST = (b"host", b"server.test")
CREDENTIALS = {"username": "demo", "password": "demo-password"}


class Clock:
    """A wall clock that moves when it is told to, or when the server sleeps, and the steady one beside it."""

    def __init__(self) -> None:
        self.now = START
        self._lost = 0.0  # to setting it back

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back; no time passes."""
        self.now -= seconds
        self._lost += seconds

    def steady(self) -> float:
        """Return the seconds that have passed, whatever the wall clock was set to."""
        return self.now + self._lost - START

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and others run meanwhile."""
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()


class CountingHasher(PasswordHasher):
    """Argon2 at the lowest cost there is, counting how often it had to work."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified += 1
        return super().verify(hash, password)


class Site:
    """The app over `folder`; `settings` are those of `Settings`. The lab is on unless told otherwise."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = Clock()
        self.hasher = CountingHasher()
        self.data = folder / "data"
        chosen: dict[str, Any] = {
            "data": self.data,
            "root": folder,
            "lab": True,
            "clock": self.clock,
            "steady_clock": self.clock.steady,
            "sleep": self.clock.sleep,
            "password_hasher": self.hasher,
        }
        self.app = create_app(Settings(**(chosen | settings)))
        self.http = self.client_from("192.0.2.1")

    async def __aenter__(self) -> Site:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        self.app.close()

    def client_from(self, address: str) -> httpx.AsyncClient:
        """Return a client that the server sees at `address`."""
        transport = httpx.ASGITransport(self.app, client=(address, 50000))
        return httpx.AsyncClient(transport=transport, base_url="http://server.test")

    async def sign_in(self) -> dict[str, Any]:
        """Sign the demo user in and return the answer's JSON."""
        response = await self.http.post("/login", json=CREDENTIALS)
        assert 200 == response.status_code
        tokens: dict[str, Any] = response.json()
        return tokens

    async def refresh(self, refresh_token: str) -> httpx.Response:
        """Ask for the next pair of tokens."""
        return await self.http.post("/refresh", json={"refreshToken": refresh_token})

    async def next_token(self, refresh_token: str) -> str:
        """Rotate, which must succeed, and return the new refresh token."""
        response = await self.refresh(refresh_token)
        assert 200 == response.status_code
        return str(response.json()["refreshToken"])

    async def get(self, path: str, access_token: str) -> httpx.Response:
        """Ask for a resource with a bearer token."""
        return await self.http.get(path, headers=bearer(access_token))

    async def post_json(
        self, path: str, content: object, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Post JSON that httpx would not write: NaN, infinities and lone surrogates too."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return await self.http.post(path, content=json.dumps(content), headers=sent)

    async def hand_over(
        self,
        path: str,
        method: str = "GET",
        query: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: Sequence[bytes] = (b"",),
        *,
        cut_off: bool = False,
        server: str | None = "server.test",
    ) -> int:
        """Hand one request straight to the app, past all that a client would tidy up; return the status."""
        chunks = [
            {"type": "http.request", "body": chunk, "more_body": cut_off or n < len(body)}
            for n, chunk in enumerate(body, 1)
        ]
        sent: list[Message] = []

        async def receive() -> Message:
            return chunks.pop(0) if chunks else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "client": ("192.0.2.1", 50000),
            "server": (server, 80) if server else None,
            "root_path": "",
            "method": method,
            "path": path,
            "raw_path": path.encode(errors="replace"),
            "query_string": query,
            "headers": headers if any(b"host" == name for name, _ in headers) else [HOST, *headers],
        }
        await self.app(scope, receive, send)
        return int(sent[0]["status"])

    async def lab(self, path: str, **content: Any) -> None:
        """Throw a switch, which must work."""
        response = await self.http.post(f"/lab/{path}", json=content)
        assert 204 == response.status_code, response.text

    async def counters(self) -> dict[str, int]:
        """Return what the server counted."""
        counted: dict[str, int] = (await self.http.get("/lab/counters")).json()
        return counted


def bearer(access_token: str) -> dict[str, str]:
    """Return the header that carries an access token."""
    return {"Authorization": f"Bearer {access_token}"}
