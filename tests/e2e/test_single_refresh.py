"""One refresh for all who wait: counted at the real server, seen from a page of a real browser."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from silent_refresh import Client, RequestTimeout, SilentRefresh, Tokens
from silent_refresh.engine.limiter import MOST_OVER_HTTP1
from tests.e2e.cancelled_request import ABORTED, cancelled_request
from tests.e2e.page_session import KEY, PageSession


def numbered(count):
    """List so many requests, each with its number as its id."""
    return [["GET", f"items/{n}", {"headers": {"X-Request-ID": str(n)}}] for n in range(count)]


FIFTY = numbered(50)


@pytest.fixture
def session(page_session):
    """Return the shared page's session; nobody is signed in."""
    return page_session


@pytest.fixture
def signed_in(session, lab):
    """Return the shared page's session, the demo user signed in."""
    session.open(lab.sign_in())
    return session


@pytest.mark.every_engine("fetch")
def test_fifty_requests_with_an_expired_token_cost_one_refresh(signed_in, lab):
    """All fifty are answered, each sent twice at most (F1)."""
    lab.expire()

    assert [200] * 50 == signed_in.send(*FIFTY)
    assert 1 == lab.counters()["refresh"]
    assert 50 == len(lab.requests())
    assert {1, 2} >= set(lab.requests().values())
    assert [] == signed_in.redirects()


@pytest.mark.every_engine("fetch")
def test_of_two_hundred_requests_only_those_that_had_left_are_sent_twice(signed_in, lab):
    """The others wait here, not in the browser, and go with the new token: 220 requests, not 400."""
    lab.expire()

    assert [200] * 200 == signed_in.send(*numbered(200))
    assert 1 == lab.counters()["refresh"]
    assert {1: 200 - MOST_OVER_HTTP1, 2: MOST_OVER_HTTP1} == Counter(lab.requests().values())


async def what_came_before_the_refresh_call(tokens):
    """Renew by a function of the page's; return how many requests the server had met when that was done."""
    import asyncio

    seen = []

    async def refresh(tokens):
        response = await Client().post("/refresh", json={"refreshToken": tokens.refresh_token})
        answer = await response.json()
        seen.append(await (await Client().get("/lab/counters")).json())
        return Tokens(answer["accessToken"], answer["refreshToken"])

    auth = SilentRefresh(refresh, login=None)
    await auth.sign_in({**tokens, "accessToken": "refused"})
    client = Client("/api", auth=auth)
    responses = await asyncio.gather(*(client.get(f"items/{n}") for n in range(30)))
    auth.close()
    return [{response.status for response in responses} == {200}, [counters["api"] for counters in seen]]


def test_f39_the_refresh_call_is_not_behind_those_that_wait_for_it(page_python, lab):
    """It leaves by the browser's six connections after those that had left, and before all others (F39).

    A call without credentials has others in Chromium; one of the page's own, or with a cookie, hasn't.
    """
    tokens = lab.sign_in()
    lab.api(delay=0.1, times=60)

    are_answered, [came_before] = page_python(what_came_before_the_refresh_call, tokens)
    assert are_answered
    assert came_before <= MOST_OVER_HTTP1


async def protocols():
    from silent_refresh.browser.page import came_by_http1, is_http1

    return [came_by_http1(), *map(is_http1, ["http://api.example", "https://api.example"])]


def test_the_browser_says_by_which_protocol_the_page_came(fresh_page):
    """Of other origins that is known without encryption only; of a page out of the cache, not at all."""
    assert [True, True, False] == fresh_page()(protocols)


def test_fifty_requests_with_a_revoked_session_end_at_one_redirect(signed_in, lab):
    """Each gets its own error, none is sent again or left pending, and the tokens are gone (F6)."""
    lab.expire()
    lab.revoke()

    assert ["RefreshRejected"] * 50 == signed_in.send(*FIFTY)
    assert 1 == lab.counters()["refresh"]
    assert {1} == set(lab.requests().values())
    assert signed_in.record() is None
    here = "%2Ftests%2Fe2e%2Fpage%2Findex.html"
    assert [f"/login?next={here}&reason=rejected"] == signed_in.redirects()


@pytest.mark.every_engine("fetch")
def test_a_post_is_replayed_once_and_arrives_once(signed_in, lab):
    """The refused POST changed nothing; its replay does (F44)."""
    text = "Once, after a renewal"
    lab.expire()

    assert [201] == signed_in.send(["POST", "notes", {"json": {"text": text}}])
    assert [text] == [note["text"] for note in signed_in.python(read_json, "notes")["notes"]][:1]
    assert {"refresh": 1, "reuse": 0, "api": 3, "unauthorized": 1} == lab.counters()


async def read_json(url):
    from opened import client

    return await (await client.get(url)).json()


def test_a_server_that_stops_during_the_refresh_costs_no_session(fresh_page, own_server):
    """The waiting request is told, the tokens stay, and once the server is back the next request succeeds."""
    server = own_server()
    session = PageSession(fresh_page(base_url=server.url))
    session.open(server.lab.sign_in())
    before = session.record()
    server.lab.expire()
    server.lab.refresh(delay=60)
    with session.page.expect_request("**/refresh"):
        running = session.start(*FIFTY[:5])
    server.stop()

    assert ["RefreshUnavailable"] * 5 == running.result()
    assert before == session.record()
    server.start()
    assert [200] == session.get("profile")
    assert [] == session.redirects()


def test_a_token_about_to_end_is_renewed_before_it_is_sent(signed_in, lab):
    """A page that is opened five seconds before the end sees no 401 at all."""
    record = signed_in.record()
    record["issued_at"] = time.time() - record["expires_in"] + 5
    signed_in.store(**{KEY: json.dumps(record)})
    signed_in.open()

    assert [200] * 50 == signed_in.send(*FIFTY)
    assert {"refresh": 1, "reuse": 0, "api": 50, "unauthorized": 0} == lab.counters()


def test_a_resource_that_always_refuses_costs_one_refresh(signed_in, lab):
    """Its 401 is handed on, and polling it renews nothing (F3, F4)."""
    refuses = {"status": 401, "body": "{}", "times": 1000}
    lab.api(**refuses)

    assert [401] == signed_in.get("items/1")
    assert [401] == signed_in.get("items/1")
    assert [401] == signed_in.get("items/1")
    assert 1 == lab.counters()["refresh"]
    assert [] == signed_in.redirects()


async def time_out(seconds):
    from opened import client

    try:
        await client.get("profile", timeout=seconds)
    except RequestTimeout as error:
        return str(error)


@pytest.mark.every_engine("aborts")
def test_cancelling_a_task_aborts_its_fetch(signed_in, lab):
    """The browser gives the request up; nobody waits for its answer (F70)."""
    lab.api(delay=60)
    request = cancelled_request(signed_in.page, signed_in.python)

    assert request.url.endswith("/api/profile")
    assert request.failure in ABORTED


@pytest.mark.every_engine("aborts")
def test_a_request_that_takes_too_long_is_aborted(signed_in, lab):
    """It ends with an error of its own that says how long it waited."""
    lab.api(delay=60)
    with signed_in.page.expect_event("requestfailed") as failed:
        told = signed_in.python(time_out, 0.1)

    assert "GET /api/profile was not answered within 0.1 s" == told
    assert failed.value.failure in ABORTED


async def cancel_the_first_of(count):
    from asyncio import create_task, gather

    from opened import auth, client

    first = create_task(client.get("items/0"))
    auth.listen(lambda event: event.name == "refresh-started" and first.cancel())
    ends = await gather(first, *(client.get(f"items/{n}") for n in range(1, count)), return_exceptions=True)
    return [getattr(end, "status", type(end).__name__) for end in ends]


def test_a_cancelled_request_leaves_the_refresh_to_the_others(signed_in, lab):
    """Whoever asked for the refresh may go: the others get its result (F71)."""
    lab.expire()

    assert ["CancelledError", 200, 200, 200] == signed_in.python(cancel_the_first_of, 4)
    assert 1 == lab.counters()["refresh"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "undefined",
        "null",
        "7",
        "[]",
        "{}",
        '{"access_token": null, "refresh_token": null}',
        '{"access_token": "undefined"}',
        '{"access_token": "a\\nb"}',
        '{"access_token": "\\u4e16"}',
        '{"access_token": "a", "refresh_token": 7}',
        '{"access_token": "a", "generation": "1"}',
        "\ud800",
        pytest.param("[" * 100_000, id="a list too deep for Pyodide"),
    ],
)
def test_a_corrupt_record_is_never_sent(session, lab, text):
    """It counts as signed out, and the next sign-in replaces it (F29, F32)."""
    session.page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])
    session.open()
    with session.page.expect_request("**/api/profile") as sent:
        assert ["NotSignedIn"] == session.get("profile")

    assert "authorization" not in sent.value.all_headers()
    assert 0 == lab.counters()["refresh"]
    assert 1 == len(session.redirects())
    session.open(lab.sign_in())
    assert [200] == session.get("profile")


def test_the_two_keys_of_the_article_are_adopted(session, lab):
    """A page that changes over to this library keeps its users signed in (F30)."""
    answer = lab.sign_in()
    session.store(accessToken=answer["accessToken"], refreshToken=answer["refreshToken"])
    session.open()
    lab.expire()

    assert [200] * 50 == session.send(*FIFTY)
    assert 1 == lab.counters()["refresh"]
    assert [KEY] == session.page.evaluate("() => Object.keys(localStorage)")


def test_nobody_signed_in_ends_at_the_login(session, lab):
    """No refresh call without a refresh token; one redirect for fifty answers (F13)."""
    session.open()

    assert ["NotSignedIn"] * 50 == session.send(*FIFTY)
    assert 0 == lab.counters()["refresh"]
    assert 1 == len(session.redirects())
