"""The database: one SQLite file, one connection, short transactions.

The endpoints call it straight from the event loop. Each transaction touches a few indexed rows and takes tens
of microseconds, less than handing it to a thread would. BEGIN IMMEDIATE takes the write lock *before* the
first read, so two servers on one file can't both read a refresh token as unused
(https://www.sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.server.data_folder import create_private
from app.server.settings import SetupError

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    username TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, password_hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS families (         -- one for each sign-in
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL REFERENCES users (username),
    expires_at REAL NOT NULL,                 -- of all its tokens: a rotation has nothing to extend
    revoked_at REAL,
    generation INTEGER NOT NULL,              -- of the newest refresh token
    rotated_at REAL                           -- when a token of the generation before was first used
);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    hash BLOB PRIMARY KEY,                    -- SHA-256; the token itself is stored nowhere
    family TEXT NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    parent BLOB,                              -- hash of the token it was issued for
    generation INTEGER NOT NULL,
    used_at REAL
);
CREATE INDEX IF NOT EXISTS refresh_tokens_by_family ON refresh_tokens (family);
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL REFERENCES users (username), text TEXT NOT NULL, created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_by_user ON notes (username, id);
CREATE TABLE IF NOT EXISTS access_epoch (     -- one row; access tokens of an earlier epoch count as expired
    only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL
);
INSERT OR IGNORE INTO access_epoch VALUES (1, 0);
"""


class Database:
    """Open the file at `path`, made when missing. Raises SetupError when it is something else."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            create_private(path)
            # The lock, not sqlite3's own check, keeps threads apart: tests rotate from several.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        except (OSError, sqlite3.Error) as error:
            raise SetupError(f"can't open {path}: choose another folder with --data DIR") from error
        try:
            self._prepare()
        except (sqlite3.Error, ValueError) as error:
            self._connection.close()
            raise SetupError(
                f"{path} is damaged or from another version: delete it, or use --data DIR"
            ) from error

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode this survives a crash of the program; only a power cut can undo the last commits,
        # and all that costs here is a new sign-in.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise ValueError(f"schema version {version}")
        self._connection.executescript(SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one write transaction; an exception undoes all of it. Not to be nested."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query that only reads."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file. Nothing can be asked of it afterwards."""
        with self._lock:
            self._connection.close()
