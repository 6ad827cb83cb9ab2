"""One more API of the same sign-in, in a worker: its tokens are the page's, asked for once for both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from silent_refresh import Client, RefreshEndpoint, SilentRefresh, serve_workers
from tests.browsers.features import BODIES
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession, hold_redirects
from tests.e2e.workers import ADDRESS, sign_in

pytestmark = pytest.mark.needs(BODIES)  # the provider reads them
SECOND = "http://localhost:2"  # an API at another origin; answered by the test
RESOURCE = "https://reports.example"


class Provider:
    """Gives a token for each resource, at the page's own ``/token``; each refresh token is good once."""

    def __init__(self) -> None:
        self.refresh_token = "refresh-0"
        self.asked: list[str] = []
        self.reuses = 0
        self.good: dict[str, str] = {}
        self.seen: list[str | None] = []
        self.alive = True

    def token(self, route):
        """Renew."""
        fields = route.request.post_data_json
        resource = fields.get("resource", "main")
        self.asked.append(resource)
        if not self.alive or fields["refreshToken"] != self.refresh_token:
            self.reuses += self.alive
            route.fulfill(status=401, json={"error": "invalid_grant"})
            return
        number = len(self.asked)
        self.refresh_token, self.good[resource] = f"refresh-{number}", f"{resource}-{number}"
        route.fulfill(json={"accessToken": self.good[resource], "refreshToken": self.refresh_token})

    def api(self, route):
        """Answer for the second API."""
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "authorization"}
        token = route.request.headers.get("authorization", "").removeprefix("Bearer ")
        if route.request.method != "OPTIONS":
            self.seen.append(token or None)
        is_good = token and token == self.good.get(RESOURCE)
        route.fulfill(status=200 if is_good or route.request.method == "OPTIONS" else 401, headers=headers)


async def open_auth(serves, resource, url):
    import sys
    from types import SimpleNamespace

    if "opened" in sys.modules:
        sys.modules["opened"].undo()
        sys.modules["opened"].auth.close()
    auth = SilentRefresh(RefreshEndpoint("/token"), retries=0)
    undo = serve_workers(auth) if serves else lambda: None
    client = Client(url, auth=auth.for_resource(resource))  # in the page: the token may go there
    sys.modules["opened"] = SimpleNamespace(auth=auth, client=client, undo=undo)


async def ask_at_once(number):
    from asyncio import gather

    from opened import client

    answers = await gather(*(client.get(f"/x{n}") for n in range(number)), return_exceptions=True)
    return [getattr(answer, "status", type(answer).__name__) for answer in answers]


async def token_of_worker(resource):
    from opened import auth

    return await auth.for_resource(resource).access_token()


@pytest.fixture
def provider(page_with_worker: PagePython) -> Iterator[Provider]:
    """Return the provider; somebody is signed in, in the page and so in the worker."""
    provider, page = Provider(), page_with_worker.page
    page.context.route("**/token", provider.token)
    page.context.route(f"{SECOND}/**", provider.api)
    worker = PagePython(page, ADDRESS, "runPythonInWorker")
    page_with_worker.forget()
    hold_redirects(page_with_worker)
    page_with_worker(open_auth, True, RESOURCE, SECOND)
    worker(open_auth, False, RESOURCE, SECOND)
    page_with_worker(sign_in, {"accessToken": "main-0", "refreshToken": "refresh-0"})
    yield provider
    PageSession(page_with_worker).let_go()
    page.context.unroute("**/token")
    page.context.unroute(f"{SECOND}/**")


@pytest.fixture
def worker(page_with_worker: PagePython) -> PagePython:
    """Return the worker's Python."""
    return PagePython(page_with_worker.page, ADDRESS, "runPythonInWorker")


def test_a_page_and_its_worker_ask_once(
    page_with_worker: PagePython, worker: PagePython, provider: Provider
) -> None:
    """For the second API, and the refresh token rotates for both."""
    for number in (1, 2):
        assert [200] * 10 == worker(ask_at_once, 10)
        assert [200] * 10 == page_with_worker(ask_at_once, 10)
        assert [RESOURCE] * number == provider.asked
        provider.good.clear()
    assert 0 == provider.reuses
    assert all(token is None or token.startswith(RESOURCE) for token in provider.seen)


def test_its_token_can_be_had(worker: PagePython, provider: Provider) -> None:
    """For a WebSocket say."""
    assert provider.good.get(RESOURCE) is None
    assert worker(token_of_worker, RESOURCE) == provider.good[RESOURCE]


def test_a_dead_one_ends_the_session(
    page_with_worker: PagePython, worker: PagePython, provider: Provider
) -> None:
    """Each of the worker's callers is told."""
    provider.alive = False

    assert ["RefreshRejected"] * 3 == worker(ask_at_once, 3)
    assert ["NotSignedIn"] == page_with_worker(ask_at_once, 1)


async def open_own_function(serves):
    import sys
    from types import SimpleNamespace

    sys.modules["opened"].undo()
    sys.modules["opened"].auth.close()
    auth = SilentRefresh(lambda tokens: tokens)
    undo = serve_workers(auth) if serves else lambda: None
    sys.modules["opened"] = SimpleNamespace(auth=auth, undo=undo)


async def ask_for_one(resource):
    from opened import auth

    told = []
    for _ in range(2):
        try:
            await auth.for_resource(resource).access_token()
        except ValueError as error:
            told.append(str(error))
    return told


def test_a_page_that_cannot_be_asked_says_why(
    page_with_worker: PagePython, worker: PagePython, provider: Provider
) -> None:
    """Its function of its own doesn't know of resources; nobody waits half a minute for that."""
    page_with_worker(open_own_function, True)
    worker(open_own_function, False)

    told = "a function of your own can't be asked for another resource"
    assert [told, told] == worker(ask_for_one, RESOURCE)
