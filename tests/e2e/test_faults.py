"""What the refresh endpoint may answer, in a real browser: one table of the rows F36 to F59.

Each row orders answers at the real server, lets a request run into an expired token, and says how that ends:
for the request, for the session, for the page, and how many refresh calls the server counted.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.e2e.tabs import NEVER

ELSEWHERE = "http://localhost:9/refresh"


class Row(NamedTuple):
    """``end``: the request's status or error; ``fate``: of the tokens, "renewed", "kept" or "cleared"."""

    faults: list[dict[str, Any]]
    end: int | str
    fate: str
    refreshes: int = 1
    retries: int = 0
    grace: float = 0.0


def answers(status: int, body: object = None, **more: Any) -> dict[str, Any]:
    """Order an answer; a body that is no text is sent as JSON."""
    return {"status": status, "body": body if isinstance(body, str) else json.dumps(body), **more}


def renewed(*faults: dict[str, Any], **more: Any) -> Row:
    """Expect that one refresh more than there are faults succeeds."""
    return Row([*faults], 200, "renewed", refreshes=len(faults) + 1, retries=2, **more)


def kept(*faults: dict[str, Any], **more: Any) -> Row:
    """Expect that the request fails for now."""
    return Row([*faults], "RefreshUnavailable", "kept", **more)


def misconfigured(status: int, body: object) -> Row:
    """Expect a loud error, and no other try."""
    return Row([answers(status, body)], "RefreshMisconfigured", "kept", retries=2)


def cleared(*faults: dict[str, Any], **more: Any) -> Row:
    """Expect the end of the session."""
    return Row([*faults], "RefreshRejected", "cleared", **{"retries": 2, **more})


HTML = {"content-type": "text/html"}
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"
PORTAL = answers(200, "<html>Welcome to our hotel</html>", headers=HTML)
DROP = {"drop": True}
ROTATED_AND_DROPPED = {"drop": True, "after": True}
ROWS = {
    **{f"F37 {status} once": renewed(answers(status)) for status in (408, 425, 429, 500, 502, 503, 504)},
    "F37 500 and 503": renewed(answers(500), answers(503, "<html>busy</html>")),
    "F37 an hour of 503": kept(answers(503, times=1000), retries=1, refreshes=2),
    "F37 Retry-After of a second": renewed(answers(503, headers={"Retry-After": "1"})),
    "F37 Retry-After in the past": renewed(answers(503, headers={"Retry-After": PAST})),
    "F37 Retry-After that is none": renewed(answers(503, headers={"Retry-After": "soon"})),
    "F37 temporarily_unavailable": kept(answers(400, {"error": "temporarily_unavailable"})),
    "F38 a connection that breaks": renewed(DROP),
    "F38 a connection that breaks twice": kept(DROP, DROP, DROP, retries=5, refreshes=2),
    "F38 after the rotation, with a grace": renewed(ROTATED_AND_DROPPED, grace=30),
    "F38 after the rotation, without grace": cleared(ROTATED_AND_DROPPED, refreshes=2),
    "F39 no answer": kept(NEVER),
    **{
        f"F40 {status}": kept(answers(status, "", headers={"Location": ELSEWHERE}))
        for status in (301, 302, 303, 307, 308)
    },
    "F42 captive portal": kept(PORTAL),
    "F42 a proxy's page": kept(answers(502, "<html>Bad gateway</html>", headers=HTML)),
    "F42 half of the JSON": kept(answers(200, '{"accessToken": "a')),
    "F42 JSON too deep for Pyodide": kept(answers(200, '{"accessToken": "a", "b": ' + "[" * 20_000)),
    "F42 an empty 200": kept(answers(200, "")),
    "F42 204": kept({"status": 204}),
    "F48 no access token": misconfigured(200, {"token": "x"}),
    "F48 null": misconfigured(200, {"accessToken": None, "refreshToken": None}),
    "F48 the word undefined": misconfigured(200, {"accessToken": "undefined"}),
    "F48 a line break": misconfigured(200, {"accessToken": "a\nb"}),
    "F48 no ASCII": misconfigured(200, {"accessToken": "世界"}),
    "F48 a number": misconfigured(200, {"accessToken": 7}),
    "F50 an error in a 200": misconfigured(200, {"error": "something_else"}),
    "F50 null": misconfigured(200, None),
    "F50 a list": misconfigured(200, []),
    "F51 invalid_grant": cleared(answers(400, {"error": "invalid_grant"})),
    "F51 invalid_grant in a 200": cleared(answers(200, {"error": "invalid_grant"})),
    "F5 a bare 401": cleared(answers(401, "")),
    "F5 a bare 403": renewed(answers(403, "<html>Forbidden</html>", headers=HTML)),
    "F5 an hour of 403": kept(answers(403, "<html>Forbidden</html>", times=1000), retries=1, refreshes=2),
    "F52 invalid_client": misconfigured(401, {"error": "invalid_client"}),
    "F52 invalid_request": misconfigured(400, {"error": "invalid_request"}),
    "F52 unsupported_grant_type": misconfigured(400, {"error": "unsupported_grant_type"}),
    "F52 404": misconfigured(404, "no such page"),
    "F52 405": misconfigured(405, ""),
    "F52 415": misconfigured(415, {}),
    "F54 DPoP": misconfigured(200, {"accessToken": "x", "token_type": "DPoP"}),
}


@pytest.fixture
def console(session):
    """Return what the page writes to its console from now on."""
    texts: list[str] = []

    def note(message):
        texts.append(message.text)

    session.page.on("console", note)
    yield texts
    session.page.remove_listener("console", note)


@pytest.mark.parametrize("row", ROWS)
def test_a_refresh_that_is_answered_with(session, lab, console, row):
    """The request, the session and the page end as the row says, and a later request finds its way."""
    faults, end, fate, refreshes, retries, grace = ROWS[row]
    session.open(timeout=0.5 if NEVER in faults else 3, retries=retries)
    before = session.record()
    lab.grace(grace)
    for fault in faults:
        lab.refresh(**fault)
    lab.expire()

    assert [end] == session.get("profile")
    assert refreshes == lab.counters()["refresh"]
    assert fate == fate_of(before, session.record())
    assert (["rejected"] if fate == "cleared" else []) == reasons(session)
    assert (end == "RefreshMisconfigured") == any(
        "refresh endpoint can't be used" in text for text in console
    )
    lab.reset()
    assert ["NotSignedIn" if fate == "cleared" else 200] == session.get("profile")


def fate_of(before, after):
    """Say what became of the tokens."""
    if after is None:
        return "cleared"
    if after == before:
        return "kept"
    return (
        "renewed" if after["id"] == before["id"] and after["access_token"] != before["access_token"] else "?"
    )


def reasons(session):
    """Return why the page was sent to the login, each time that it was."""
    return [redirect.rpartition("reason=")[2] for redirect in session.redirects()]
