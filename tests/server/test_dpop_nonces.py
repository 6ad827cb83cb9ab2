"""Nonces in proofs: asked for, given with each answer, stale in the end (RFC 9449 §8, §9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.server import nonces
from tests.server.keys import Key
from tests.server.sender import DPOP, HERE, Sender, answered
from tests.server.site import CREDENTIALS, START, Site


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Site]:
    """A server that requires nonces."""
    async with Site(tmp_path / "strict", dpop_nonce=True) as site:
        yield site


async def test_a_proof_without_a_nonce_is_given_one(strict: Site) -> None:
    """400 at the token endpoint, 401 with a challenge at a resource; with the nonce it works, at both."""
    sender = Sender(strict)

    asked = await sender.post("/login", CREDENTIALS)
    nonce = asked.headers["DPoP-Nonce"]
    tokens = await sender.sign_in(nonce=nonce)
    at_resource = await sender.get(tokens["accessToken"])

    assert (400, "use_dpop_nonce") == answered(asked)
    assert 1 == strict.hasher.verified
    assert (401, "use_dpop_nonce") == answered(at_resource)
    assert at_resource.headers["WWW-Authenticate"].startswith(f'{DPOP}, error="use_dpop_nonce"')
    assert nonce == at_resource.headers["DPoP-Nonce"]
    assert 200 == (await sender.get(tokens["accessToken"], nonce=nonce)).status_code
    assert 200 == (await sender.refresh(tokens["refreshToken"], nonce=nonce)).status_code


async def test_each_answer_has_the_newest_nonce(strict: Site) -> None:
    """So that a client needs no extra try; the one before is good as long again, then it is stale."""
    sender = Sender(strict)
    first = (await sender.post("/login", CREDENTIALS)).headers["DPoP-Nonce"]
    token = (await sender.sign_in(nonce=first))["accessToken"]
    strict.clock.advance(nonces.PERIOD)

    response = await sender.get(token, nonce=first)
    second = response.headers["DPoP-Nonce"]
    strict.clock.advance(nonces.PERIOD)

    assert (200, True) == (response.status_code, first != second)
    assert (401, "use_dpop_nonce") == answered(await sender.get(token, nonce=first))
    assert 200 == (await sender.get(token, nonce=second)).status_code


@pytest.mark.parametrize("nonce", ["", "made up", 1, ["x"]], ids=str)
async def test_a_nonce_must_be_the_servers(strict: Site, nonce: Any) -> None:
    """No other text, and nothing else than a text."""
    response = await Sender(strict).post("/login", CREDENTIALS, nonce=nonce)

    assert (400, "use_dpop_nonce") == answered(response)


async def test_a_nonce_dates_a_proof(strict: Site) -> None:
    """A sender whose clock is wrong gets in: the nonce is the server's own time (RFC 9449 §4.3, point 11)."""
    sender = Sender(strict)
    nonce = (await sender.post("/login", CREDENTIALS)).headers["DPoP-Nonce"]

    await sender.sign_in(nonce=nonce, iat=START - 86400)


async def test_no_nonce_is_sent_where_none_is_needed(site: Site, sender: Sender, strict: Site) -> None:
    """Unless they are required, and to senders of bearer tokens never."""
    assert "DPoP-Nonce" not in (await sender.post("/login", CREDENTIALS)).headers

    tokens = await strict.sign_in()
    assert "DPoP-Nonce" not in (await strict.get("/api/profile", tokens["accessToken"])).headers


async def test_the_lab_requires_nonces_and_makes_them_stale(site: Site, sender: Sender) -> None:
    """Until its reset."""
    token = (await sender.sign_in())["accessToken"]
    await site.lab("nonces", required=True)
    first = (await sender.get(token)).headers["DPoP-Nonce"]
    assert 200 == (await sender.get(token, nonce=first)).status_code

    await site.lab("nonces", required=True)

    assert (401, "use_dpop_nonce") == answered(await sender.get(token, nonce=first))
    await site.lab("reset")
    assert 200 == (await sender.get(token)).status_code
    assert 400 == (await site.http.post("/lab/nonces", json={"required": 1})).status_code


async def test_a_page_of_another_origin_may_read_what_it_needs(tmp_path: Path) -> None:
    """The nonce, the challenge, and the date by which it sets its clock."""
    async with Site(tmp_path, dpop_nonce=True, allow_origins=("https://app.example",)) as site:
        proof = Key().proof("POST", f"{HERE}/login")
        headers = {"Origin": "https://app.example", "DPoP": proof}

        response = await site.http.post("/login", json=CREDENTIALS, headers=headers)

    assert (400, "use_dpop_nonce") == answered(response)
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"DPoP-Nonce", "Date", "WWW-Authenticate"} < set(exposed)
