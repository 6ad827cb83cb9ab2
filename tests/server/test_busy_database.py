"""A database that another program holds: those who need it are asked to come back, and nobody else waits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.server import database
from app.server.__main__ import main
from tests.server.live import Live
from tests.server.running import Running
from tests.server.site import CREDENTIALS, START, Clock, bearer


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the database as a program does that is about to write to it."""
    connection = sqlite3.connect(data / "auth.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def what_writes(tokens: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """List the requests that write."""
    refresh_token = {"refreshToken": tokens["refreshToken"]}
    return [
        ("/login", CREDENTIALS),
        ("/api/notes", {"text": "x"}),
        ("/refresh", refresh_token),
        ("/logout", refresh_token),
        ("/lab/expire", {}),
        ("/lab/revoke", {}),
    ]


async def test_who_needs_it_is_asked_to_come_back(server: Running, http: httpx.AsyncClient) -> None:
    """With 503 and when; nothing was done, so that the same refresh token works afterwards."""
    tokens = (await http.post("/login", json=CREDENTIALS)).json()
    headers = bearer(tokens["accessToken"])

    with held(server.data):
        for path, content in what_writes(tokens):
            answer = await http.post(path, json=content, headers=headers)
            assert (503, "1") == (answer.status_code, answer.headers.get("Retry-After")), path
            assert "temporarily_unavailable" == answer.json()["error"]
        assert [] == (await http.get("/api/notes", headers=headers)).json()["notes"]

    for path, content in what_writes(tokens):
        assert (await http.post(path, json=content, headers=headers)).is_success, path


class Sleeping:
    """A `sleep` that lasts until `wake_up`; `asleep` counts up with each that has begun."""

    def __init__(self) -> None:
        self.asleep = threading.Semaphore(0)
        self._awake = threading.Event()

    async def __call__(self, seconds: float) -> None:
        self.asleep.release()
        await asyncio.to_thread(self._awake.wait)

    def wake_up(self) -> None:
        """End all of them, and those to come."""
        self._awake.set()


@pytest.mark.parametrize("freed", [True, False])
def test_nobody_waits_for_those_who_wait(
    tmp_path: Path, freed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While requests wait for the database, all others are served: SQLite itself waits for nothing then."""
    monkeypatch.setattr(database, "SETUP_PATIENCE", 3600)
    sleeping = Sleeping()
    with Live(tmp_path, Clock(), sleep=sleeping) as live, ThreadPoolExecutor() as pool:
        people = [live.sign_in() for _ in range(4)]
        with held(live.data):
            waiting = [pool.submit(live.refresh, tokens["refreshToken"]) for tokens in people]
            for _ in people:
                assert sleeping.asleep.acquire(timeout=20)

            assert 404 == live.http.get("/missing").status_code
            assert 200 == live.profile(people[0]["accessToken"])
            assert not any(refresh.done() for refresh in waiting)
            if not freed:
                sleeping.wake_up()
                assert {503} == {refresh.result().status_code for refresh in waiting}
        sleeping.wake_up()

        if freed:
            assert {200} == {refresh.result().status_code for refresh in waiting}


def test_a_request_waits_for_a_third_of_a_second_at_most(tmp_path: Path) -> None:
    """In several tries, by the server's own clock."""
    clock = Clock()
    with Live(tmp_path, clock, sleep=clock.sleep) as live:
        token = live.sign_in()["refreshToken"]
        with held(live.data):
            assert 503 == live.refresh(token).status_code

    assert START < clock.now < START + 1 / 3


def test_a_database_that_is_held_at_the_start_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't called damaged, and nobody is told to delete it."""
    Running(tmp_path).stop()
    monkeypatch.setattr(database, "SETUP_PATIENCE", 0)

    with held(tmp_path):
        assert 2 == main(["--port", "0", "--data", str(tmp_path)])

    path = tmp_path / "auth.sqlite3"
    assert f"another program holds {path}: stop it, or use --data DIR\n" == capsys.readouterr().err
