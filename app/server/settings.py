"""Settings of one server: what the command line chooses, and the seams that tests replace."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from argon2 import PasswordHasher

ROOT = Path(__file__).resolve().parents[2]


class SetupError(Exception):
    """The server can't start. The message is one sentence that says what to do about it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Hold what the server needs to know; every duration is in seconds and may be a fraction.

    ``grace``: how long the refresh token before the newest one is still accepted; 0 means never.
    ``lab``: offer the switches under ``/lab`` and the test pages. Never on a server that others can reach.
    ``allow_hosts``: names and addresses that requests may be for, beside this machine's own.
    ``dpop_nonce``: let each DPoP proof need a nonce of this server's (RFC 9449 §8).
    ``allow_origins``: other origins whose pages may call; `read_origin` writes them as browsers do.
    ``clock``: seconds since the epoch, as the machine has them; ``steady_clock``: seconds since any moment,
    never set back; ``sleep``: waits that many seconds. Tests put their own here.
    """

    data: Path
    root: Path = ROOT
    access_ttl: float = 1800
    refresh_ttl: float = 604800
    grace: float = 10
    lab: bool = False
    dpop_nonce: bool = False
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time
    steady_clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    password_hasher: PasswordHasher = field(default_factory=PasswordHasher)
