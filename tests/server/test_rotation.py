"""Refresh tokens: rotation, reuse, grace, expiry and revocation."""

from __future__ import annotations

import sqlite3
import threading
from asyncio import gather
from pathlib import Path
from typing import Any

import httpx

from app.server.database import Database
from app.server.refresh_tokens import Grant, RefreshTokens, Refusal
from app.server.server_time import ServerTime
from tests.server.site import START, Site


def is_invalid_grant(response: httpx.Response) -> bool:
    return bool(response.status_code == 401 and response.json()["error"] == "invalid_grant")


async def profile(site: Site, tokens: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await site.get("/api/profile", tokens["accessToken"])).json()
    return answer


async def test_a_refresh_answers_with_a_new_pair(site: Site) -> None:
    """Both tokens are new, both work, and neither may be stored by a cache."""
    first = await site.sign_in()

    response = await site.refresh(first["refreshToken"])

    second = response.json()
    assert {"accessToken", "refreshToken", "tokenType", "expiresIn", "refreshExpiresIn"} == set(second)
    assert first["accessToken"] != second["accessToken"]
    assert first["refreshToken"] != second["refreshToken"]
    assert "no-store" == response.headers["Cache-Control"]
    assert 200 == (await site.get("/api/profile", second["accessToken"])).status_code
    assert 200 == (await site.refresh(second["refreshToken"])).status_code


async def test_simultaneous_refreshes_of_one_token_have_one_winner(tmp_path: Path) -> None:
    """Of twenty requests with one token and no grace, one gets tokens, and the reuse ends the session."""
    async with Site(tmp_path, grace=0) as site:
        token = (await site.sign_in())["refreshToken"]

        responses = await gather(*(site.refresh(token) for _ in range(20)))

        winners = [response for response in responses if response.status_code == 200]
        assert 1 == len(winners)
        assert 19 == sum(map(is_invalid_grant, responses))
        assert is_invalid_grant(await site.refresh(winners[0].json()["refreshToken"]))
        assert 401 == (await site.get("/api/profile", winners[0].json()["accessToken"])).status_code


def test_rotations_over_several_connections_have_one_winner(tmp_path: Path) -> None:
    """Twenty servers on one database, in threads of their own, can't both read a token as unused."""
    time = ServerTime(lambda: START, lambda: 0)
    databases = [Database(tmp_path / "auth.sqlite3", time) for _ in range(20)]
    with databases[0].transaction() as connection:
        connection.execute("INSERT INTO users VALUES ('demo', '', '', '')")
    servers = [RefreshTokens(database, time, ttl=60, grace=0) for database in databases]
    token = servers[0].start_family("demo").refresh_token
    results: list[Grant | Refusal] = []
    together = threading.Barrier(len(servers))

    def rotate(server: RefreshTokens) -> None:
        together.wait()
        results.append(server.rotate(token))

    threads = [threading.Thread(target=rotate, args=[server], daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()

    assert 1 == sum(isinstance(result, Grant) for result in results)
    assert 1 == results.count(Refusal.REUSED)
    assert 18 == results.count(Refusal.REVOKED)


async def test_an_old_token_ends_the_session(site: Site) -> None:
    """A token two generations old is stolen: nothing of its family works any more (RFC 9700 §4.14.2)."""
    first = await site.sign_in()
    second = await site.next_token(first["refreshToken"])
    third = (await site.refresh(second)).json()

    assert is_invalid_grant(await site.refresh(first["refreshToken"]))

    assert is_invalid_grant(await site.refresh(third["refreshToken"]))
    assert 401 == (await site.get("/api/profile", third["accessToken"])).status_code
    assert 1 == (await site.counters())["reuse"]


async def test_reuse_ends_only_its_own_family(site: Site) -> None:
    """The same user's other sign-in goes on."""
    stolen, other = await site.sign_in(), await site.sign_in()
    await site.next_token(await site.next_token(stolen["refreshToken"]))

    assert is_invalid_grant(await site.refresh(stolen["refreshToken"]))

    assert 200 == (await site.get("/api/profile", other["accessToken"])).status_code
    assert 200 == (await site.refresh(other["refreshToken"])).status_code


async def test_the_parent_is_accepted_again_within_the_grace(site: Site) -> None:
    """A client whose answer got lost asks again and goes on; that is no reuse."""
    token = (await site.sign_in())["refreshToken"]
    await site.next_token(token)
    site.clock.advance(9.9)

    again = await site.next_token(token)

    assert 200 == (await site.refresh(again)).status_code
    assert 0 == (await site.counters())["reuse"]


async def test_the_grace_ends(site: Site) -> None:
    """Ten seconds after its first use, the parent counts as stolen."""
    token = (await site.sign_in())["refreshToken"]
    await site.next_token(token)
    site.clock.advance(10)

    assert is_invalid_grant(await site.refresh(token))
    assert 1 == (await site.counters())["reuse"]


async def test_repetitions_do_not_prolong_the_grace(site: Site) -> None:
    """The grace runs from the first use, however often the parent comes meanwhile."""
    token = (await site.sign_in())["refreshToken"]
    for _ in range(3):
        await site.next_token(token)
        site.clock.advance(4)

    assert is_invalid_grant(await site.refresh(token))


async def test_only_the_immediate_parent_has_a_grace(site: Site) -> None:
    """A grandparent is refused even at once."""
    first = (await site.sign_in())["refreshToken"]
    await site.next_token(await site.next_token(first))

    assert is_invalid_grant(await site.refresh(first))


async def test_rotation_does_not_extend_the_session(site: Site) -> None:
    """However often it is refreshed, a session ends seven days after the sign-in."""
    token = (await site.sign_in())["refreshToken"]
    left = []
    for _ in range(6):
        site.clock.advance(86400)
        answer = (await site.refresh(token)).json()
        token = answer["refreshToken"]
        left.append(answer["refreshExpiresIn"] / 86400)

    assert [6, 5, 4, 3, 2, 1] == left
    site.clock.advance(86400)
    assert is_invalid_grant(await site.refresh(token))
    assert 0 == (await site.counters())["reuse"]


async def test_the_profile_tells_what_the_session_has_left(site: Site) -> None:
    """Counted from the sign-in that the access token comes from, whatever was renewed or signed in since."""
    first = await site.sign_in()
    site.clock.advance(1000)
    renewed = (await site.refresh(first["refreshToken"])).json()
    other = await site.sign_in()

    left = [(await profile(site, tokens))["refreshExpiresIn"] for tokens in (first, renewed, other)]

    assert [603800, 603800, 604800] == left


async def test_the_profile_tells_of_a_session_that_cannot_be_renewed(tmp_path: Path) -> None:
    """Nothing is left when no refresh token is good any more: revoked, or older than a session may be."""
    async with Site(tmp_path, refresh_ttl=60) as site:
        old = await site.sign_in()
        site.clock.advance(61)
        revoked = await site.sign_in()
        await site.lab("revoke")

        assert [0, 0] == [(await profile(site, tokens))["refreshExpiresIn"] for tokens in (old, revoked)]


async def test_signing_out_ends_the_session(site: Site) -> None:
    """After a sign-out neither kind of token works."""
    tokens = await site.sign_in()

    response = await site.http.post("/logout", json={"refreshToken": tokens["refreshToken"]})

    assert (204, b"") == (response.status_code, response.content)
    assert is_invalid_grant(await site.refresh(tokens["refreshToken"]))
    assert 401 == (await site.get("/api/profile", tokens["accessToken"])).status_code


async def test_signing_out_with_a_used_token_ends_the_session_too(site: Site) -> None:
    """A tab that missed a rotation can still sign the user out."""
    first = await site.sign_in()
    second = await site.next_token(first["refreshToken"])

    await site.http.post("/logout", json={"refreshToken": first["refreshToken"]})

    assert is_invalid_grant(await site.refresh(second))


async def test_signing_out_without_a_session_succeeds(site: Site) -> None:
    """An unknown token is no error: what was wanted is so already (RFC 7009 §2.2)."""
    response = await site.http.post("/logout", json={"refreshToken": "unknown"})

    assert 204 == response.status_code


async def test_an_access_token_is_no_refresh_token(site: Site) -> None:
    """The refresh endpoint takes only what it issued for itself."""
    tokens = await site.sign_in()

    response = await site.refresh(tokens["accessToken"])

    assert is_invalid_grant(response)
    assert 'Bearer realm="silent-refresh"' == response.headers["WWW-Authenticate"]


async def test_refresh_tokens_are_stored_hashed(site: Site) -> None:
    """Who reads the database, the write-ahead log included, finds no token to use."""
    token = (await site.sign_in())["refreshToken"]

    stored = b"".join(path.read_bytes() for path in site.data.iterdir() if path.is_file())

    assert b"refresh_tokens" in stored
    assert token.encode() not in stored


async def test_sessions_outlive_a_restart(tmp_path: Path) -> None:
    """Key and database are in the data folder, so another server on it knows both tokens."""
    async with Site(tmp_path) as site:
        tokens = await site.sign_in()

    async with Site(tmp_path) as site:
        assert 200 == (await site.get("/api/profile", tokens["accessToken"])).status_code
        assert 200 == (await site.refresh(tokens["refreshToken"])).status_code


async def test_ended_sessions_are_swept_out(site: Site) -> None:
    """A month after it expired, nothing of a session is left in the database."""
    await site.sign_in()
    site.clock.advance(38 * 86400)

    await site.sign_in()

    with sqlite3.connect(site.data / "auth.sqlite3") as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM families), (SELECT count(*) FROM refresh_tokens)"
        ).fetchone()
    connection.close()
    assert (1, 1) == counts
