"""DPoP: whether a request comes from whoever holds the key that its token is bound to (RFC 9449).

jkt = proofs.check(request)                              # a sign-in or a refresh; None: it has no proof
jkt = proofs.check(request, access_token=token)          # a resource
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request

from app.server.messages import Refused
from app.server.nonces import PERIOD, Nonces
from app.server.proof import InvalidProof, Proof, digest, read_proof

WINDOW = 60.0  # seconds by which a proof's time may differ from the server's
MAX_REMEMBERED = 100_000  # proofs; more than this server can check while it has to remember them
UNRESERVED = re.compile("[A-Za-z0-9._~-]")  # RFC 3986 §2.3
DEFAULT_PORTS = {"http": 80, "https": 443}


class Proofs:
    """Checks the proofs of requests, each good once. `clock`, the server's time, never goes back."""

    def __init__(self, clock: Callable[[], float], nonces: Nonces) -> None:
        self._clock = clock
        self._nonces = nonces
        self._replays = Replays(clock)

    def check(self, request: Request, *, access_token: str | None = None) -> str | None:
        """Return the thumbprint of the key that signed a request's proof; None when it has no proof.

        With an access token the proof must be for that token. Raises InvalidProof, or Refused (503).
        """
        sent = request.headers.getlist("DPoP")
        if not sent:
            return None
        if len(sent) > 1:
            raise InvalidProof("Send one proof")
        proof = read_proof(sent[0])
        self._match(proof, request, access_token)
        self._date(proof)
        self._replays.add(proof)
        return proof.jkt

    def _match(self, proof: Proof, request: Request, access_token: str | None) -> None:
        """Points 8, 9 and 12 of RFC 9449 §4.3."""
        if proof.claims["htm"] != request.method:
            raise InvalidProof("The proof is for another method")
        path = request.scope["raw_path"].decode("latin-1")
        asked = written(f"{request.scope['scheme']}://{request.headers['Host']}{path}")
        if asked is None or written(proof.claims["htu"]) != asked:
            raise InvalidProof("The proof is for another address")
        if access_token is not None and proof.claims.get("ath") != digest(access_token):
            raise InvalidProof("The proof is for another access token")

    def _date(self, proof: Proof) -> None:
        """Points 10 and 11: a nonce dates a proof by the server's clock, ``iat`` by the sender's."""
        if self._nonces.required:
            if not self._nonces.is_good(proof.claims.get("nonce")):
                raise InvalidProof("The proof needs the nonce that comes with this", "use_dpop_nonce")
            return
        now = self._clock()
        if not now - WINDOW <= proof.claims["iat"] <= now + WINDOW:
            raise InvalidProof("The proof's iat is too far from the server's time")


class Replays:
    """The proofs of the last minutes, to know one that comes again (RFC 9449 §11.1)."""

    # A proof is good from WINDOW before its time to WINDOW after it, a nonce for two periods.
    KEPT = max(2 * WINDOW, 2.0 * PERIOD)  # seconds

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: OrderedDict[bytes, float] = OrderedDict()  # the oldest first

    def __len__(self) -> int:
        return len(self._until)

    def add(self, proof: Proof) -> None:
        """Remember a proof. Raises InvalidProof when it was here before, Refused (503) when full."""
        now = self._clock()
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        # With its key, so that nobody can use up the ids of others.
        id = hashlib.sha256(f"{proof.jkt} {proof.claims['jti']}".encode(errors="surrogatepass")).digest()
        if id in self._until:
            raise InvalidProof("The proof was used before")
        if len(self._until) >= MAX_REMEMBERED:
            # To forget one before its time would let it in again.
            raise Refused(503, "temporarily_unavailable", "Too many proofs: try again", {"Retry-After": "1"})
        self._until[id] = now + self.KEPT


def written(url: str) -> tuple[str, str, int, str] | None:
    """Return scheme, host, port and path of a URL in one spelling (RFC 3986 §6.2.2, §6.2.3), or None.

    Query and fragment are left out, as RFC 9449 §4.3 wants it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port, re.sub("%([0-9A-Fa-f]{2})", _decode, parts.path) or "/"


def _decode(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if UNRESERVED.fullmatch(character) else escape[0].upper()
