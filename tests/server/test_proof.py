"""A proof by itself: the standard's own examples, and all that isn't one (RFC 9449 §4.3, points 2 to 7)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from app.server import proof
from app.server.proof import InvalidProof, digest, read_proof
from tests.server.keys import Key, unsigned

HERE = ("POST", "http://server.test/refresh")
KEY = Key()
GOOD_HEADER = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.jwk}

# RFC 9449 §5, Figure 2, and §7.1, Figure 12; the thumbprint of their key stands in §6.1.
EXAMPLE_HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpD"
    "a0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6"
    "IlAtMjU2In19"
)
TOKEN_EXAMPLE = (
    f"{EXAMPLE_HEADER}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1w"
    "bGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NV"
    "Y-FNyJK70nfbV37xRZT3Lg"
)
RESOURCE_EXAMPLE = (
    f"{EXAMPLE_HEADER}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFt"
    "cGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1"
    "OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
EXAMPLE_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
EXAMPLE_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"


def test_the_standards_examples_are_read() -> None:
    """Signature, thumbprint and claims are those that RFC 9449 prints."""
    at_the_token_endpoint, at_a_resource = read_proof(TOKEN_EXAMPLE), read_proof(RESOURCE_EXAMPLE)

    assert {EXAMPLE_THUMBPRINT} == {at_the_token_endpoint.jkt, at_a_resource.jkt}
    assert {
        "jti": "-BwC3ESc6acc2lTc",
        "htm": "POST",
        "htu": "https://server.example.com/token",
        "iat": 1562262616,
    } == at_the_token_endpoint.claims
    assert digest(EXAMPLE_TOKEN) == at_a_resource.claims["ath"]


def test_a_good_proof_is_read() -> None:
    """With what a key may say of itself beside its numbers."""
    described = KEY.jwk | {"use": "sig", "ext": True, "key_ops": ["verify"], "kid": "1"}

    assert read_proof(KEY.proof(*HERE)).jkt == read_proof(KEY.proof(*HERE, header={"jwk": described})).jkt


def private(key: Key) -> dict[str, Any]:
    number = key.private.private_numbers().private_value
    return key.jwk | {"d": jwt.utils.base64url_encode(number.to_bytes(32, "big")).decode()}


def of_rsa() -> dict[str, Any]:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return dict(jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True))


def with_header(**changed: Any) -> Callable[[], str]:
    return lambda: KEY.proof(*HERE, header=changed)


def with_claims(**changed: Any) -> Callable[[], str]:
    return lambda: KEY.proof(*HERE, **changed)


def by_its_public_key() -> str:
    """Sign with HMAC, the key the public one that everybody knows."""
    return jwt.encode(
        KEY.claims(*HERE), KEY.jwk["x"], algorithm="HS256", headers={"typ": "dpop+jwt", "jwk": KEY.jwk}
    )


NO_PROOFS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no JWT": lambda: "proof",
    "two parts": lambda: KEY.proof(*HERE).rpartition(".")[0],
    "two proofs in one": lambda: f"{KEY.proof(*HERE)}, {KEY.proof(*HERE)}",
    "other characters": lambda: "\xe4" + KEY.proof(*HERE),
    "a header that is no object": lambda: KEY.sign([], KEY.claims(*HERE)),
    "a header that is too deep": lambda: KEY.sign(b"[" * 2000, KEY.claims(*HERE)),
    "claims that are no object": lambda: KEY.sign(GOOD_HEADER, [KEY.claims(*HERE)]),
    "claims that are no JSON": lambda: KEY.sign(GOOD_HEADER, b"{"),
    "claims that are too deep": lambda: KEY.sign(GOOD_HEADER, b"[" * 2000),
    "too long": with_claims(more="x" * 4096),
    "no typ": with_header(typ=None),
    "another typ": with_header(typ="JWT"),
    "no alg": with_header(alg=None),
    "alg none": lambda: unsigned(GOOD_HEADER | {"alg": "none"}, KEY.claims(*HERE)),
    "no signature": lambda: unsigned(GOOD_HEADER, KEY.claims(*HERE)),
    "a symmetric alg": by_its_public_key,
    "an alg that isn't offered": with_header(alg="ES384"),
    "an extension that isn't understood": with_header(crit=["x"], x=1),
    "no jwk": with_header(jwk=None),
    "a jwk that is no object": with_header(jwk="key"),
    "a key that is private": with_header(jwk=private(KEY)),
    "a key with an empty private part": with_header(jwk=KEY.jwk | {"d": ""}),
    "a symmetric key": with_header(jwk={"kty": "oct", "k": "c2VjcmV0"}),
    "an RSA key": with_header(jwk=of_rsa()),
    "a key of another curve": lambda: Key(ec.SECP384R1()).proof(*HERE),
    "a key without y": with_header(jwk={**KEY.jwk, "y": None}),
    "a key whose x is a number": with_header(jwk={**KEY.jwk, "x": 1}),
    "a key that is too short": with_header(jwk={**KEY.jwk, "x": "AAAA"}),
    "a point off the curve": with_header(jwk={**KEY.jwk, "x": KEY.jwk["y"]}),
    "another key": with_header(jwk=Key().jwk),
    "no jti": with_claims(jti=None),
    "an empty jti": with_claims(jti=""),
    "a jti that is a number": with_claims(jti=1),
    "no htm": with_claims(htm=None),
    "an htm that is no text": with_claims(htm=["POST"]),
    "no htu": with_claims(htu=None),
    "an htu that is no text": with_claims(htu={}),
    "no iat": with_claims(iat=None),
    "an iat that is a text": with_claims(iat="1700000000"),
    "an iat that is a boolean": with_claims(iat=True),
}


@pytest.mark.parametrize("make", NO_PROOFS.values(), ids=NO_PROOFS.keys())
def test_what_is_no_proof_is_refused(make: Callable[[], str]) -> None:
    """Each point of RFC 9449 §4.3 that a proof can fail by itself."""
    with pytest.raises(InvalidProof) as refused:
        read_proof(make())

    assert "invalid_dpop_proof" == refused.value.error


def test_a_changed_claim_is_refused() -> None:
    """The signature is over the claims."""
    good, other = KEY.proof(*HERE), KEY.proof("GET", "http://server.test/api/profile")
    head, _, signature = good.split(".")

    with pytest.raises(InvalidProof):
        read_proof(f"{head}.{other.split('.')[1]}.{signature}")


def test_the_limit_is_not_in_the_way() -> None:
    """A long address and a long nonce fit in."""
    long = KEY.proof("GET", f"https://app.example/{'x' * 1000}", nonce="x" * 500, access_token="t")

    assert len(long) < proof.MAX_LENGTH
    read_proof(long)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def fields(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), JSON, max_size=4)


@given(
    header=JSON | fields("typ", "alg", "jwk", "crit", "b64", "kid", "zip"),
    jwk=fields("kty", "crv", "x", "y"),
    claims=JSON | fields("jti", "htm", "htu", "iat", "exp", "nbf", "aud", "iss", "sub"),
)
def test_nothing_makes_the_reader_fail(header: Any, jwk: dict[str, Any], claims: Any) -> None:
    """Any header, key and claims, signed, are a proof or are refused as none."""
    if isinstance(header, dict):
        header = GOOD_HEADER | {"jwk": KEY.jwk | jwk} | header
    if isinstance(claims, dict):
        claims = KEY.claims(*HERE) | claims
    with contextlib.suppress(InvalidProof):
        read_proof(KEY.sign(header, claims))
