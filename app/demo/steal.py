"""One theft twice: of bearer tokens, and of tokens that are bound to a key (RFC 9449).

Each has a session of its own, in localStorage, where static/thief.js reads both tokens and uses them. What
the thief got is counted at the server; the page's own session is left in peace.
"""

from __future__ import annotations

from typing import NamedTuple

from pyscript import js_import

from demo.lab import Lab
from silent_refresh import Client, LocalStorage, RefreshEndpoint, SilentRefresh

CREDENTIALS = {"username": "demo", "password": "demo-password"}


class Loot(NamedTuple):
    """What came of a theft: three answers, as statuses, and what the server counted.

    ``later`` is None when the thief had no new tokens to ask with. ``answered`` and ``refused`` are its
    requests to the API.
    """

    profile: int
    renewal: int
    later: int | None
    answered: int
    refused: int


class Steal:
    """Lets the thief in."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._server = Client(auth=None)

    async def run(self) -> tuple[Loot, Loot]:
        """Steal bearer tokens, then bound ones."""
        return await self._from_session(dpop=False), await self._from_session(dpop=True)

    async def _from_session(self, *, dpop: bool) -> Loot:
        (thief,) = await js_import("/static/thief.js")
        store = LocalStorage(key="demo-stolen-bound" if dpop else "demo-stolen-bearer")
        refresh = RefreshEndpoint("/refresh", revoke="/logout", dpop=dpop)
        auth = SilentRefresh(refresh, login=None, store=store)
        proof = auth.proving if dpop else None
        try:
            response = await self._server.post("/login", json=CREDENTIALS, auth=proof)
            await auth.sign_in(await response.raise_for_status().json())
            await self._lab.reset()
            profile, renewal, later = await thief.steal(store.key)
            counted = await self._lab.counters()
            return Loot(
                profile,
                renewal,
                later or None,  # JavaScript's null is something of its own
                counted["api"] - counted["unauthorized"],
                counted["unauthorized"],
            )
        finally:
            await auth.sign_out()
            auth.close()
