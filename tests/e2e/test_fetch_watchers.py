"""What watches a page's fetch wraps it, too: before ``install()``, or after it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from silent_refresh import SilentRefresh, install
from tests.e2e.conftest import FreshPage
from tests.e2e.page_bundles import give_bundle
from tests.e2e.running_server import Lab

pytestmark = pytest.mark.needs("long answers by a test")  # the bundle
WATCHERS = {"datadog": "x-datadog-trace-id", "opentelemetry": "traceparent", "sentry": "sentry-trace"}
START = """async (name) => {
    const { saw, start } = await import("/tests/e2e/page/watchers.js");
    await start(name);
    window.saw = saw;
}"""
CALLS = """async () => {
    const post = { method: "POST", body: "two words" };
    const told = async (response) => (response.ok ? response.json() : response.status);
    const calls = [fetch("/api/echo", post), fetch(new Request("/api/echo", post))];
    return Promise.all(calls.map((call) => call.then(told)));
}"""


async def wrap_fetch(tokens):
    auth = SilentRefresh(login=None)
    await auth.sign_in(tokens)
    install(auth)


@pytest.mark.parametrize("comes", ["before", "after"])
@pytest.mark.parametrize("watcher", WATCHERS)
def test_what_watches_fetch_goes_on_watching(
    fresh_page: FreshPage, lab: Lab, watcher: str, comes: str
) -> None:
    """Its field arrives with the page's own body, after one refresh; then with the refused session's 401."""
    page_python = fresh_page()
    page = page_python.page
    give_bundle(page, "watchers.js")
    steps: list[Callable[[], object]] = [
        partial(page.evaluate, START, watcher),
        partial(page_python, wrap_fetch, lab.sign_in()),
    ]
    for step in steps if comes == "before" else reversed(steps):
        step()
    lab.expire()

    echoes = page.evaluate(CALLS)

    assert ["two words"] * 2 == [echo["body"] for echo in echoes]
    assert all(WATCHERS[watcher] in echo["headers"] for echo in echoes)
    assert 1 == lab.counters()["refresh"]
    lab.expire()
    lab.revoke()
    assert [401, 401] == page.evaluate(CALLS)
    page.evaluate("() => Promise.all([saw(200), saw(401)])")
