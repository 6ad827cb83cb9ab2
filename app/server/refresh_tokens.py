"""Refresh tokens: opaque, rotated at each use, and watched for reuse (RFC 9700 §4.14.2).

A sign-in starts a *family*. Using a token yields a token of the next *generation*; the family remembers its
newest generation and when the one before was first used. From that, three cases:

- a token of the newest generation: a normal use; the family moves on one generation;
- a token of the generation just before, within the grace time of that generation's first use: someone asks
  twice because the first answer was lost, or two requests crossed. It gets another token of the newest
  generation;
- anything older, or later: somebody else has the token. The whole family ends.

Concurrent requests are put in order by the write lock that a rotation holds from its first read on: one is
the first use, the others fall under the grace. The several tokens of one generation that this leaves count as
one: as soon as any of them is used, all are, so a thief who copied one within the grace is found out at a
later rotation.

A sign-in with a DPoP proof binds its family to the proof's key (RFC 9449 §5), and so does the first refresh
with one. Without that key a refresh token does nothing: it isn't used up, and doesn't end the family.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from sqlite3 import Connection

from app.server.database import Database

KEPT_AFTER_EXPIRY = 30 * 86400  # seconds; not at once, because access tokens of the family may outlive it


@dataclass(frozen=True)
class Grant:
    """A refresh token that was just issued, and `refresh_expires_in`: the seconds its family still has."""

    username: str
    family: str
    refresh_token: str = field(repr=False)
    refresh_expires_in: float
    jkt: str | None  # of the key that its family is bound to


class Refusal(Enum):
    """Why a refresh token is not accepted; the value is fit for an ``error_description``."""

    UNKNOWN = "The refresh token is not known"
    WITHOUT_KEY = "The refresh token is bound to a key, and needs a proof of it"
    OTHER_KEY = "The refresh token is bound to another key"
    REVOKED = "The refresh token was revoked"
    EXPIRED = "The refresh token expired"
    REUSED = "The refresh token was used before; the session was ended"


class RefreshTokens:
    """Issue, rotate and revoke. `ttl` and `grace` in seconds; `clock`, the server's time, never goes back."""

    def __init__(self, database: Database, clock: Callable[[], float], *, ttl: float, grace: float) -> None:
        self._database = database
        self._clock = clock
        self._ttl = ttl
        self.grace = grace

    def start_family(self, username: str, jkt: str | None = None) -> Grant:
        """Issue the first refresh token of a new sign-in, bound to the key with the thumbprint `jkt`."""
        family = secrets.token_urlsafe(12)
        with self._database.transaction() as connection:
            now = self._clock()
            connection.execute("DELETE FROM families WHERE expires_at < ?", (now - KEPT_AFTER_EXPIRY,))
            connection.execute(
                "INSERT INTO families VALUES (?, ?, ?, NULL, 0, NULL)", (family, username, now + self._ttl)
            )
            _bind(connection, family, jkt)
            token = _issue(connection, family, parent=None, generation=0)
        return Grant(username, family, token, self._ttl, jkt)

    def rotate(self, token: str, jkt: str | None = None) -> Grant | Refusal:
        """Exchange a refresh token for the next one, in one transaction; `jkt` is that of the proof's key."""
        presented = _hash(token)
        with self._database.transaction() as connection:
            now = self._clock()
            found = connection.execute(
                """SELECT families.id, username, refresh_tokens.generation, families.generation,
                          rotated_at, expires_at, revoked_at, jkt
                   FROM refresh_tokens JOIN families ON families.id = refresh_tokens.family
                   LEFT JOIN family_keys ON family_keys.family = families.id WHERE hash = ?""",
                (presented,),
            ).fetchone()
            if found is None:
                return Refusal.UNKNOWN
            family, username, generation, newest, rotated_at, expires_at, revoked_at, bound_to = found
            if bound_to is not None and jkt != bound_to:
                return Refusal.OTHER_KEY if jkt else Refusal.WITHOUT_KEY
            if revoked_at is not None:
                return Refusal.REVOKED
            if now >= expires_at:
                return Refusal.EXPIRED
            if generation == newest:
                newest += 1
                connection.execute(
                    "UPDATE families SET generation = ?, rotated_at = ? WHERE id = ?", (newest, now, family)
                )
                connection.execute("UPDATE refresh_tokens SET used_at = ? WHERE hash = ?", (now, presented))
            # Counted from the first use, which a repetition doesn't move: the window can't be kept open.
            elif generation != newest - 1 or now - rotated_at >= self.grace:
                _revoke(connection, family, now)
                return Refusal.REUSED
            _bind(connection, family, jkt)
            successor = _issue(connection, family, parent=presented, generation=newest)
        return Grant(username, family, successor, expires_at - now, jkt)

    def expires_in(self, family: str) -> float:
        """Return the seconds that a family's refresh tokens still have; 0 when it has none."""
        found = self._database.rows(
            """SELECT expires_at FROM families WHERE id = ? AND revoked_at IS NULL
               AND EXISTS (SELECT 1 FROM refresh_tokens WHERE family = families.id)""",
            family,
        )
        return max(0.0, found[0][0] - self._clock()) if found else 0.0

    def revoke(self, token: str) -> None:
        """End the family of a refresh token, used or not; an unknown token is no error (RFC 7009 §2.2)."""
        with self._database.transaction() as connection:
            for (family,) in connection.execute(
                "SELECT family FROM refresh_tokens WHERE hash = ?", (_hash(token),)
            ).fetchall():
                _revoke(connection, family, self._clock())

    def forget_all(self) -> None:
        """Make every refresh token unknown; access tokens live on until they expire."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM refresh_tokens")


def _bind(connection: Connection, family: str, jkt: str | None) -> None:
    if jkt is not None:
        connection.execute("INSERT OR IGNORE INTO family_keys VALUES (?, ?)", (family, jkt))


def _issue(connection: Connection, family: str, *, parent: bytes | None, generation: int) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(
        "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, NULL)", (_hash(token), family, parent, generation)
    )
    return token


def _revoke(connection: Connection, family: str, now: float) -> None:
    connection.execute(
        "UPDATE families SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (now, family)
    )


def _hash(token: str) -> bytes:
    # No salt and no slow hash: 256 random bits can't be guessed, and the lookup needs a fixed key.
    return hashlib.sha256(token.encode()).digest()
