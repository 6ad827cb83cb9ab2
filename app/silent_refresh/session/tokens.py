"""What is remembered of a signed-in user: ``Tokens``, and the ``Session`` record around them.

    {"version": 1, "owner": "https://app.example/refresh", "id": "9f2c…", "generation": 3,
     "issued_at": 1764000000.0,   # s since the epoch
     "began_at": 1763990000.0,    # the same of its sign-in
     "access_token": "…", "refresh_token": "…" | null, "expires_in": 1800 | null,   # s
     "proven": true,   # only where the endpoint has renewed it, or begun it
     "key": "0ZcOC…"}   # only where the tokens are bound to one: its thumbprint (RFC 7638)

One record under one key, so that the two tokens can never be torn apart. A sign-in makes a new
``id``; every renewal, sign-in and sign-out raises the ``generation``, which therefore only grows.
"""

from __future__ import annotations

import json
import os
import re
from binascii import crc32
from typing import TYPE_CHECKING, Any

from ..http.credential import IN_COOKIES, NOT_YET
from ..http.json import is_number, number_from, parse_json

if TYPE_CHECKING:
    from ..platform.ports import Clock

VERSION = 1
LONG_LIFE = 120.0  # s; a token that lives as long is renewed earlier by up to ...
SPREAD = 0.4  # ... this part of its life
LARGEST_GENERATION = 2**53  # one above it was made up: no browser counts that far
SURE_AFTER = 86_400.0  # s after which a mistake of the page's developers would have been found
LONGEST_LIFE = 10 * 366 * 24 * 3600.0  # s; more than ten years is a mistake or a lie
_VSCHAR = re.compile(r"[\x20-\x7e]+")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256, in base64url (RFC 7638 §3)
_NO_TOKENS = frozenset(
    {"undefined", "null", "None", "NaN", "[object Object]"}
)  # what setItem made of a mistake


class Tokens:
    """An access token, and what renews it.

    ``expires_in`` is the access token's life in seconds from now; without it, it is read from the
    token itself when that is a JWT (``exp − iat``, or ``exp`` against this computer's clock). ``None`` means
    unknown: then the first 401 tells. ``Tokens.in_cookies()`` stands for tokens that no script can read.
    Raises ``ValueError`` for a token that could not travel in a header (RFC 6749 appendix A.12, A.17).
    """

    __slots__ = ("access_token", "expires_in", "refresh_token")

    def __init__(
        self, access_token: str, refresh_token: str | None = None, *, expires_in: Any = None
    ) -> None:
        self.access_token = _checked("access_token", access_token)
        self.refresh_token = None if refresh_token is None else _checked("refresh_token", refresh_token)
        self.expires_in = _seconds(expires_in) if expires_in is not None else _life_of_jwt(access_token)

    @classmethod
    def in_cookies(cls) -> Tokens:
        """Return what stands for tokens that are in HttpOnly cookies, both of them; each is another."""
        return cls(IN_COOKIES + os.urandom(16).hex())

    @classmethod
    def not_yet(cls, refresh_token: str | None) -> Tokens:
        """Return what stands for an access token that is still to be asked for; it ended long ago."""
        return cls(NOT_YET, refresh_token, expires_in=1.0)

    def dated(self, issued_at: float) -> Tokens:
        """Return them with the life of a JWT that says only when it ends, received at ``issued_at``."""
        if self.expires_in is not None:
            return self
        ends = claims_of(self.access_token).get("exp")
        life = _seconds(ends - issued_at) if is_number(ends) else None
        if life is None:
            return self
        copy = self.with_refresh_token(self.refresh_token)
        copy.expires_in = life
        return copy

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

    __slots__ = (
        "_began",
        "_early",
        "_received",
        "began_at",
        "generation",
        "id",
        "issued_at",
        "key",
        "proven",
        "tokens",
    )

    def __init__(
        self,
        id: str,
        generation: int,
        tokens: Tokens,
        *,
        issued_at: float,
        clock: Clock,
        proven: bool = False,
        began_at: float | None = None,
        key: str | None = None,
    ) -> None:
        self.id = id
        self.key = key
        self.proven = proven
        self.generation = generation
        self.tokens = tokens.dated(issued_at)
        self.issued_at = issued_at
        self.began_at = issued_at if began_at is None else began_at
        now, monotonic = clock.time(), clock.monotonic()
        self._received = monotonic - max(0.0, now - issued_at)
        self._began = monotonic - max(0.0, now - self.began_at)
        life = self.tokens.expires_in
        self._early = 0.0 if life is None or life < LONG_LIFE else life * SPREAD * _share(id, generation)

    @classmethod
    def begin(
        cls,
        tokens: Tokens,
        *,
        generation: int,
        clock: Clock,
        id: str | None = None,
        proven: bool = False,
        key: str | None = None,
    ) -> Session:
        """Start a session with an id of its own, or go on with the one of this ``id``.

        It is ``proven`` where the tokens are of the very endpoint that renews them; ``key`` is the thumbprint
        of the key that they are bound to.
        """
        id = id or os.urandom(8).hex()
        return cls(id, generation, tokens, issued_at=clock.time(), clock=clock, proven=proven, key=key)

    def renewed(self, tokens: Tokens, *, clock: Clock) -> Session:
        """Return this session's next generation; a refresh token that wasn't rotated stays (RFC 6749 §6)."""
        if tokens.refresh_token is None:
            tokens = tokens.with_refresh_token(self.tokens.refresh_token)
        return self._going_on(self.generation + 1, tokens, clock.time(), clock, proven=True)

    def _going_on(
        self, generation: int, tokens: Tokens, issued_at: float, clock: Clock, *, proven: bool
    ) -> Session:
        """Return what it is from now on, since the same sign-in."""
        session = Session(
            self.id,
            generation,
            tokens,
            issued_at=issued_at,
            clock=clock,
            proven=proven,
            began_at=self.began_at,
            key=self.key,
        )
        session._began = self._began
        return session

    @property
    def has_token(self) -> bool:
        """Whether there is an access token, or a cookie that has it."""
        return self.tokens.access_token != NOT_YET

    def with_refresh_token(self, refresh_token: str | None, *, clock: Clock) -> Session:
        """Return its next generation, whose access token is the old one still."""
        tokens, generation = self.tokens.with_refresh_token(refresh_token), self.generation + 1
        return self._going_on(generation, tokens, self.issued_at, clock, proven=self.proven)

    def is_proven(self, now: float) -> bool:
        """Tell whether the endpoint is known to understand this client; ``now`` is in s since the epoch.

        It has given tokens of this session, or the session is so old that somebody would have noticed.
        """
        return self.proven or now - self.issued_at > SURE_AFTER

    def sent_with(self, access_token: str) -> Session:
        """Return what this session was when it had another access token."""
        earlier = Session.__new__(Session)
        for name in Session.__slots__:
            setattr(earlier, name, getattr(self, name))
        earlier.generation -= 1
        earlier.tokens = self.tokens.with_refresh_token(self.tokens.refresh_token)
        earlier.tokens.access_token = access_token
        return earlier

    def at_generation(self, generation: int, *, clock: Clock) -> Session:
        """Return the same session and tokens, numbered anew."""
        return self._going_on(generation, self.tokens, self.issued_at, clock, proven=self.proven)

    def age(self, clock: Clock) -> float:
        """Return the seconds since its sign-in."""
        return max(clock.monotonic() - self._began, clock.time() - self.began_at)

    def remaining(self, clock: Clock) -> float | None:
        """Return the seconds of life left, below zero when past; ``None`` when unknown."""
        if self.tokens.expires_in is None:
            return None
        age = max(clock.monotonic() - self._received, clock.time() - self.issued_at)
        return self.tokens.expires_in - age

    def time_until_due(self, clock: Clock, leeway: float) -> float | None:
        """Return the seconds until the token is to be renewed before it is sent; ``None`` for never.

        That is ``leeway`` seconds before its end, but never more than a quarter of its life. A token that
        lives for minutes is renewed earlier by up to ``SPREAD`` of its life, in each browser by another part
        of that: those who got theirs in the same minute, as an office opens, don't all come back in one.
        """
        life, remaining = self.tokens.expires_in, self.remaining(clock)
        if life is None or remaining is None:
            return None
        return remaining - min(leeway, life / 4) - (self._early if leeway else 0.0)

    def is_due(self, clock: Clock, leeway: float) -> bool:
        """Tell whether to renew the token before it is sent."""
        remaining = self.time_until_due(clock, leeway)
        return remaining is not None and remaining < 0

    def to_json(self, owner: str | None = None) -> str:
        """Write the record of this module's prologue; ``owner`` names the application that it belongs to."""
        return json.dumps(
            {
                "version": VERSION,
                **({"owner": owner} if owner else {}),
                "id": self.id,
                "generation": self.generation,
                "issued_at": self.issued_at,
                "began_at": self.began_at,
                "access_token": self.tokens.access_token,
                "refresh_token": self.tokens.refresh_token,
                "expires_in": self.tokens.expires_in,
                **({"proven": True} if self.proven else {}),
                **({"key": self.key} if self.key else {}),
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
        if type(generation) is not int or not 1 <= generation <= LARGEST_GENERATION:
            raise ValueError("generation is not a positive whole number that a browser can have counted to")
        if not isinstance(id, str) or not id:
            id = id_of_adopted(tokens)
        received = issued_at if is_number(issued_at) else clock.time()
        began_at = record.get("began_at")
        began_at = min(began_at, received) if is_number(began_at) else received
        proven, key = record.get("proven") is True, record.get("key")
        return cls(
            id,
            generation,
            tokens,
            issued_at=received,
            clock=clock,
            proven=proven,
            began_at=began_at,
            key=key if isinstance(key, str) and _THUMBPRINT.fullmatch(key) else None,
        )

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


def _seconds(value: Any) -> float | None:
    """Normalise a life: a number or a numeric string of seconds; what can't be one is unknown."""
    seconds = number_from(value)
    return seconds if seconds is not None and 0 < seconds <= LONGEST_LIFE else None


def _life_of_jwt(token: str) -> float | None:
    """Return ``exp − iat`` of a JWT (RFC 7519 §4.1): a difference, so the computers' clocks may differ."""
    claims = claims_of(token)
    try:
        return _seconds(claims["exp"] - claims["iat"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def claims_of(token: str) -> dict[str, Any]:
    """Return what a JWT says, unverified; nothing for any other token (RFC 7519 §3)."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    import base64

    try:
        claims = parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def are_of_two_users(one: Tokens, other: Tokens) -> bool:
    """Tell whether the two access tokens say that they are of different people (RFC 7519 §4.1.2)."""
    subjects = [claims_of(tokens.access_token).get("sub") for tokens in (one, other)]
    return None not in subjects and subjects[0] != subjects[1]


def _share(id: str, generation: int) -> float:
    """Return a number in [0, 1) that all tabs agree on, and that other sessions don't share."""
    return crc32(f"{id} {generation}".encode()) / 2**32
