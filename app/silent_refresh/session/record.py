"""The session's record in the store: read, written, adopted from the axios recipe's two keys.

Nothing here raises for what it finds: a bad value means that nobody is signed in, a full store that the
session lives in memory; each is said once, in the console.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from ..http.json import parse_json
from .tokens import LARGEST_GENERATION, Session, Tokens, id_of_adopted

if TYPE_CHECKING:
    from ..platform.ports import Clock, SessionStore

log = logging.getLogger("silent_refresh")

ARTICLE_KEYS = ("accessToken", "refreshToken")


class Record:
    """One session's place in a store. ``highest`` is the largest generation seen, here or in the journal.

    ``owner`` names the application (its endpoint and client): where another one of this origin has a record
    under the same key, this one's is beside it, and neither touches the other's. ``is_foreign`` tells that
    the last ``read`` found nothing but such a record.
    """

    def __init__(self, store: SessionStore, clock: Clock, owner: str) -> None:
        self._store = store
        self._clock = clock
        self.owner = owner
        self._told: set[str] = set()
        self.highest = 0
        self.is_foreign = False
        self.adopted: str | None = None  # the session that was made of the recipe's two keys

    @property
    def begins_anew(self) -> bool:
        """Whether there's no larger generation: somebody wrote the largest, to stop all others."""
        return self.highest >= LARGEST_GENERATION

    def next(self) -> int:
        """Return the generation that comes after all that were seen."""
        if self.begins_anew:
            self.highest = 0
        return self.highest + 1

    def parse(self, text: str) -> Session:
        """Read a record's text. Raises ``ValueError``, without a token in it."""
        session = Session.from_json(text, clock=self._clock)
        self.highest = max(self.highest, session.generation)
        return session

    def text_of(self, session: Session) -> str:
        """Write a record's text."""
        return session.to_json(self.owner)

    def read(self) -> Session | None:
        """Return the session that is stored; ``None`` when there's none, or none that can be read."""
        key, text = self._find()
        if not text:
            return None if self.is_foreign else self._adopt()
        try:
            return self.parse(text)
        except ValueError as wrong:
            self._tell(
                f"the record under {key!r} can't be used, {wrong}: nobody is signed in. "
                "It stays where it is until the next sign-in replaces it."
            )
            return None

    def write(self, session: Session) -> bool:
        """Store the session; ``False`` when the store won't take it."""
        self.highest = max(self.highest, session.generation)
        try:
            self._store.set(self._find()[0], self.text_of(session))
        except Exception as error:  # OSError by the protocol, but a store of the page's may break that
            why = error if isinstance(error, OSError) else type(error).__name__
            self._tell(
                f"the session could not be stored ({why}): other tabs and the next start have it from the "
                "journal, if there is one; else it ends with this page. Free some of this site's storage."
            )
            return False
        return True

    def remove(self) -> None:
        """Clear the record, and the recipe's two keys.

        Written over first: a browser doesn't pass on the removal of what this tab can't see yet, and another
        tab may have written in this very moment.
        """
        try:
            key, _ = self._find()
            if self.is_foreign:
                return
            with contextlib.suppress(OSError):
                self._store.set(key, "")
            for name in (key, *ARTICLE_KEYS):
                self._store.remove(name)
        except Exception as error:  # a store of the page's
            self._tell(f"the record of a session that is over could not be removed ({type(error).__name__})")

    def _find(self) -> tuple[str, str | None]:
        """Return where this application's record is, or belongs, and what is there."""
        beside = f"{self._store.key}@{self.owner}"
        text = self._store.get(beside)
        self.is_foreign = False
        if text:
            return beside, text
        text = self._store.get(self._store.key)
        if _owner_of(text) in (None, self.owner):
            return self._store.key, text
        self.is_foreign = True
        return beside, None

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
        session = Session(id_of_adopted(tokens), self.next(), tokens, issued_at=now, clock=self._clock)
        self.adopted = session.id
        if self.write(session):
            for key in ARTICLE_KEYS:
                self._store.remove(key)
        return session

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            log.warning("silent-refresh: %s", message)


def _owner_of(text: str | None) -> str | None:
    """Return whose record it is; ``None`` for nobody's, and for one of a version that didn't say so."""
    try:
        owner = parse_json(text).get("owner") if text else None
    except (ValueError, AttributeError):
        return None
    return owner if isinstance(owner, str) else None
