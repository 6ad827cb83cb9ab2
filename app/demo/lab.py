"""The server's lab, as the page uses it: switches for what otherwise takes long, and counters."""

from __future__ import annotations

from typing import Any

from silent_refresh import Client


class Lab:
    """The switches; each takes JSON. Without ``--lab`` the server has none: `is_open` tells."""

    def __init__(self) -> None:
        self._client = Client("/lab", auth=None)

    async def is_open(self) -> bool:
        """Tell whether the server offers its lab."""
        return (await self._client.get("counters")).ok

    async def counters(self) -> dict[str, int]:
        """Return what the server counted: refresh, reuse, api, unauthorized."""
        counted: dict[str, int] = await (await self._client.get("counters")).raise_for_status().json()
        return counted

    async def expire(self) -> None:
        """Let all access tokens count as expired."""
        (await self._client.post("expire", json={})).raise_for_status()

    async def revoke(self) -> None:
        """Make all refresh tokens unknown."""
        (await self._client.post("revoke", json={})).raise_for_status()

    async def order(self, where: str, **fault: Any) -> None:
        """Order a fault for the next calls of ``"refresh"`` or ``"api"``; delay in seconds."""
        (await self._client.post(where, json=fault)).raise_for_status()

    async def reset(self) -> None:
        """Forget the faults to come, and set the counters to zero."""
        (await self._client.post("reset", json={})).raise_for_status()
