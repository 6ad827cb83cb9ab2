"""The browser is killed, all its processes, and started again: nobody is stuck, and nobody is back who left.

``make test`` kills it twice at each moment, ``make soak`` twenty times; ``SEED=`` repeats a run's delays.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Request

from tests.e2e.deaths.kills import COUNT, NONE, Kill, Kills
from tests.e2e.tabs import NEVER, renewing

LOGIN = "/login?next=%2Ftests%2Fe2e%2Fpage%2Findex.html&reason="
COMMIT_TAKES = 0.025  # s, from the answer on; half of that when nothing else runs


def soon(kill: Kill) -> float:
    """Draw a delay in seconds after which the disk seldom has what localStorage has."""
    return kill.random.uniform(0.3, 3)


def at_once_or_soon(kill: Kill) -> float:
    """Draw such a delay every second time; else none: what was told as done is on the disk already."""
    return soon(kill) if kill.number % 2 else 0.0


def is_refresh(request: Request) -> bool:
    """Whether a request renews the token."""
    return request.url.endswith("/refresh")


def renew(kill: Kill) -> None:
    """Renew the token by a request."""
    kill.lab.expire()
    assert [200] == kill.tab.get("profile")


@pytest.mark.every_engine("IndexedDB")
def test_a_renewal_is_kept(kills: Kills) -> None:
    """It comes back with the new session: no sign-in, no reuse, no wait (F90)."""
    for kill in kills("after a renewal"):
        renew(kill)
        kill.strike(after=at_once_or_soon(kill))
        kill.judge("demo", stays=True)
    assert NONE == kills.bad_ends


def test_a_sign_in_is_kept(kills: Kills) -> None:
    """It comes back signed in, once `sign_in()` has returned (F93)."""
    for kill in kills("after a sign-in", signed_in=False):
        kill.tab.open(kill.lab.sign_in())
        kill.strike(after=at_once_or_soon(kill))
        kill.judge("demo", stays=True)
    assert NONE == kills.bad_ends


def test_a_sign_out_is_kept(kills: Kills) -> None:
    """It comes back signed out; no token of that session leaves, though the server would take it (F91)."""
    for kill in kills("after a sign-out"):
        kill.tab.sign_out()
        kill.strike(after=at_once_or_soon(kill))
        kill.judge(None, stays=False)
    assert NONE == kills.bad_ends


def test_another_users_sign_in_is_kept(kills: Kills) -> None:
    """It comes back as the second user, never as the first, whose tokens the server would take (F92)."""
    for kill in kills("after another user's sign-in"):
        kill.tab.open(kill.lab.sign_in("another"))
        kill.strike(after=at_once_or_soon(kill))
        kill.judge("another", stays=True)
    assert NONE == kills.bad_ends


def test_a_renewal_in_mid_commit_is_kept_or_ends_at_the_login(kills: Kills) -> None:
    """With the answer in the browser and the commit not told yet, the server's word counts (F94)."""
    for kill in kills("in mid-commit"):
        with kill.tab.page.expect_response("**/refresh"):
            renewing(kill.tab, kill.lab)
        kill.strike(after=kill.random.uniform(0, COMMIT_TAKES))
        kill.judge("demo", stays=kill.was_renewed, may_reuse=not kill.was_renewed)
    assert NONE == kills.bad_ends


def test_an_answer_that_is_lost_costs_a_sign_in_at_most(kills: Kills) -> None:
    """The old refresh token is presented once: a server with a grace takes it, a strict one doesn't (F94)."""
    for kill in kills("between a rotation and its answer"):
        kill.lab.refresh(**NEVER, after=True)
        renewing(kill.tab, kill.lab)
        kill.strike(after=soon(kill))
        has_grace = kill.number % 2 == 1
        kill.lab.grace(60 if has_grace else 0)
        kill.judge("demo", stays=has_grace, may_reuse=not has_grace)
    assert NONE == kills.bad_ends


def test_tabs_that_all_renew_come_back_as_one(kills: Kills) -> None:
    """Four tabs send requests with an expired token while the browser dies (F90, F94)."""
    for kill in kills("with four tabs that renew"):
        tabs = [kill.tab, *(kill.open_tab() for _ in range(3))]
        kill.lab.expire()
        with kill.tab.page.context.expect_event("request", is_refresh):
            for tab in tabs:
                tab.start(*(["GET", f"items/{n}", {}] for n in range(5)))
        kill.strike(after=kill.random.uniform(0, 0.3))
        kill.judge("demo", stays=kill.was_renewed, may_reuse=not kill.was_renewed)
    assert NONE == kills.bad_ends


def test_a_request_that_waits_for_its_renewal_leaves_the_session_as_it_was(kills: Kills) -> None:
    """The refresh token is presented again: the server never got to it (F94)."""
    for kill in kills("while a request waits"):
        kill.lab.refresh(**NEVER)
        renewing(kill.tab, kill.lab)
        kill.strike(after=soon(kill))
        kill.judge("demo", stays=True)
    assert NONE == kills.bad_ends


def test_a_session_that_died_meanwhile_ends_as_any_other(kills: Kills) -> None:
    """The first request finds it out: cleared, told, and sent to the login once (F98)."""
    redirects = []
    for kill in kills("of a session that the server ends meanwhile"):
        if kill.number % 2:
            renew(kill)
        kill.strike(after=soon(kill))
        kill.lab.revoke()
        kill.lab.expire()
        kill.judge("demo", stays=False)
        redirects.append(kill.redirects)
    assert NONE == kills.bad_ends
    assert [[LOGIN + "rejected"]] * COUNT == redirects
