"""Keys and proofs without cryptography: a proof says by which key it was made, and for what.

    {"key": "key-1…", "htm": "GET", "htu": "https://app.example/api/me", "ath": "access-ada-2"}

Who may make one is what counts here: a tab that has the key at hand, or finds it beside the journal.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import TYPE_CHECKING, Any

from silent_refresh import Request, Response
from silent_refresh.errors import KeyGone
from silent_refresh.http.credential import PROOF, proven_by

if TYPE_CHECKING:
    from .browser import Tab

_numbers = itertools.count(1)  # no two browsers have the same key


class TabProver:
    """One tab's ``Prover``: ``held`` are the keys that it has at hand."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._journals: set[str] = set()
        self.held: set[str] = set()

    def look_in(self, journal: str | None) -> None:
        """Look there, too."""
        if journal is not None:
            self._journals.add(journal)

    async def make_key(self) -> str:
        """Make one."""
        key = f"key-{next(_numbers)}-".ljust(43, "_")
        self.held.add(key)
        return key

    async def keep(self, key: str, journal: str) -> None:
        """Write it down beside the journal."""
        await self._trip()
        if self._tab.alive:
            self._tab.browser.pending_keys.add((journal, key))

    async def hold(self, key: str) -> None:
        """Have it at hand."""
        await self._find(key)

    def let_go(self, key: str) -> None:
        """Forget it."""
        self.held.discard(key)

    async def sweep(self, journal: str, *, has_session: bool) -> None:
        """Remove what is nobody's."""
        await self._trip()
        if self._tab.alive and not has_session:
            self._tab.browser.keys.pop(journal, None)

    async def prove(self, request: Request) -> str:
        """Return a proof."""
        key, token = proven_by(request.credential)
        if not await self._find(key or ""):
            raise KeyGone(f"{request!r} was not sent", request=request)
        proof = {"key": key, "htm": request.method, "htu": request.sent_url().partition("?")[0], "ath": token}
        return json.dumps(proof)

    async def hears(self, response: Response) -> bool:
        """Learn nothing: there are no nonces here."""
        return False

    async def signed(self, request: Request) -> Request:
        """Return what leaves: with its proof, where it is to have one."""
        if proven_by(request.credential)[0] is None:
            return request
        return request.with_header(PROOF, await self.prove(request))

    async def _find(self, key: str) -> bool:
        browser = self._tab.browser
        if key in self.held:
            return True
        await self._trip()
        found = any(
            key == browser.keys.get(journal) or (journal, key) in browser.pending_keys
            for journal in self._journals
        )
        if found:
            self.held.add(key)
        return found

    async def _trip(self) -> None:
        await asyncio.sleep(self._tab.browser.delay("journal"))


def proof_in(field: str | None) -> dict[str, Any] | None:
    """Read a proof out of its header field."""
    return json.loads(field) if field else None
