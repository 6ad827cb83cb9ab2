"""PyScript's workers: one session, one renewal, one redirect for a page and its worker, in both set-ups."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from silent_refresh import Client, SilentRefresh, StepUpRequired
from tests.e2e.cancelled_request import ABORTED, cancelled_request
from tests.e2e.running_server import Lab
from tests.e2e.workers import SETUPS, Side

HERE = "%2Ftests%2Fe2e%2Fpage%2Fworker.html"


@pytest.fixture(scope="module", params=SETUPS)
def setup(lacking: set[str], request: pytest.FixtureRequest) -> str:
    """Try each set-up."""
    if request.param == "shared-memory" and "cross-origin isolation" in lacking:
        pytest.skip("there is not: cross-origin isolation")
    return request.param


async def count_messages(urls):
    from asyncio import gather

    from opened import client

    from silent_refresh.workers.channel import Port

    posted, post = [], Port.post
    Port.post = lambda self, *message: (posted.append(message[0]), post(self, *message))
    try:
        answers = await gather(*(client.get(url) for url in urls))
    finally:
        Port.post = post
    return [[answer.status for answer in answers], posted]


def test_a_good_token_costs_no_word_to_the_page(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """The worker sends it by itself."""
    _, worker = signed_in

    assert [[200] * 5, []] == worker.python(count_messages, ["profile"] * 5)
    assert {"refresh": 0, "reuse": 0, "api": 5, "unauthorized": 0} == lab.counters()


@pytest.mark.every_engine("workers")
def test_a_page_and_its_worker_share_one_refresh(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """Ten requests of each with an expired token cost one, and none is sent more than twice."""
    page, worker = signed_in
    lab.expire()
    ten = [["GET", f"items/{n}", {}] for n in range(10)]
    running = worker.start(*ten)

    assert [200] * 10 == page.send(*ten)
    assert [200] * 10 == running.result()
    counters = lab.counters()
    assert (1, 0) == (counters["refresh"], counters["reuse"])
    assert counters["api"] <= 40
    assert counters["unauthorized"] <= 20


def test_a_post_of_a_worker_is_replayed_with_its_body(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """The body never leaves the worker but for the server (F44)."""
    _, worker = signed_in
    lab.expire()

    assert [201] == worker.send(["POST", "notes", {"json": {"text": "From a worker"}}])
    assert {"refresh": 1, "reuse": 0, "api": 2, "unauthorized": 1} == lab.counters()


def test_a_revoked_session_ends_with_one_redirect_of_the_page(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """Each of the worker's callers gets the error, and the page leaves once (F6)."""
    page, worker = signed_in
    lab.expire()
    lab.revoke()

    assert ["RefreshRejected"] * 10 == worker.get(*["profile"] * 10)
    assert 1 == lab.counters()["refresh"]
    assert page.record() is None
    assert [f"/login?next={HERE}&reason=rejected"] == page.redirects()


async def reason_of_rejection():
    from opened import client

    from silent_refresh import RefreshRejected

    try:
        await client.get("profile")
    except RefreshRejected as error:
        return [error.reason, str(error)]


def test_a_workers_error_says_what_the_pages_would(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """Its attributes cross, too."""
    _, worker = signed_in
    lab.expire()
    lab.revoke()

    told = "the server refused the refresh token (invalid_grant): sign in again"
    assert ["invalid_grant", told] == worker.python(reason_of_rejection)


def test_an_unreachable_server_keeps_the_session(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """The worker is told, the tokens stay (F37)."""
    page, worker = signed_in
    before = page.record()
    lab.expire()
    lab.refresh(status=503, times=3, headers={"retry-after": "600"})

    assert ["RefreshUnavailable"] == worker.get("profile")
    assert before == page.record()
    assert [] == page.redirects()


async def cancel_all_tasks():
    import asyncio

    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


def test_f9_a_page_that_cancels_all_tasks_strands_no_worker(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """The worker's request ends when the page's share of it does, and the next one renews (F9)."""
    page, worker = signed_in
    lab.expire()
    lab.refresh(status=503, delay=2)
    with page.page.expect_request("**/refresh"):
        running = worker.start(["GET", "profile", {}])
    page.python(cancel_all_tasks)

    assert ["SilentRefreshError"] == running.result()
    assert [200] == worker.get("profile")


async def what_to_ask_for(path):
    from opened import client

    try:
        await client.get(path)
    except StepUpRequired as error:
        return [error.acr_values, error.max_age, error.response.status, error.response.request.credential]


def test_a_worker_is_told_that_a_sign_in_is_not_enough(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """By the error that the page's own code gets, sent by itself or through the page."""
    page, worker = signed_in
    challenge = 'Bearer error="insufficient_user_authentication", max_age=5'
    lab.api(status=401, headers={"WWW-Authenticate": challenge})
    assert [None, 5, 401, None] == worker.python(what_to_ask_for, "profile")

    lab.api(status=401)
    lab.api(status=401, headers={"WWW-Authenticate": challenge})
    assert [None, 5, 401, None] == worker.python(what_to_ask_for, "profile")
    assert 1 == lab.counters()["refresh"]
    assert [] == page.redirects()


def test_a_sign_out_in_the_page_ends_the_workers_session(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """The worker's next request has nobody to go out for, and the page leaves once (F21)."""
    page, worker = signed_in
    page.sign_out()

    assert ["NotSignedIn"] == worker.get("profile")
    assert 0 == lab.counters()["refresh"]
    assert ["/login?reason=sign_out"] == page.redirects()


def test_a_sign_out_in_the_worker_is_the_pages(signed_in: tuple[Side, Side]) -> None:
    """The page has no session any more, and leaves."""
    page, worker = signed_in
    worker.sign_out()

    assert page.record() is None
    assert ["/login?reason=sign_out"] == page.redirects()
    assert ["NotSignedIn"] == page.get("profile")


def test_nobody_signed_in_sends_the_page_to_the_login(sides: tuple[Side, Side], lab: Lab) -> None:
    """A worker's request that is turned away redirects the page, once (F13)."""
    page, worker = sides

    assert ["NotSignedIn"] * 5 == worker.get(*["profile"] * 5)
    assert [f"/login?next={HERE}&reason=not_signed_in"] == page.redirects()
    assert 0 == lab.counters()["refresh"]


async def what_is_known():
    from opened import auth

    return [auth.signed_in, auth.tokens.refresh_token, await auth.access_token() == auth.tokens.access_token]


def test_a_sign_in_in_the_worker_reaches_the_page(sides: tuple[Side, Side], lab: Lab) -> None:
    """Both send its token; the refresh token stays with the page."""
    page, worker = sides
    answer = lab.sign_in()
    worker.sign_in(answer)

    assert answer["refreshToken"] == page.record()["refresh_token"]
    assert [[200], [200]] == [page.get("profile"), worker.get("profile")]
    assert [True, None, True] == worker.python(what_is_known)
    assert {"refresh": 0, "reuse": 0, "api": 2, "unauthorized": 0} == lab.counters()


async def sign_in_with(access_token, refresh_token):
    from opened import auth

    from silent_refresh import Tokens

    await auth.sign_in(Tokens(access_token, refresh_token, expires_in=60))
    try:
        await auth.sign_in({"accessToken": "undefined"})
    except ValueError as error:
        return str(error)


def test_a_worker_signs_in_with_tokens_of_any_origin(sides: tuple[Side, Side], lab: Lab) -> None:
    """Where they are good for nothing, it is told as the page would be."""
    page, worker = sides
    answer = lab.sign_in()

    told = worker.python(sign_in_with, answer["accessToken"], answer["refreshToken"])
    assert "undefined" in told
    assert answer["accessToken"] == page.record()["access_token"]
    assert 60 == page.record()["expires_in"]


async def hear_all():
    from silent_refresh.workers.channel import Port

    heard, hear = [], Port._heard
    Port._heard = lambda self, event: (heard.append(event.data), hear(self, event))
    try:
        again = SilentRefresh()  # whose port is new
        await Client("/api", auth=again).get("profile")
        again.close()
    finally:
        Port._heard = hear
    return heard


@pytest.mark.every_engine("workers")
def test_the_refresh_token_never_reaches_the_worker(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """Of all that the page says, a renewal included, nothing has it."""
    page, worker = signed_in
    before = page.record()["refresh_token"]
    lab.expire()
    heard = worker.python(hear_all)

    after = page.record()
    assert before != after["refresh_token"]
    assert any(after["access_token"] in message for message in heard)
    assert not any(before in message or after["refresh_token"] in message for message in heard)


def test_a_cancelled_request_of_a_worker_is_aborted(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """The browser gives it up (F70)."""
    _, worker = signed_in
    lab.api(delay=60)
    request = cancelled_request(worker.page, worker.python)

    assert request.url.endswith("/api/profile")
    assert request.failure in ABORTED


def test_a_cancelled_replay_of_a_worker_is_aborted(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """Though it was the page that asked for it (F70)."""
    _, worker = signed_in
    lab.expire()
    lab.api(times=1)
    lab.api(delay=60)
    request = cancelled_request(worker.page, worker.python, times=2)

    assert request.url.endswith("/api/profile")
    assert request.failure in ABORTED
    assert 1 == lab.counters()["refresh"]


async def cancel_the_first_of(count):
    from asyncio import create_task, gather

    from opened import auth, client

    first = create_task(client.get("items/0"))
    stop = auth.listen(lambda event: event.name == "refresh-started" and first.cancel())
    ends = await gather(first, *(client.get(f"items/{n}") for n in range(1, count)), return_exceptions=True)
    stop()
    return [getattr(end, "status", type(end).__name__) for end in ends]


def test_a_cancelled_request_leaves_the_refresh_to_the_others(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """It ends while it waits for the page, which renews for the others (F71)."""
    _, worker = signed_in
    lab.expire()

    assert ["CancelledError", 200, 200, 200] == worker.python(cancel_the_first_of, 4)
    assert 1 == lab.counters()["refresh"]


def test_a_late_refusal_of_another_session_is_handed_on(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """What was sent for the one user is never sent for the next (F69)."""
    page, worker = signed_in
    held: list[Route] = []
    worker.page.route("**/api/items/7", lambda route: held.append(route))
    try:
        with worker.page.expect_request("**/api/items/7"):
            running = worker.start(["GET", "items/7", {}])
        page.sign_in(lab.sign_in())
        held[0].fulfill(status=401, body="{}")

        assert [401] == running.result()
        assert 1 == len(held)
        assert 0 == lab.counters()["refresh"]
    finally:
        worker.page.unroute("**/api/items/7")
