"""What is remembered of a signed-in user: ``Tokens``, and the ``Session`` record around them.

    {"version": 1, "id": "9f2c…", "generation": 3, "issued_at": 1764000000.0,   # s since the epoch
     "access_token": "…", "refresh_token": "…" | null, "expires_in": 1800 | null}   # s

One record under one key, so that the two tokens can never be torn apart. A sign-in makes a new
``id``; every renewal, sign-in and sign-out raises the ``generation``, which therefore only grows.
"""

from __future__ import annotations

import json
import math
import os
import re
from typing import Any, Protocol, TypeGuard

from .json_text import parse_json

VERSION = 1
ASKED_ANEW = 0.1  # s after which a token that was not due may be; each of the two clocks costs a request 2 µs
LONGEST_LIFE = 10 * 366 * 24 * 3600.0  # s; more than ten years is a mistake or a lie
_VSCHAR = re.compile(r"[\x20-\x7e]+")
_NO_TOKENS = frozenset(
    {"undefined", "null", "None", "NaN", "[object Object]"}
)  # what setItem made of a mistake


class Clock(Protocol):
    """The two clocks of the ``time`` module, both in seconds."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...


class Tokens:
    """An access token, and what renews it.

    ``expires_in`` is the access token's life in seconds from now; without it, it is read from the
    token itself (``exp − iat``) when that is a JWT. ``None`` means unknown: then the first 401 tells.
    Raises ``ValueError`` for a token that could not travel in a header (RFC 6749 appendix A.12, A.17).
    """

    __slots__ = ("access_token", "expires_in", "refresh_token")

    def __init__(
        self, access_token: str, refresh_token: str | None = None, *, expires_in: Any = None
    ) -> None:
        self.access_token = _checked("access_token", access_token)
        self.refresh_token = None if refresh_token is None else _checked("refresh_token", refresh_token)
        self.expires_in = _seconds(expires_in) if expires_in is not None else _life_of_jwt(access_token)

    def with_refresh_token(self, refresh_token: str | None) -> Tokens:
        """Return a copy with this refresh token."""
        copy = Tokens.__new__(Tokens)
        copy.access_token, copy.refresh_token, copy.expires_in = (
            self.access_token,
            refresh_token,
            self.expires_in,
        )
        return copy

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokens):
            return NotImplemented
        return (self.access_token, self.refresh_token) == (other.access_token, other.refresh_token)

    def __hash__(self) -> int:
        return hash((self.access_token, self.refresh_token))

    def __repr__(self) -> str:
        refresh_token = "None" if self.refresh_token is None else "…"
        return f"Tokens(access_token=…, refresh_token={refresh_token}, expires_in={self.expires_in})"


class Session:
    """One signed-in user in this browser, from sign-in to sign-out; a value, replaced at each renewal.

    Age is counted on both clocks and the larger counts: the monotonic one is right when somebody
    sets the computer's clock, the wall clock is right when the computer slept.
    """

    __slots__ = ("_fresh_at", "_received", "generation", "id", "issued_at", "tokens")

    def __init__(self, id: str, generation: int, tokens: Tokens, *, issued_at: float, clock: Clock) -> None:
        self.id = id
        self.generation = generation
        self.tokens = tokens
        self.issued_at = issued_at
        self._received = clock.monotonic() - max(0.0, clock.time() - issued_at)
        self._fresh_at = -math.inf  # by the wall clock: when it was last found that it isn't due

    @classmethod
    def begin(cls, tokens: Tokens, *, generation: int, clock: Clock) -> Session:
        """Start a session with an id of its own."""
        return cls(os.urandom(8).hex(), generation, tokens, issued_at=clock.time(), clock=clock)

    def renewed(self, tokens: Tokens, *, clock: Clock) -> Session:
        """Return this session's next generation; a refresh token that wasn't rotated stays (RFC 6749 §6)."""
        if tokens.refresh_token is None:
            tokens = tokens.with_refresh_token(self.tokens.refresh_token)
        return Session(self.id, self.generation + 1, tokens, issued_at=clock.time(), clock=clock)

    def at_generation(self, generation: int, *, clock: Clock) -> Session:
        """Return the same session and tokens, numbered anew."""
        return Session(self.id, generation, self.tokens, issued_at=self.issued_at, clock=clock)

    def remaining(self, clock: Clock) -> float | None:
        """Return the seconds of life left, below zero when past; ``None`` when unknown."""
        if self.tokens.expires_in is None:
            return None
        age = max(clock.monotonic() - self._received, clock.time() - self.issued_at)
        return self.tokens.expires_in - age

    def time_until_due(self, clock: Clock, leeway: float) -> float | None:
        """Return the seconds until the token is to be renewed before it is sent; ``None`` for never.

        That is ``leeway`` seconds before its end, but never more than a quarter of its life.
        """
        life, remaining = self.tokens.expires_in, self.remaining(clock)
        return None if life is None or remaining is None else remaining - min(leeway, life / 4)

    def is_due(self, clock: Clock, leeway: float) -> bool:
        """Tell whether to renew the token before it is sent."""
        life = self.tokens.expires_in
        if life is None:
            return False
        now = clock.time()
        if 0 <= now - self._fresh_at < ASKED_ANEW:
            return False
        # As time_until_due counts, in fewer steps: every request asks.
        fresh_for = life - (leeway if leeway * 4 < life else life / 4)
        if clock.monotonic() - self._received > fresh_for or now - self.issued_at > fresh_for:
            return True
        self._fresh_at = now
        return False

    def to_json(self) -> str:
        """Write the record of this module's prologue."""
        return json.dumps(
            {
                "version": VERSION,
                "id": self.id,
                "generation": self.generation,
                "issued_at": self.issued_at,
                "access_token": self.tokens.access_token,
                "refresh_token": self.tokens.refresh_token,
                "expires_in": self.tokens.expires_in,
            }
        )

    @classmethod
    def from_json(cls, text: str, *, clock: Clock) -> Session:
        """Read a record; older ones, which lack fields, too. Raises ``ValueError``, without a token in it."""
        try:
            record = parse_json(text)
        except ValueError:
            raise ValueError("it is not JSON") from None  # the original would quote the text
        if not isinstance(record, dict):
            raise ValueError("it is not a JSON object")
        tokens = Tokens(
            record.get("access_token"),  # type: ignore[arg-type]  # checked there
            record.get("refresh_token"),
            expires_in=record.get("expires_in"),
        )
        generation, id, issued_at = record.get("generation", 1), record.get("id"), record.get("issued_at")
        if type(generation) is not int or generation < 1:
            raise ValueError("generation is not a positive whole number")
        if not isinstance(id, str) or not id:
            id = id_of_adopted(tokens)
        received = issued_at if _is_number(issued_at) else clock.time()
        return cls(id, generation, tokens, issued_at=received, clock=clock)

    def __repr__(self) -> str:
        return f"<Session {self.id} generation {self.generation}>"


def id_of_adopted(tokens: Tokens) -> str:
    """Return an id for tokens that were stored without one; every tab that adopts them finds the same."""
    import hashlib  # here alone, and not cheap to load in a browser

    secret = tokens.refresh_token or tokens.access_token
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def _checked(name: str, token: object) -> str:
    if not isinstance(token, str):
        raise ValueError(f"{name} must be a string, not {type(token).__name__}")
    if token in _NO_TOKENS:
        raise ValueError(f"{name} is the word {token!r}, which is what JavaScript writes for a missing value")
    if not _VSCHAR.fullmatch(token):
        raise ValueError(
            f"{name} is empty or has characters that no token has: only visible ASCII can be sent"
        )
    return token


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(value: Any) -> float | None:
    """Normalise a life: a number or a numeric string of seconds; what can't be one is unknown."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if _is_number(value) and 0 < value <= LONGEST_LIFE else None


def _life_of_jwt(token: str) -> float | None:
    """Return ``exp − iat`` of a JWT (RFC 7519 §4.1): a difference, so the computers' clocks may differ."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    import base64

    try:
        claims = parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return _seconds(claims["exp"] - claims["iat"])
    except (ValueError, TypeError, KeyError):
        return None
