"""The server in a thread of the test, asked over sockets: the test holds its clock.

with Live(tmp_path, clock=clock) as live:
    live.http.post("/login", json=CREDENTIALS)
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx

from app.server.serving import bind, make_server
from app.server.settings import Settings
from tests.server.site import CREDENTIALS, Clock, CountingHasher, bearer


class Live:
    """A server over `folder`; `settings` are more of those of `Settings`."""

    def __init__(self, folder: Path, clock: Clock, **settings: Any) -> None:
        self.data = folder / "data"
        chosen: dict[str, Any] = {
            "data": self.data,
            "root": folder,
            "clock": clock,
            "steady_clock": clock.steady,
            "password_hasher": CountingHasher(),
        }
        self._listener = bind("127.0.0.1", 0)
        self._server, self.app = make_server(Settings(**(chosen | settings)), self._listener)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )
        host, port = self._listener.getsockname()
        self.http = httpx.Client(base_url=f"http://{host}:{port}", trust_env=False, timeout=20)

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self.stop()

    def stop(self) -> None:
        """End as the server does when it is told to."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self.app.close()

    def sign_in(self) -> dict[str, Any]:
        """Sign the demo user in and return the answer's JSON."""
        tokens: dict[str, Any] = self.http.post("/login", json=CREDENTIALS).raise_for_status().json()
        return tokens

    def refresh(self, refresh_token: str) -> httpx.Response:
        """Ask for the next pair of tokens."""
        return self.http.post("/refresh", json={"refreshToken": refresh_token})

    def profile(self, access_token: str) -> int:
        """Ask for a resource with a bearer token; return the status."""
        return self.http.get("/api/profile", headers=bearer(access_token)).status_code
