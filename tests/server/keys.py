"""A sender's key, and the proofs that it makes, right or wrong (RFC 9449 §4.2).

key = Key()
headers = {"Authorization": f"DPoP {token}", "DPoP": key.proof("GET", url, access_token=token)}
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from app.server.proof import digest
from tests.server.site import START

ES256 = ECAlgorithm(ECAlgorithm.SHA256)


class Key:
    """A P-256 key; each proof has an id of its own, and the time at which a test's clock starts."""

    def __init__(self, curve: ec.EllipticCurve | None = None) -> None:
        self.private = ec.generate_private_key(curve or ec.SECP256R1())
        self.jwk = json.loads(ES256.to_jwk(self.private.public_key()))

    @property
    def thumbprint(self) -> str:
        """As RFC 7638 §3.1 spells it out."""
        members = ",".join(f'"{name}":"{self.jwk[name]}"' for name in ("crv", "kty", "x", "y"))
        return digest(f"{{{members}}}")

    def claims(self, method: str, url: str, *, access_token: str | None = None) -> dict[str, Any]:
        """Return what a good proof for a request says."""
        claims = {"jti": secrets.token_urlsafe(12), "htm": method, "htu": url, "iat": START}
        return claims if access_token is None else claims | {"ath": digest(access_token)}

    def proof(
        self,
        method: str,
        url: str,
        *,
        access_token: str | None = None,
        header: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """Return a proof; `header` and `changed` replace what a good one has, with None they take it out."""
        claims = self.claims(method, url, access_token=access_token) | changed
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk} | dict(header or {})
        return self.sign(*(_present(part) for part in (head, claims)))

    def sign(self, header: object, payload: object) -> str:
        """Return any header and payload as a JWT of this key."""
        signed = f"{_encode(_json(header))}.{_encode(_json(payload))}"
        return f"{signed}.{_encode(ES256.sign(signed.encode(), self.private))}"


def unsigned(header: object, payload: object) -> str:
    """Return a JWT without a signature."""
    return f"{_encode(_json(header))}.{_encode(_json(payload))}."


def _present(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


def _json(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
