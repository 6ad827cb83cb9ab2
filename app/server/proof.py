"""DPoP proofs as they are written: a JWT that its sender signed, with the key in its header (RFC 9449 §4).

What can be told from the text alone is judged here; whether it fits its request, in `app.server.dpop`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

ALGORITHM = "ES256"
MAX_LENGTH = 4096  # characters; a nonce and a long address fit in
COORDINATE = 32  # bytes
CLAIMS = {"jti": (str,), "htm": (str,), "htu": (str,), "iat": (int, float)}
# A key has its private or symmetric part in one of these (RFC 7518 §6).
SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class InvalidProof(Exception):
    """A proof is not accepted; `error` is the code for the answer, the message its ``error_description``."""

    def __init__(self, description: str, error: str = "invalid_dpop_proof") -> None:
        super().__init__(description)
        self.error = error


@dataclass(frozen=True)
class Proof:
    """What a proof says, and the thumbprint of the key that signed it (RFC 7638)."""

    jkt: str
    claims: Mapping[str, Any]


def read_proof(text: str) -> Proof:
    """Read and verify a proof: points 2 to 7 of RFC 9449 §4.3. Raises InvalidProof."""
    if len(text) > MAX_LENGTH:
        raise InvalidProof(f"A proof may have at most {MAX_LENGTH} characters")
    try:
        header = jwt.get_unverified_header(text)
        key = _read_key(header)
        claims = jwt.decode(text, key, algorithms=[ALGORITHM], options=_NOTHING_BUT_THE_SIGNATURE)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise InvalidProof("The proof is no JWT that its key signed") from error
    for name, types in CLAIMS.items():
        if type(claims.get(name)) not in types or claims[name] == "":
            raise InvalidProof(f"The proof has no good {name}")
    return Proof(_thumbprint(key), claims)


def digest(text: str) -> str:
    """Return the SHA-256 of a text in base64url, as ``ath`` has the access token's (RFC 9449 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


# Of the times, PyJWT would compare those with the wall clock that a proof needn't have.
_NOTHING_BUT_THE_SIGNATURE: Any = {
    f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


def _read_key(header: Mapping[str, Any]) -> EllipticCurvePublicKey:
    if header.get("typ") != "dpop+jwt":
        raise InvalidProof("The proof's typ must be dpop+jwt")
    if header.get("alg") != ALGORITHM:
        raise InvalidProof(f"The proof's alg must be {ALGORITHM}")
    jwk = header.get("jwk")
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise InvalidProof("The proof's jwk must be a P-256 key")
    if SECRET_MEMBERS & jwk.keys():
        raise InvalidProof("The proof's jwk must not have a private part")
    if not all(isinstance(jwk.get(name), str) for name in ("x", "y")):
        raise InvalidProof("The proof's jwk has no x or y")
    key = ECAlgorithm.from_jwk(jwk)
    assert isinstance(key, EllipticCurvePublicKey)
    return key


def _thumbprint(key: EllipticCurvePublicKey) -> str:
    # Of the key's numbers, since the JWK that was sent may spell them in several ways.
    point = key.public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(COORDINATE, "big")).rstrip(b"=").decode()
        for number in (point.x, point.y)
    )
    return digest(json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":")))
