"""The data folder: signing key and database, made on the first start and readable by the owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.server.settings import SetupError

KEY_BYTES = 32  # RFC 7518 §3.2: HS256 wants a key at least as long as its hash


def prepare_data_folder(folder: Path) -> None:
    """Make `folder` (mode 0700) unless it is there. Raises SetupError when it can't be written to."""
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True)
            # The folder ignores itself, so a key can't be committed by accident wherever the folder is put.
            (folder / ".gitignore").write_text("*\n")
        probe = folder / f".probe-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or "it can't be used"
        raise SetupError(
            f"can't write to the data folder {folder} ({reason}): choose another with --data DIR"
        ) from error


def signing_key(folder: Path) -> bytes:
    """Return the key that signs access tokens; made at the first call. Raises SetupError if it is damaged."""
    path = folder / "signing.key"
    if not path.exists():
        # Written aside and then linked, so that a second server on this folder never reads half a key.
        aside = folder / f".signing-{secrets.token_hex(4)}"
        create_private(aside)
        aside.write_bytes(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SetupError(f"{path} is damaged: delete it; everyone will have to sign in again")
    return key


def create_private(path: Path) -> None:
    """Create `path` empty with mode 0600 unless it exists."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
