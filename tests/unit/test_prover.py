"""What dpop.js signs, and what it does with a server's answer: RFC 9449, without a browser."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.algorithms import ECAlgorithm

FOLDER = Path(__file__).parent


def told(story: str) -> Any:
    """Return what came of a story of ``prover.mjs``."""
    command = ["node", str(FOLDER / "prover.mjs"), story]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_thumbprint_and_hash_are_those_of_the_standards() -> None:
    """RFC 9449 §4.1 and §6.1, RFC 7638 §3.1."""
    assert {
        "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        "rsa": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
    } == told("known")


def test_a_proof_has_what_a_verifier_looks_for() -> None:
    """Each must of RFC 9449 §4.2 and §4.3."""
    found = told("proof")

    for sent, htu, names_token in zip(
        found["proofs"], ("https://api.example/things", "https://api.example/c"), (True, False), strict=True
    ):
        proof = sent["proof"]
        header = jwt.get_unverified_header(proof)
        claims = jwt.decode(proof, ECAlgorithm.from_jwk(header["jwk"]), algorithms=["ES256"])
        assert "DPoP" == sent["name"]
        assert {"typ": "dpop+jwt", "alg": "ES256", "jwk": header["jwk"]} == header
        assert {"kty", "crv", "x", "y"} == set(header["jwk"])
        assert (htu, "GET") == (claims["htu"], claims["htm"])
        assert abs(claims["iat"] - time.time()) < 60
        assert len(claims["jti"]) >= 22  # 96 bits or more, in base64
        assert names_token == ("ath" in claims)
        assert "nonce" not in claims


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("nonce", {"statuses": [200, 200], "sent": 3, "jti": 3}),
        ("storm", {"statuses": [200], "sent": 201}),
        ("storm_of_a_silent_server", {"sent": 200}),
        ("dead_network", {"sent": 50, "failed": 50}),
        ("token_endpoint", {"status": 200, "sent": 2, "names_token": False}),
        ("always_another_nonce", {"status": 401, "sent": 2}),
        ("hidden_reason", {"status": 200, "sent": 2}),
        ("body_sent_once", {"status": 401, "sent": 1}),
        ("clock", {"statuses": [200, 200], "sent": 3}),
        ("refused_for_good", {"status": 401, "sent": 2}),
        ("sent_twice_by_the_browser", {"status": 200, "sent": 2}),
        ("gone", {"problem": "key"}),
    ],
)
def test_what_the_server_wants_is_learnt(story: str, expected: dict[str, object]) -> None:
    """A nonce costs one more try, for a server and not for a request; a wrong clock, too (§8, §9)."""
    assert expected == told(story)


def test_a_nonce_that_cors_hides_is_told() -> None:
    """The error says which header fields the server has to expose."""
    found = told("hidden_nonce")

    assert "proof" == found["problem"]
    assert "Access-Control-Expose-Headers: DPoP-Nonce" in found["message"]
