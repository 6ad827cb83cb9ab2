"""The session card: the two tokens, masked, and how long the access token has to live."""

from __future__ import annotations

import json
import time
from typing import Any

import js
from pyodide.ffi import create_proxy

from demo.document import say
from silent_refresh import SessionStore, SilentRefresh

EVERY = 1000  # ms


class SessionCard:
    """Shows the session of `auth`; `store` is where that keeps it."""

    def __init__(self, auth: SilentRefresh, store: SessionStore) -> None:
        self._auth = auth
        self._store = store

    def open(self) -> None:
        """Show the session from now on, once a second."""
        self.show()
        js.setInterval(create_proxy(self.show), EVERY)  # for the life of the page, so never destroyed

    def show(self) -> None:
        """Show the session as it is now."""
        tokens = self._auth.tokens
        say("access-token", masked(tokens.access_token if tokens else None))
        say("refresh-token", masked(tokens.refresh_token if tokens else None))
        record = self._record()
        say("generation", str(record.get("generation", "–")))
        say("seconds-left", life_left(record))

    def _record(self) -> dict[str, Any]:
        text = self._store.get(self._store.key)
        return json.loads(text) if text and self._auth.signed_in else {}


def masked(token: str | None) -> str:
    """Return a token's last characters, enough to see that it changed."""
    return f"… {token[-6:]}" if token else "none"


def life_left(record: dict[str, Any]) -> str:
    """Return how long the access token lives on, as far as its record tells."""
    life = record.get("expires_in")
    if not record or life is None:
        return "unknown"
    left = max(0, round(record["issued_at"] + life - time.time()))
    return f"{left} of {life:g} s left"
