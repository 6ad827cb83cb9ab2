"""What goes through the ports: parsed URLs, and what tabs tell each other of the session."""

from __future__ import annotations

from typing import NamedTuple

from ..http.messages import without_query


class Mark(NamedTuple):
    """What tabs tell each other: the newest generation, of which session, and whether that ended."""

    generation: int
    session: str
    ended: bool


class JournalEntry(NamedTuple):
    """The last change of the session that was committed: what survives the death of the browser.

    ``record`` is the session's record as the store keeps it; ``None`` when the session ended, and for a store
    of this page's own memory. ``in_store`` tells whether the store took it, too. ``at`` is when, in s since
    the epoch. ``is_legacy``: a version that kept no journal told of it, and its record is in the store alone.
    ``key`` is the thumbprint of the key that the session's tokens are bound to: that key is kept beside the
    entry, and goes with it. An entry that was read doesn't say it; the record does.
    """

    generation: int
    session: str
    ended: bool
    record: str | None = None
    in_store: bool = True
    at: float = 0.0
    is_legacy: bool = False
    key: str | None = None

    @property
    def mark(self) -> Mark:
        """What other tabs may be told of it."""
        return Mark(self.generation, self.session, self.ended)

    def __repr__(self) -> str:
        return f"<JournalEntry {self.session} generation {self.generation}{' ended' * self.ended}>"


class Place:
    """A parsed URL: ``origin`` as RFC 6454 writes it, ``path`` with query and fragment, ``url`` the whole.

    ``endpoint`` is the URL without its fragment, ``resource`` without its query and trailing slash too: what
    tells one endpoint from another.
    """

    __slots__ = ("endpoint", "origin", "path", "resource", "url")

    def __init__(self, origin: str, path: str, *, url: str | None = None) -> None:
        self.origin = origin
        self.path = path
        self.url = origin + path if url is None else url
        self.endpoint = origin + path.partition("#")[0]
        self.resource = without_query(self.endpoint).rstrip("/")


def is_plain_http(origin: str) -> bool:
    """Tell whether an origin is of HTTP/1.1, as all without encryption are (RFC 9113 §3.1)."""
    return origin.startswith("http://")
