"""Access tokens: signed JWTs as in RFC 9068 (header ``typ: at+jwt``), checked against the database.

The database has the last word on two things a signature can't tell: whether the sign-in (claim ``fam``) was
revoked, and whether all tokens of an epoch (claim ``epoch``) were declared expired.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from app.server.database import Database

ISSUER = "silent-refresh-demo"
ALGORITHM = "HS256"
REQUIRED_CLAIMS = ["iss", "sub", "iat", "exp", "jti", "fam", "epoch", "typ"]


class InvalidAccessToken(Exception):
    """The token is not accepted; the message suits an ``error_description`` and never holds the token."""


@dataclass(frozen=True)
class Identity:
    """Who an access token speaks for."""

    username: str
    family: str
    jkt: str | None  # of the key that the token is bound to (RFC 9449 §6.1)


class AccessTokens:
    """Issue and verify. `ttl` in seconds; `clock`, the server's time, never goes back."""

    def __init__(self, database: Database, key: bytes, clock: Callable[[], float], *, ttl: float) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self.ttl = ttl

    def issue(self, username: str, family: str, jkt: str | None = None) -> str:
        """Return a new token for a user's sign-in, bound to the key with the thumbprint `jkt`."""
        now = self._clock()
        ((epoch,),) = self._database.rows("SELECT epoch FROM access_epoch")
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": username,
            # Fractions are legal (RFC 7519 §2, NumericDate), and lives of a second or two need them.
            "iat": round(now, 3),
            "exp": round(now + self.ttl, 3),
            "jti": secrets.token_urlsafe(12),
            "fam": family,
            "epoch": epoch,
            "typ": "access",
        }
        if jkt is not None:
            claims["cnf"] = {"jkt": jkt}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"typ": "at+jwt"})

    def verify(self, token: str) -> Identity:
        """Return whom a token speaks for. Raises InvalidAccessToken."""
        claims = self._signed_claims(token)
        if self._clock() >= claims["exp"]:
            raise InvalidAccessToken("The access token expired")
        ((epoch, family, revoked_at),) = self._database.rows(
            "SELECT epoch, families.id, revoked_at FROM access_epoch LEFT JOIN families ON families.id = ?",
            claims["fam"],
        )
        if claims["epoch"] != epoch:
            raise InvalidAccessToken("The access token expired")
        if family is None or revoked_at is not None:
            raise InvalidAccessToken("The access token was revoked")
        return Identity(claims["sub"], claims["fam"], claims.get("cnf", {}).get("jkt"))

    def expire_all(self) -> None:
        """Let every token issued so far count as expired, even one issued in this same instant."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE access_epoch SET epoch = epoch + 1")

    def _signed_claims(self, token: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode_complete(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                # PyJWT reads the wall clock; `verify` compares the times with the clock it was given.
                options={
                    "require": REQUIRED_CLAIMS,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise InvalidAccessToken("The access token is not valid") from error
        claims: dict[str, Any] = decoded["payload"]
        well_formed = (
            decoded["header"].get("typ") == "at+jwt"
            and claims["typ"] == "access"
            and isinstance(claims["fam"], str)
            and type(claims["epoch"]) is int
            and type(claims["exp"]) in (int, float)
            and math.isfinite(claims["exp"])
        )
        if not well_formed:
            raise InvalidAccessToken("The access token is not valid")
        return claims
