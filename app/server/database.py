"""The database: one SQLite file, one connection, short transactions.

The endpoints call it straight from the event loop. Each transaction touches a few indexed rows and takes tens
of microseconds, less than handing it to a thread would. SQLite waits for nothing there: while another program
holds the file, `Database.patiently` lets the loop go on and asks again.

BEGIN IMMEDIATE takes the write lock *before* the first read, so two servers on one file can't both read a
refresh token as unused (https://www.sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio

from app.server.data_folder import create_private
from app.server.server_time import ServerTime
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
CREATE TABLE IF NOT EXISTS family_keys (      -- of those whose tokens are bound to a key (RFC 9449)
    family TEXT PRIMARY KEY REFERENCES families (id) ON DELETE CASCADE,
    jkt TEXT NOT NULL                         -- the key's thumbprint (RFC 7638)
);
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL REFERENCES users (username), text TEXT NOT NULL, created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_by_user ON notes (username, id);
CREATE TABLE IF NOT EXISTS access_epoch (     -- one row; access tokens of an earlier epoch count as expired
    only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL
);
INSERT OR IGNORE INTO access_epoch VALUES (1, 0);
CREATE TABLE IF NOT EXISTS server_time (      -- one row: the latest time of this server
    only INTEGER PRIMARY KEY CHECK (only = 1), latest REAL NOT NULL
);
INSERT OR IGNORE INTO server_time VALUES (1, 0);
"""


SETUP_PATIENCE = 5.0  # seconds; nobody else is waiting yet
PAUSES = (0.01, 0.02, 0.04, 0.08, 0.15)  # seconds between the tries of a request

T = TypeVar("T")


class DatabaseBusy(Exception):
    """Another program holds the file; nothing was done."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another program holds {path}: stop it, or use --data DIR")


class Database:
    """Open the file at `path`, made when missing. Raises DatabaseBusy, or SetupError if it is something else.

    `time` goes on from where the file has it, and the file has it from each transaction. `sleep` waits that
    many seconds.
    """

    def __init__(
        self, path: Path, time: ServerTime, *, sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._time = time
        self._sleep = sleep
        try:
            create_private(path)
            # The lock, not sqlite3's own check, keeps threads apart: tests rotate from several.
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=SETUP_PATIENCE
            )
        except (OSError, sqlite3.Error) as error:
            raise SetupError(f"can't open {path}: choose another folder with --data DIR") from error
        try:
            self._prepare()
        except (sqlite3.Error, ValueError) as error:
            self._connection.close()
            if _is_busy(error):
                raise DatabaseBusy(path) from error
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
        (latest,) = self._connection.execute("SELECT latest FROM server_time").fetchone()
        self._time.go_on_from(latest)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block as one write transaction; an exception undoes all of it. Not to be nested.

        Raises DatabaseBusy before the block.
        """
        with self._lock:
            self._execute("BEGIN IMMEDIATE")
            try:
                self._connection.execute("UPDATE server_time SET latest = max(latest, ?)", (self._time(),))
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query that only reads. Raises DatabaseBusy."""
        with self._lock:
            return self._execute(query, *values).fetchall()

    async def patiently(self, work: Callable[[], T]) -> T:
        """Do `work`, a transaction or a query, once the file is free. Raises DatabaseBusy after 0.3 s."""
        for pause in PAUSES:
            try:
                return work()
            except DatabaseBusy:
                await self._sleep(pause)
        return work()

    def never_wait(self) -> None:
        """End the set-up: from now on a file that is held raises DatabaseBusy at once."""
        self._connection.execute("PRAGMA busy_timeout = 0")

    def close(self) -> None:
        """Keep the time and close the file. Nothing can be asked of it afterwards."""
        with suppress(DatabaseBusy), self.transaction():
            pass  # or else the time of the transaction before is nearly as good
        with self._lock:
            self._connection.close()

    def _execute(self, query: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(query, values)
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                raise DatabaseBusy(self._path) from error
            raise


def _is_busy(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
