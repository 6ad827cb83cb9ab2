"""The session card: the access token's life as a ring that drains, both tokens masked, who renewed last.

The session's record in the store tells it all. It is read once a second and at each of the library's events,
so that it never shows a generation that is gone.
"""

from __future__ import annotations

import json
import time
from typing import Any

import js
from pyodide.ffi import create_proxy, to_js

from demo.document import element, put, recall, remember
from demo.words import Words
from silent_refresh import Event, SessionStore, SilentRefresh

EVERY = 1000  # ms
DATE = {"dateStyle": "medium", "timeStyle": "short"}
RENEWED_BY = "demo-renewed-by"  # in localStorage: {"generation": 3, "tab": "B", "at": 1764000000.0}


class SessionCard:
    """Shows the session of `auth`; `store` is where that keeps it, `tab` is this tab's name."""

    def __init__(self, auth: SilentRefresh, store: SessionStore, words: Words, tab: str) -> None:
        self._auth = auth
        self._store = store
        self._words = words
        self._tab = tab
        self._told: tuple[str, float] | None = None  # which session ends when, in s since the epoch

    def open(self) -> None:
        """Show the session from now on."""
        self.show()
        put("this-tab", self._tab)
        self._auth.listen(self._note)
        self._words.listen(self.show)
        js.setInterval(create_proxy(self.show), EVERY)  # for the life of the page, so never destroyed

    def tell_end(self, expires_in: float) -> None:
        """Take what the server says of the session: the seconds that its refresh tokens still have."""
        self._told = str(self._record().get("id")), time.time() + expires_in
        self.show()

    def _note(self, event: Event) -> None:
        if event.name == "refresh-done":
            note = {"generation": event.generation, "tab": self._tab, "at": time.time()}
            remember(RENEWED_BY, json.dumps(note))
        if event.request is None:  # what concerns one request changes nothing here
            self.show()

    def show(self) -> None:
        """Show the session as it is now."""
        tokens = self._auth.tokens
        put("access-token", self._masked(tokens.access_token if tokens else None))
        put("refresh-token", self._masked(tokens.refresh_token if tokens else None))
        record = self._record() if tokens else {}
        put("generation", str(record.get("generation", "–")))
        put("refresh-life", self._refresh_life(record.get("id")))
        put("renewed-by", self._renewed_by(record.get("generation")))
        self._show_life(record.get("expires_in"), record.get("issued_at"))

    def _show_life(self, life: float | None, issued_at: float | None) -> None:
        if life is None or issued_at is None:
            put("seconds-left", "–")
            put("whole-life", self._words("life-unknown"))
            return
        left = min(life, max(0.0, issued_at + life - time.time()))
        element("ring").setAttribute("stroke-dasharray", f"{100 * left / life:.2f} 100")
        put("seconds-left", self._words("seconds", seconds=round(left)))
        put("whole-life", self._words("of-life", life=self._words("seconds", seconds=f"{life:g}")))

    def _record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self._store.get(self._store.key) or "{}")
        return record

    def _refresh_life(self, session: str | None) -> str:
        """Say until when; a renewal doesn't move it, but another tab may have begun another session."""
        if self._told is None or self._told[0] != session:
            return self._words("unknown")
        ends_at = self._told[1]
        return self._when(ends_at) if time.time() < ends_at else self._words("over")

    def _renewed_by(self, generation: int | None) -> str:
        note: dict[str, Any] = json.loads(recall(RENEWED_BY) or "{}")
        if generation is None or note.get("generation") != generation:
            return self._words("not-yet")
        key = "tab-here" if note["tab"] == self._tab else "tab-other"
        at = str(js.Date.new(note["at"] * 1000).toLocaleTimeString(self._words.language))
        return self._words(key, tab=note["tab"], at=at)

    def _when(self, at: float) -> str:
        return str(js.Date.new(at * 1000).toLocaleString(self._words.language, to_js(DATE)))

    def _masked(self, token: str | None) -> str:
        # The last characters are enough to see that it changed.
        return f"… {token[-6:]}" if token else self._words("none")
