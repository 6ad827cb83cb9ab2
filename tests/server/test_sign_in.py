"""Signing in: the answer, the refusal, and the brake on guessing."""

from __future__ import annotations

import sqlite3
import threading
from asyncio import create_task, gather, to_thread
from pathlib import Path
from typing import Literal

import jwt
import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from app.server import throttle
from app.server.throttle import Failures, LoginThrottle
from tests.server.site import CREDENTIALS, Clock, CountingHasher, Site

WRONG = {"username": "demo", "password": "wrong"}


async def test_signing_in_answers_with_both_tokens(site: Site) -> None:
    """The lives are told in seconds, and no cache may keep the answer (RFC 6749 §5.1)."""
    response = await site.http.post("/login", json=CREDENTIALS)

    tokens = response.json()
    access_token, refresh_token = tokens.pop("accessToken"), tokens.pop("refreshToken")
    assert {"tokenType": "Bearer", "expiresIn": 1800, "refreshExpiresIn": 604800} == tokens
    assert "no-store" == response.headers["Cache-Control"]
    claims = jwt.decode(access_token, options={"verify_signature": False})
    assert ("demo", 1800) == (claims["sub"], claims["exp"] - claims["iat"])
    assert "." not in refresh_token  # opaque


@pytest.mark.parametrize("username", ["demo", "nobody"])
async def test_a_wrong_password_and_an_unknown_user_look_alike(site: Site, username: str) -> None:
    """Status, body and the work done are the same, so that nobody learns which names exist."""
    response = await site.http.post("/login", json={"username": username, "password": "wrong"})

    assert 401 == response.status_code
    assert {
        "error": "invalid_credentials",
        "error_description": "The user name or the password is wrong",
    } == response.json()
    assert 'Bearer realm="silent-refresh"' == response.headers["WWW-Authenticate"]
    assert 1 == site.hasher.verified


async def test_passwords_are_stored_as_argon2id(tmp_path: Path) -> None:
    """At least at the cost that RFC 9106 §4 gives for little memory: 64 MiB, three passes, four lanes."""
    async with Site(tmp_path, password_hasher=PasswordHasher()) as site:
        await site.sign_in()
        database = sqlite3.connect(site.data / "auth.sqlite3")
        ((password_hash,),) = database.execute("SELECT password_hash FROM users").fetchall()
        database.close()

    cost = extract_parameters(password_hash)
    assert Type.ID == cost.type
    assert cost.memory_cost >= 64 * 1024
    assert cost.time_cost >= 3
    assert cost.parallelism >= 4


class SlowHasher(CountingHasher):
    """Says when it has begun, and takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.may_end = threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.begun.set()
        assert self.may_end.wait(10), "the event loop was held up, and the test with it"
        return super().verify(hash, password)


async def test_hashing_a_password_holds_up_nobody(tmp_path: Path) -> None:
    """It runs in a thread: others are answered meanwhile."""
    hasher = SlowHasher()
    async with Site(tmp_path, password_hasher=hasher) as site:
        sign_in = create_task(site.sign_in())
        assert await to_thread(hasher.begun.wait, 10)

        assert 401 == (await site.http.get("/api/profile")).status_code
        assert not sign_in.done()
        hasher.may_end.set()
        assert "accessToken" in await sign_in


async def test_no_answer_of_the_token_endpoints_is_cached(site: Site) -> None:
    """Neither one that holds tokens nor one that refuses them (RFC 6749 §5.1)."""
    token = {"refreshToken": (await site.sign_in())["refreshToken"]}
    answers = [
        await site.http.post("/login", json=CREDENTIALS),
        await site.http.post("/login", json=WRONG),
        await site.http.post("/refresh", json=token),
        await site.http.post("/refresh", json={"refreshToken": "unknown"}),
        await site.http.post("/refresh", json={}),
        await site.http.post("/logout", json=token),
    ]

    assert [200, 401, 200, 401, 400, 204] == [answer.status_code for answer in answers]
    assert ["no-store"] * 6 == [answer.headers["Cache-Control"] for answer in answers]


async def test_guessing_at_an_account_is_braked(site: Site) -> None:
    """After ten failures in a minute even the right password is told to wait, without being looked at."""
    for _ in range(10):
        assert 401 == (await site.http.post("/login", json=WRONG)).status_code
        site.clock.advance(1)

    response = await site.http.post("/login", json=CREDENTIALS)

    assert (429, "50") == (response.status_code, response.headers["Retry-After"])
    assert "too_many_requests" == response.json()["error"]
    assert 10 == site.hasher.verified
    site.clock.advance(50)
    assert 200 == (await site.http.post("/login", json=CREDENTIALS)).status_code


async def test_names_that_do_not_exist_are_braked_alike(site: Site) -> None:
    """The brake doesn't tell which names exist either."""
    attempt = {"username": "nobody", "password": "wrong"}
    statuses = [(await site.http.post("/login", json=attempt)).status_code for _ in range(11)]

    assert [401] * 10 + [429] == statuses


async def test_guesses_sent_at_once_are_braked_too(site: Site) -> None:
    """Of forty guesses in flight together, ten learn that they were wrong; the rest learn nothing."""
    responses = await gather(*(site.http.post("/login", json=WRONG) for _ in range(40)))

    statuses = sorted(response.status_code for response in responses)
    assert [401] * 10 + [429] * 30 == statuses


async def test_sign_ins_that_succeed_are_never_braked(site: Site) -> None:
    """Forty tabs that sign in together all get in."""
    responses = await gather(*(site.http.post("/login", json=CREDENTIALS) for _ in range(40)))

    assert {200} == {response.status_code for response in responses}


async def test_a_success_clears_the_account(site: Site) -> None:
    """Who mistypes nine times and then gets it right starts afresh."""
    for _ in range(2):
        for _ in range(9):
            await site.http.post("/login", json=WRONG)
        assert 200 == (await site.http.post("/login", json=CREDENTIALS)).status_code


async def test_guessing_at_many_accounts_from_one_address_is_braked(site: Site) -> None:
    """After thirty failures the address waits; others still sign in."""
    for n in range(30):
        await site.http.post("/login", json={"username": f"user-{n}", "password": "wrong"})

    assert 429 == (await site.http.post("/login", json=CREDENTIALS)).status_code
    async with site.client_from("192.0.2.2") as elsewhere:
        assert 200 == (await elsewhere.post("/login", json=CREDENTIALS)).status_code


@pytest.mark.parametrize(
    ("addresses", "one"),
    [
        (("2001:db8::1", "2001:db8::ffff:2"), True),
        (("2001:db8:0:1::1", "2001:db8:0:2::1"), False),
        (("::ffff:192.0.2.1", "::ffff:192.0.2.2"), False),
        (("192.0.2.1", "192.0.2.2"), False),
        (("not an address", ""), False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(addresses: tuple[str, str], one: bool) -> None:
    """Whoever has one IPv6 address has its whole /64, but IPv4 addresses stay apart."""
    brake = LoginThrottle(Clock())
    for n in range(30):
        brake.failed(f"user-{n}", addresses[0])

    assert one == (brake.wait("demo", addresses[1]) > 0)


def test_the_memory_of_failures_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names are tried, so many are remembered, and the latest of them."""
    monkeypatch.setattr(throttle, "MAX_KEYS", 100)
    failures = Failures(1, Clock())
    for n in range(1000):
        failures.add(f"user-{n}")

    assert 100 == len(failures)
    assert 60 == failures.wait("user-999")
    assert 0 == failures.wait("user-0")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"username": "demo"}', 400),
        (b'{"username": "demo", "password": 1}', 400),
        (b'{"username": "", "password": "x"}', 400),
        (b'{"username": "\\ud800", "password": "x"}', 400),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 60000, 400),
        (b'{"username": ' + b"9" * 5000 + b"}", 400),
        (b" " * 65537, 413),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused(site: Site, content: bytes, status: int) -> None:
    """Each is answered with what is wrong, in OAuth's shape."""
    response = await site.http.post(
        "/login", content=content, headers={"Content-Type": "application/json; charset=utf-8"}
    )

    assert status == response.status_code
    assert {"error", "error_description"} == set(response.json())


async def test_a_form_is_refused(site: Site) -> None:
    """A form can be sent by any page without asking; JSON can't."""
    response = await site.http.post("/login", data=CREDENTIALS)

    assert 415 == response.status_code
