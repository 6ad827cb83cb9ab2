"""The session's record in the store: read, written, adopted from the axios recipe's two keys.

Nothing here raises for what it finds: a bad value means that nobody is signed in, a full store that the
session lives in memory; each is said once, in the console.
"""

from __future__ import annotations

import contextlib
import logging

from .ports import SessionStore
from .session import Clock, Session, Tokens, id_of_adopted

log = logging.getLogger("silent_refresh")

ARTICLE_KEYS = ("accessToken", "refreshToken")


class Record:
    """One session's place in a store. ``highest`` is the largest generation seen in it."""

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._told: set[str] = set()
        self.highest = 0

    def read(self) -> Session | None:
        """Return the session that is stored; ``None`` when there's none, or none that can be read."""
        text = self._store.get(self._store.key)
        if not text:
            return self._adopt()
        try:
            session = Session.from_json(text, clock=self._clock)
        except ValueError as wrong:
            self._tell(
                f"the record under {self._store.key!r} can't be used, {wrong}: nobody is signed in. "
                "It stays where it is until the next sign-in replaces it."
            )
            return None
        self.highest = max(self.highest, session.generation)
        return session

    def write(self, session: Session) -> bool:
        """Store the session; ``False`` when the store won't take it."""
        self.highest = max(self.highest, session.generation)
        try:
            self._store.set(self._store.key, session.to_json())
        except OSError as error:
            self._tell(
                f"the session could not be stored ({error}): it lives in this page only, and ends with it. "
                "Free some of this site's storage."
            )
            return False
        return True

    def remove(self) -> None:
        """Clear the record, and the recipe's two keys.

        Written over first: a browser doesn't pass on the removal of what this tab can't see yet, and another
        tab may have written in this very moment.
        """
        with contextlib.suppress(OSError):
            self._store.set(self._store.key, "")
        for key in (self._store.key, *ARTICLE_KEYS):
            self._store.remove(key)

    def _adopt(self) -> Session | None:
        """Take over the two keys, so that a page that switches to this library stays signed in."""
        access_token, refresh_token = (self._store.get(key) for key in ARTICLE_KEYS)
        if access_token is None:
            return None
        try:
            tokens = Tokens(access_token, refresh_token)
        except ValueError as wrong:
            self._tell(
                f"the tokens under {' and '.join(ARTICLE_KEYS)} can't be used, {wrong}: nobody is signed in."
            )
            return None
        now = self._clock.time()
        session = Session(id_of_adopted(tokens), self.highest + 1, tokens, issued_at=now, clock=self._clock)
        if self.write(session):
            for key in ARTICLE_KEYS:
                self._store.remove(key)
        return session

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            log.warning("silent-refresh: %s", message)
