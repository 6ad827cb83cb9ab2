"""The real server for the end-to-end tests, in a process of its own, and its lab.

with RunningServer(tmp_path) as server:
    server.lab.expire()
    server.stop(); server.start()      # the same address and data again
"""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def pack_page() -> None:
    """Pack the page's Python as `make page` does: run without make, tests would meet yesterday's code."""
    subprocess.run(["node", "tools/page.mjs"], cwd=ROOT, check=True)


class Lab:
    """The server's switches and counters, as `app/server/lab.py` offers them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE)

    def _post(self, path: str, content: dict[str, Any] | None = None) -> None:
        self._http.post(path, json=content or {}).raise_for_status()

    def expire(self) -> None:
        """Let all access tokens issued so far count as expired."""
        self._post("/lab/expire")

    def revoke(self) -> None:
        """Make all refresh tokens unknown."""
        self._post("/lab/revoke")

    def refresh(self, **fault: Any) -> None:
        """Order a fault for the next refreshes: delay (s), status, body, headers, drop, after, times."""
        self._post("/lab/refresh", fault)

    def api(self, **fault: Any) -> None:
        """Order a fault for the next requests under /api, put as for `refresh`."""
        self._post("/lab/api", fault)

    def access_ttl(self, seconds: float) -> None:
        """Let access tokens issued from now on live that long."""
        self._post("/lab/ttl", {"access": seconds})

    def grace(self, seconds: float) -> None:
        """Accept the refresh token before the newest that long."""
        self._post("/lab/grace", {"seconds": seconds})

    def reset(self) -> None:
        """Set the counters to zero and forget the faults to come."""
        self._post("/lab/reset")

    def counters(self) -> dict[str, int]:
        """Return ``{"refresh": n, "reuse": n, "api": n, "unauthorized": n}`` since the last reset."""
        counted: dict[str, int] = self._http.get("/lab/counters").raise_for_status().json()
        return counted

    def requests(self) -> dict[str, int]:
        """Return how often each ``X-Request-ID`` arrived at /api since the last reset."""
        counted: dict[str, int] = self._http.get("/lab/requests").raise_for_status().json()
        return counted

    def use(self, refresh_token: str) -> None:
        """Use a refresh token, as a thief would."""
        self._post("/refresh", {"refreshToken": refresh_token})

    def sign_in(self, username: str = "demo") -> dict[str, Any]:
        """Sign a user in and return the server's answer, tokens and all."""
        credentials = {"username": username, "password": "demo-password"}
        answer: dict[str, Any] = self._http.post("/login", json=credentials).raise_for_status().json()
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class ServerProcess:
    """A module that serves, in a process of its own. It keeps its port when it is started again."""

    def __init__(self, module: str, *options: str) -> None:
        self._command = [sys.executable, "-m", module, *options]
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        port = self.url.rpartition(":")[2] or "0"
        self._process = subprocess.Popen(
            [*self._command, "--port", port],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline()
        addresses = [word for word in first_line.split() if word.startswith("http")]
        if not addresses:
            self.stop()
            raise RuntimeError(f"the server did not start; it said {first_line!r}, and the rest is above")
        self.url = addresses[0].rstrip("/")

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None


class RunningServer(ServerProcess):
    """The demo's server; `options` are more of its command line."""

    def __init__(self, data: Path, *options: str) -> None:
        super().__init__("app.server", "--data", str(data), "--lab", "--grace", "0", *options)
        self.lab: Lab

    def __enter__(self) -> RunningServer:
        pack_page()
        self.start()
        self.lab = Lab(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.close()
        self.stop()
