"""Somebody with a key, who sends requests with proofs to a site of a test (RFC 9449).

tokens = await sender.sign_in()
assert 200 == (await sender.get(tokens["accessToken"])).status_code
assert 400 == (await sender.refresh(tokens["refreshToken"], htm="GET")).status_code
"""

from __future__ import annotations

from typing import Any

import httpx

from tests.server.keys import Key
from tests.server.site import CREDENTIALS, Site

HERE = "http://server.test"
DPOP = 'DPoP realm="silent-refresh", algs="ES256"'


class Sender:
    """Somebody with a key, who sends proofs to a site."""

    def __init__(self, site: Site, key: Key | None = None) -> None:
        self._site = site
        self.key = key or Key()

    async def sign_in(self, **changed: Any) -> dict[str, Any]:
        """Sign in, and return the answer's JSON."""
        response = await self.post("/login", CREDENTIALS, **changed)
        assert 200 == response.status_code, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    async def refresh(self, refresh_token: str, **changed: Any) -> httpx.Response:
        """Ask for the next pair; `changed` is what the proof has wrong."""
        return await self.post("/refresh", {"refreshToken": refresh_token}, **changed)

    async def get(self, access_token: str, path: str = "/api/profile", **changed: Any) -> httpx.Response:
        """Ask for a resource."""
        made = {"access_token": access_token} | changed
        proof = self.key.proof("GET", HERE + path, **made)
        return await self._site.http.get(path, headers=bound(access_token) | {"DPoP": proof})

    async def post(self, path: str, content: object, **changed: Any) -> httpx.Response:
        """Send JSON with a proof."""
        proof = self.key.proof("POST", HERE + path, **changed)
        return await self._site.http.post(path, json=content, headers={"DPoP": proof})


def bound(access_token: str) -> dict[str, str]:
    """Return the header that carries a bound access token, without a proof."""
    return {"Authorization": f"DPoP {access_token}"}


def answered(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code."""
    return response.status_code, response.json()["error"]
