"""A 401 that offers Basic beside Bearer (RFC 9110 §11.6.1): nobody is asked for a password."""

from __future__ import annotations

from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

BOTH = {"WWW-Authenticate": 'Basic realm="legacy", Bearer error="invalid_token"'}


def test_a_basic_challenge_opens_no_dialog(session: PageSession, lab: Lab) -> None:
    """A browser asks only for what it sends cookies with; with a token there's no need of them."""
    lab.api(status=401, headers=BOTH)

    assert [200] == session.get("profile")
    assert 1 == lab.counters()["refresh"]
