"""Resources that refuse every token, for a missing permission say, and call that 401.

Without a memory of them, a page that polls one would renew the token at each poll.
"""

from __future__ import annotations

from .messages import without_query
from .session import Session

MOST = 1000  # more resources than that refuse everything: forget them all rather than grow


class Refusers:
    """Remembers who refused a brand-new token; each gets another chance when the token changes.

    A change that one refuser asked for is no news to the others: else two would renew in turns for ever.
    """

    def __init__(self) -> None:
        self._resources: set[tuple[str, str]] = set()
        self._token: str | None = None

    def add(self, method: str, url: str, session: Session, *, before: Session) -> None:
        """Note that the resource refused the token of ``session``, which replaced that of ``before``."""
        if (
            self._token not in (session.tokens.access_token, before.tokens.access_token)
            or len(self._resources) >= MOST
        ):
            self._resources.clear()
        self._token = session.tokens.access_token
        self._resources.add((method, without_query(url)))

    def knows(self, method: str, url: str, session: Session) -> bool:
        """Tell whether a 401 of that resource says nothing about this session's token."""
        return session.tokens.access_token == self._token and (method, without_query(url)) in self._resources
