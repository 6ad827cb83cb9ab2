"""A proof and its request: what it must be for, when, and how often (RFC 9449 §4.3, §11.1)."""

from __future__ import annotations

from asyncio import gather
from typing import Any

import jwt
import pytest

from app.server import dpop
from app.server.dpop import Replays, written
from app.server.messages import Refused
from app.server.proof import InvalidProof, Proof
from tests.server.keys import Key
from tests.server.sender import DPOP, HERE, Sender, answered, bound
from tests.server.site import CREDENTIALS, START, Clock, Site

WRONG: dict[str, dict[str, Any]] = {
    "by its form": {"header": {"typ": "JWT"}},
    "by its key": {"header": {"jwk": Key().jwk}},
    "another method": {"htm": "PUT"},
    "a method in small letters": {"htm": "post"},
    "another scheme": {"htu": "https://server.test{}"},
    "another host": {"htu": "http://other.test{}"},
    "another port": {"htu": "http://server.test:8080{}"},
    "another path": {"htu": "http://server.test/other"},
    "a longer path": {"htu": "http://server.test{}/"},
    "a path in other letters": {"htu": "http://server.test/API/PROFILE"},
    "a relative address": {"htu": "{}"},
    "a user name": {"htu": "http://server.test@evil.test{}"},
    "a user name here": {"htu": "http://evil@server.test{}"},
    "no address": {"htu": "http://["},
    "no port": {"htu": "http://server.test:x{}"},
    "an iat of long ago": {"iat": START - 61},
    "an iat of the future": {"iat": START + 61},
    "an iat that is no number": {"iat": float("nan")},
    "an iat beyond all time": {"iat": 10**400},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_a_proof_for_something_else_is_refused(sender: Sender, wrong: dict[str, Any]) -> None:
    """At the token endpoint with 400, at a resource with 401 (RFC 9449 §5, §7.1); the session goes on."""

    def at(path: str) -> dict[str, Any]:
        return wrong | ({"htu": wrong["htu"].format(path)} if "htu" in wrong else {})

    tokens = await sender.sign_in()

    refused = await sender.refresh(tokens["refreshToken"], **at("/refresh"))
    at_resource = await sender.get(tokens["accessToken"], **at("/api/profile"))

    assert (400, "invalid_dpop_proof") == answered(refused)
    assert (401, "invalid_dpop_proof") == answered(at_resource)
    assert at_resource.headers["WWW-Authenticate"].startswith(f'{DPOP}, error="invalid_dpop_proof"')
    assert 200 == (await sender.refresh(tokens["refreshToken"])).status_code


async def test_a_sign_in_with_a_bad_proof_is_refused_before_the_password(site: Site, sender: Sender) -> None:
    """No tokens, bound or not, and no guess at a password."""
    response = await sender.post("/login", CREDENTIALS, htm="GET")

    assert (400, "invalid_dpop_proof") == answered(response)
    assert 0 == site.hasher.verified


@pytest.mark.parametrize("ath", [None, "", 1, dpop.digest("another")], ids=str)
async def test_a_resource_wants_the_hash_of_the_token(site: Site, sender: Sender, ath: Any) -> None:
    """Missing, no text, or another token's: the proof isn't for this one (RFC 9449 §7)."""
    token = (await sender.sign_in())["accessToken"]

    response = await sender.get(token, ath=ath)

    assert (401, "invalid_dpop_proof") == answered(response)


async def test_two_proofs_are_one_too_many(site: Site, sender: Sender) -> None:
    """In two header fields, or in one (RFC 9449 §4.3, point 1)."""
    token = (await sender.sign_in())["accessToken"]
    proofs = [sender.key.proof("GET", f"{HERE}/api/profile", access_token=token) for _ in range(2)]

    apart = await site.http.get(
        "/api/profile", headers=[*bound(token).items(), *(("DPoP", proof) for proof in proofs)]
    )
    joined = await site.http.get("/api/profile", headers=bound(token) | {"DPoP": ", ".join(proofs)})

    assert (401, "invalid_dpop_proof") == answered(apart) == answered(joined)


@pytest.mark.parametrize("asked", ["/api/items/7?page=2", "/api/items/7?page=2&next=%2F"])
async def test_query_and_fragment_do_not_count(site: Site, sender: Sender, asked: str) -> None:
    """Neither the request's nor the proof's (RFC 9449 §4.3, point 9)."""
    token = (await sender.sign_in())["accessToken"]

    for htu in ("/api/items/7", "/api/items/7?other", "/api/items/7#part"):
        response = await sender.get(token, asked, htu=HERE + htu)
        assert 200 == response.status_code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://server.test/a", "HTTP://SERVER.TEST:80/a", True),
        ("https://server.test", "https://server.test:443/", True),
        ("http://server.test/%7Ea%2fb", "http://server.test/~a%2Fb", True),
        ("http://server.test/a%2Fb", "http://server.test/a/b", False),
        ("http://server.test/a", "http://server.test/A", False),
        ("http://[::1]:8000/a", "http://[::1]:8000/a?b#c", True),
        ("http://server.test/a", "http://server.test:8000/a", False),
    ],
)
def test_addresses_are_compared_as_the_standard_wants_it(one: str, other: str, same: bool) -> None:
    """After normalisation by syntax and scheme (RFC 3986 §6.2.2, §6.2.3)."""
    assert same == (written(one) == written(other))


async def test_a_proof_is_good_within_a_minute(site: Site, sender: Sender) -> None:
    """Before and after, for clocks are never the same; a fraction is a time too."""
    for iat in (START - 60, START + 60, START - 0.5):
        await sender.sign_in(iat=iat)


async def test_a_proof_that_comes_again_is_refused(site: Site, sender: Sender) -> None:
    """Whatever it asks for, and whoever sends it (RFC 9449 §11.1)."""
    token = (await sender.sign_in())["accessToken"]
    proof = sender.key.proof("GET", f"{HERE}/api/profile", access_token=token)
    headers = bound(token) | {"DPoP": proof}

    first, second = await gather(*(site.http.get("/api/profile", headers=headers) for _ in range(2)))

    assert 200 == first.status_code
    assert (401, "invalid_dpop_proof") == answered(second)


async def test_a_replay_in_other_words_is_refused(site: Site, sender: Sender) -> None:
    """The id counts, not the text: whoever holds a signature can write it in another way."""
    await sender.sign_in(jti="once")

    response = await sender.post("/login", CREDENTIALS, jti="once", iat=START + 1)

    assert (400, "invalid_dpop_proof") == answered(response)


async def test_two_keys_may_use_one_id(site: Site) -> None:
    """Nobody can use up the ids of others."""
    for sender in (Sender(site), Sender(site)):
        await sender.sign_in(jti="1")


async def test_an_id_that_is_no_unicode_is_no_crash(site: Site, sender: Sender) -> None:
    """JSON can spell it."""
    await sender.sign_in(jti="\ud800")


async def test_a_refused_proof_is_not_used_up(site: Site, sender: Sender) -> None:
    """Only what was accepted is remembered; the same id may come again in a proof that is right."""
    await sender.post("/login", CREDENTIALS, jti="1", htm="GET")

    await sender.sign_in(jti="1")


def proved(number: int) -> Proof:
    return Proof("key", {"jti": str(number)})


def test_proofs_are_forgotten_when_they_are_too_old_to_be_good() -> None:
    """Not before: a proof from ahead of its time is good for two windows."""
    clock = Clock()
    replays = Replays(clock)
    replays.add(proved(1))
    clock.advance(2 * dpop.WINDOW)

    with pytest.raises(InvalidProof):
        replays.add(proved(1))

    clock.advance(1)
    replays.add(proved(2))
    assert 1 == len(replays)


def test_the_memory_of_proofs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, it takes no more until the oldest is forgotten: to forget one earlier would let it in again."""
    monkeypatch.setattr(dpop, "MAX_REMEMBERED", 3)
    clock = Clock()
    replays = Replays(clock)
    for number in range(3):
        replays.add(proved(number))
        clock.advance(1)

    with pytest.raises(Refused) as refused:
        replays.add(proved(3))
    assert 503 == refused.value.status

    with pytest.raises(InvalidProof):
        replays.add(proved(0))
    clock.advance(2 * dpop.WINDOW - 2)
    replays.add(proved(3))


async def test_a_signature_is_not_an_id(site: Site, sender: Sender) -> None:
    """ECDSA lets anybody turn a signature into a second one that is good too; the proof stays the same."""
    proof = sender.key.proof("POST", f"{HERE}/login")
    signed, _, _ = proof.rpartition(".")
    again = f"{signed}.{_other_signature(proof)}"

    first = await site.http.post("/login", json=CREDENTIALS, headers={"DPoP": proof})
    second = await site.http.post("/login", json=CREDENTIALS, headers={"DPoP": again})

    assert (200, (400, "invalid_dpop_proof")) == (first.status_code, answered(second))
    assert "used before" in second.text


def _other_signature(proof: str) -> str:
    """Return (r, n − s) for a signature (r, s)."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = jwt.utils.base64url_decode(proof.rpartition(".")[2])
    s = order - int.from_bytes(signature[32:], "big")
    return jwt.utils.base64url_encode(signature[:32] + s.to_bytes(32, "big")).decode()
