"""What goes wrong around the refresh: network, API, storage and clock, in a real browser; rows F12 to F87."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress

import pytest
from playwright.sync_api import Error

from silent_refresh import RefreshUnavailable, StepUpRequired, install
from tests.browsers.features import BODIES
from tests.e2e.page_session import KEY

REFRESH = "**/refresh"


@pytest.fixture
def session(session):
    """Return the shared page's session, the demo user signed in; what the test routed is let go."""
    yield session
    session.page.unroute_all()


def change_answer(session, **changes):
    """Change fields of the true answer to a refresh on its way to the page; `None` leaves one out."""

    def garble(route):
        own = json.dumps({"refreshToken": session.record()["refresh_token"]})
        answer = route.fetch(post_data=route.request.post_data or own)
        fields = {**answer.json(), **changes}
        route.fulfill(
            response=answer, json={name: value for name, value in fields.items() if value is not None}
        )

    session.page.route(REFRESH, garble)


@pytest.mark.parametrize(
    "reason", ["failed", "connectionreset", "namenotresolved", "timedout", "internetdisconnected"]
)
def test_f36_no_way_to_the_refresh_endpoint(session, lab, reason):
    """The tokens stay, nobody is sent to the login, and the next request tries again."""
    session.page.route(REFRESH, lambda route: route.abort(reason))
    before = session.record()
    lab.expire()

    assert ["RefreshUnavailable"] * 3 == session.get("profile", "notes", "items/1")
    assert before == session.record()
    assert 0 == lab.counters()["refresh"]
    session.page.unroute_all()
    assert [200] == session.get("profile")
    assert [] == session.redirects()


@pytest.mark.needs("a way to take the network away")
def test_f36_offline_between_the_401_and_the_refresh(session, lab):
    """The whole network is gone, and comes back."""

    def go_offline(route):
        session.page.context.set_offline(True)
        with suppress(Error):  # Firefox has ended it already
            route.continue_()

    lab.expire()
    session.page.route(REFRESH, go_offline)
    try:
        ends = session.get("profile")
    finally:
        session.page.context.set_offline(False)
    session.page.unroute_all()

    assert ["RefreshUnavailable"] == ends
    assert [200] == session.get("profile")


async def retry_after():
    from opened import client

    try:
        await client.get("profile")
    except RefreshUnavailable as error:
        return error.retry_after


def test_f37_a_long_retry_after_is_told_and_kept_to(session, lab):
    """The caller learns how long to wait, and until then the server has peace."""
    lab.refresh(status=429, headers={"Retry-After": "120"})
    lab.expire()

    assert 120 == session.python(retry_after)
    assert 110 < session.python(retry_after) <= 120
    assert 1 == lab.counters()["refresh"]


def test_f12_failing_again_and_again_is_slowed_down(session, lab):
    """After two failures a third is not tried at once; a new sign-in is held back by nothing."""
    session.open(retries=0)
    lab.refresh(status=503, times=2)
    lab.expire()

    assert [["RefreshUnavailable"]] * 3 == [session.get("profile") for _ in range(3)]
    assert 2 == lab.counters()["refresh"]
    session.open(lab.sign_in(), retries=0)
    lab.expire()
    assert [200] == session.get("profile")


def test_f40_the_refresh_token_is_not_sent_on(session, server, own_server):
    """Neither to another path nor to another origin, whatever the answer says."""
    elsewhere = own_server("--allow-origin", server.url)
    session.open(retries=0)
    for location in (f"{elsewhere.url}/refresh", "/api/echo"):
        server.lab.refresh(status=307, headers={"Location": location})
        server.lab.expire()
        session.get("profile")

    assert 0 == elsewhere.lab.counters()["refresh"]
    assert 2 == server.lab.counters()["api"]


def test_f41_a_401_from_where_the_api_sent_the_request(session, server, own_server):
    """Elsewhere doesn't know this token: its 401 is handed on, and renews nothing."""
    elsewhere = own_server("--allow-origin", server.url)
    server.lab.api(status=307, headers={"Location": f"{elsewhere.url}/api/profile"})

    assert [401] == session.get("profile")
    assert 1 == elsewhere.lab.counters()["unauthorized"]
    assert 0 == server.lab.counters()["refresh"]
    assert [] == session.redirects()


@pytest.mark.parametrize("after", [False, True])
def test_f44_a_post_that_got_no_answer_is_not_sent_again(session, lab, after):
    """It may have been done: who asked decides."""
    lab.api(drop=True, after=after)

    assert ["NetworkError"] == session.send(["POST", "notes", {"json": {"text": "once"}}])
    assert 1 == lab.counters()["api"]
    assert 0 == lab.counters()["refresh"]


def test_f44_a_post_whose_replay_got_no_answer_is_not_sent_again(session, lab):
    """Twice is the most: once refused, once lost."""
    lab.expire()
    lab.api(status=401)
    lab.api(drop=True)

    assert ["NetworkError"] == session.send(["POST", "notes", {"json": {"text": "once"}}])
    assert 2 == lab.counters()["api"]
    assert 1 == lab.counters()["refresh"]


def test_f47_an_api_of_another_origin_that_shows_no_challenge(session, server, own_server):
    """CORS hides `WWW-Authenticate`: the status alone decides."""
    api = own_server("--allow-origin", server.url)

    def hide(route):
        answer = route.fetch()
        headers = {**answer.headers, "access-control-expose-headers": ""}
        route.fulfill(response=answer, headers=headers)

    session.page.route(
        "**/api/profile", lambda route: hide(route) if route.request.method == "GET" else route.continue_()
    )
    session.open(api.lab.sign_in(), base_url=f"{api.url}/api", refresh=f"{api.url}/refresh")
    api.lab.expire()

    assert [200] * 5 == session.get(*["profile"] * 5)
    assert 1 == api.lab.counters()["refresh"]


def test_f49_no_new_refresh_token(session, lab):
    """The old one is kept."""
    before = session.record()
    change_answer(session, refreshToken=None)
    lab.expire()

    assert [200] == session.get("profile")
    assert before["refresh_token"] == session.record()["refresh_token"]
    assert before["access_token"] != session.record()["access_token"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1800", 1800),
        (1800.5, 1800.5),
        (-1, None),
        (0, None),
        ("soon", None),
        (1e99, None),
        ([], None),
        (True, None),
    ],
)
def test_f53_a_life_that_makes_no_sense_is_ignored(session, lab, given, kept):
    """A number in a string is read; for what can't be a life, that which the token itself tells counts."""
    change_answer(session, expiresIn=given)
    lab.expire()

    assert [200] * 5 == session.get(*["profile"] * 5)
    assert [200] * 5 == session.get(*["profile"] * 5)
    record = session.record()
    assert (kept or life_told_by(record)) == record["expires_in"]
    assert 1 == lab.counters()["refresh"]


def life_told_by(record):
    """Return the seconds from the receipt of its JWT to its end."""
    payload = record["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["exp"] - record["issued_at"]


@pytest.mark.parametrize(
    ("status", "challenge"),
    [
        (403, ""),
        (401, 'Bearer error="insufficient_scope", scope="admin"'),
        (401, 'DPoP algs="ES256", Bearer realm="x", error=insufficient_scope'),
    ],
)
def test_f55_f56_a_missing_permission_never_refreshes(session, lab, status, challenge):
    """A new token would have no more scope than the old one."""
    lab.api(status=status, headers={"WWW-Authenticate": challenge} if challenge else {})

    assert [status] == session.get("profile")
    assert 0 == lab.counters()["refresh"]


def test_f56_a_sign_in_that_is_not_enough_never_refreshes(session, lab):
    """The caller is told what to ask the provider for; JavaScript gets the 401 itself."""
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="5"'
    lab.api(status=401, headers={"WWW-Authenticate": challenge}, times=2)

    assert {"acr_values": "mfa", "max_age": "5"} == session.python(what_to_ask_for)
    session.python(wrap_fetch)
    assert 401 == session.page.evaluate("async () => (await fetch('/api/profile')).status")
    assert 0 == lab.counters()["refresh"]
    assert 200 == session.page.evaluate("async () => (await fetch('/api/profile')).status")
    session.python(unwrap_fetch)


async def what_to_ask_for():
    from opened import client

    try:
        await client.get("profile")
    except StepUpRequired as error:
        return error.parameters


async def wrap_fetch():
    import opened

    opened.undo = install(opened.auth)


async def unwrap_fetch():
    from opened import undo

    undo()


def test_f59_a_new_token_that_is_expired_already(session, lab):
    """One refresh, and the 401 is handed on: no loop."""
    lab.access_ttl(0)
    lab.expire()

    assert [401] * 5 == session.get(*["profile"] * 5)
    assert 1 == lab.counters()["refresh"]
    assert [] == session.redirects()


@pytest.mark.parametrize(("age", "refreshes"), [(-86400, 0), (400 * 86400, 1), (0, 0)])
def test_f60_a_wrong_clock(session, lab, age, refreshes):
    """A record from the future, or from last year, costs a refresh at most, and no loop."""
    record = session.record()
    session.store(**{KEY: json.dumps({**record, "issued_at": time.time() - age})})
    session.open()

    assert [200] * 5 == session.get(*["profile"] * 5)
    assert [200] * 5 == session.get(*["profile"] * 5)
    assert {"refresh": refreshes, "reuse": 0, "api": 10, "unauthorized": 0} == lab.counters()


def test_f63_a_renewal_ahead_of_time_that_fails(session, lab):
    """The token is good for a quarter of a minute yet, and is sent."""
    record = session.record()
    record["issued_at"] = time.time() - record["expires_in"] + 15
    session.store(**{KEY: json.dumps(record)})
    session.open(retries=0)
    lab.refresh(status=503, times=1000)

    assert [200] * 5 == session.get(*["profile"] * 5)
    assert [200] * 5 == session.get(*["profile"] * 5)
    assert 1 == lab.counters()["refresh"]
    assert record == session.record()


def test_f82_a_stolen_refresh_token_ends_the_session(session, lab):
    """The thief used it first; the server ends the family, and this page doesn't ask again."""
    lab.use(session.record()["refresh_token"])
    lab.expire()

    assert ["RefreshRejected"] * 5 == session.get(*["profile"] * 5)
    assert {"refresh": 2, "reuse": 1, "api": 5, "unauthorized": 5} == lab.counters()
    assert session.record() is None
    assert 1 == len(session.redirects())


def test_f87_the_refresh_call_takes_no_cookie_and_no_cache(session, lab, base_url, lacking):
    """What travels is the refresh token in the body, and nothing beside it."""
    session.page.context.add_cookies([{"name": "a", "value": "b", "url": base_url}])
    lab.expire()
    with session.page.expect_request(REFRESH) as sent:
        assert [200] == session.get("profile")
    session.page.context.clear_cookies()
    headers = sent.value.all_headers()

    assert "cookie" not in headers
    assert "authorization" not in headers
    if BODIES not in lacking:  # and neither are fields that the browser adds at the last moment
        assert "no-cache" == headers["cache-control"]
        assert ["refreshToken"] == list(sent.value.post_data_json)
