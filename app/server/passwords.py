"""Users and their passwords, as argon2id hashes (RFC 9106)."""

from __future__ import annotations

import secrets

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from app.server.database import Database

DEMO_USERNAME = "demo"
DEMO_PASSWORD = "demo-password"  # not a secret: it is printed at start and on the sign-in page


class Passwords:
    """Check passwords; the demo user is made when the database is new."""

    def __init__(self, database: Database, hasher: PasswordHasher) -> None:
        self._database = database
        self._hasher = hasher
        # Verified when the user is unknown, so that the time of the answer doesn't tell which names exist.
        self._nobody = hasher.hash(secrets.token_urlsafe())
        # A hash takes 64 MiB: a storm of sign-ins queues here instead of filling the memory.
        self._limiter = anyio.CapacityLimiter(2)
        if not database.rows("SELECT 1 FROM users"):
            with database.transaction() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO users VALUES (?, ?, ?, ?)",
                    (DEMO_USERNAME, "Demo User", "demo@example.org", hasher.hash(DEMO_PASSWORD)),
                )

    async def are_right(self, username: str, password: str) -> bool:
        """Tell whether this user has this password. Takes as long for a user that doesn't exist."""
        found = self._database.rows("SELECT password_hash FROM users WHERE username = ?", username)
        password_hash = str(found[0][0]) if found else self._nobody
        matches = await anyio.to_thread.run_sync(
            self._matches, password_hash, password, limiter=self._limiter
        )
        return matches and bool(found)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerificationError:
            return False
