"""A clock that is set back: what has ended stays so. Each attack is made over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.live import Live
from tests.server.site import START, Clock

HOUR = 3600


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def an_hour_back(how: str, live: Live, clock: Clock, **settings: float) -> Iterator[Live]:
    """Set the clock back, and return the server, or the one that takes its place on the same data."""
    if how == "restarted":
        live.stop()
    elif how == "killed":
        live.sign_in()  # somebody else; of the time since the last transaction nothing is kept
    clock.set_back(HOUR)
    if how == "running":
        yield live
    else:
        with Live(live.data.parent, clock, **settings) as another:
            yield another


@pytest.mark.parametrize("how", ["running", "restarted", "killed"])
def test_a_used_refresh_token_stays_used(tmp_path: Path, clock: Clock, how: str) -> None:
    """The grace of a parent is over once and for all: it counts as stolen, and ends its session."""
    with Live(tmp_path, clock) as live:
        used = live.sign_in()["refreshToken"]
        newest = live.refresh(used).json()["refreshToken"]
        clock.advance(10)

        with an_hour_back(how, live, clock) as later:
            assert "used before" in later.refresh(used).text
            assert 401 == later.refresh(newest).status_code


@pytest.mark.parametrize("how", ["running", "restarted", "killed"])
def test_what_expired_stays_expired(tmp_path: Path, clock: Clock, how: str) -> None:
    """Access token and session alike."""
    lives = {"access_ttl": 60, "refresh_ttl": 120}
    with Live(tmp_path, clock, **lives) as live:
        old = live.sign_in()
        clock.advance(120)

        with an_hour_back(how, live, clock, **lives) as later:
            assert 401 == later.profile(old["accessToken"])
            assert 401 == later.refresh(old["refreshToken"]).status_code


def test_time_goes_on_meanwhile(tmp_path: Path, clock: Clock) -> None:
    """What is issued while the clock is behind lives as long as always: no hour is added to any life."""
    with Live(tmp_path, clock, access_ttl=60, refresh_ttl=120) as live:
        live.sign_in()
        clock.set_back(HOUR)
        tokens = live.sign_in()
        used = tokens["refreshToken"]
        newest = live.refresh(used).json()

        clock.advance(9.5)
        again = live.refresh(used)
        assert (200, 110.5) == (again.status_code, again.json()["refreshExpiresIn"])
        clock.advance(50.5)
        assert 401 == live.profile(tokens["accessToken"])
        clock.advance(60)
        assert 401 == live.refresh(newest["refreshToken"]).status_code


def test_the_time_in_between_does_not_pass_twice(tmp_path: Path, clock: Clock) -> None:
    """A clock that is right again changes nothing either: nothing expires early."""
    with Live(tmp_path, clock) as live:
        clock.set_back(HOUR)
        clock.advance(1)
        token = live.sign_in()["refreshToken"]
        clock.set_back(-HOUR)
        assert 604_800 == live.refresh(token).json()["refreshExpiresIn"]


def test_a_clock_set_forward_is_followed(tmp_path: Path, clock: Clock) -> None:
    """A machine that slept wakes up later, and its steady clock doesn't know: tokens expired meanwhile."""
    with Live(tmp_path, clock) as live:
        token = live.sign_in()["accessToken"]
        clock.set_back(-HOUR)
        assert START + HOUR == clock.now
        assert 401 == live.profile(token)


def test_the_brake_on_guessing_holds(tmp_path: Path, clock: Clock) -> None:
    """Neither longer nor shorter: it counts on the steady clock."""
    with Live(tmp_path, clock) as live:
        wrong = {"username": "demo", "password": "wrong"}
        for _ in range(10):
            assert 401 == live.http.post("/login", json=wrong).status_code
        clock.set_back(HOUR)
        assert "60" == live.http.post("/login", json=wrong).headers["Retry-After"]
        clock.advance(60)
        live.sign_in()
