"""Workers apart: made in Python, with a session of their own, other ways in, a page that serves none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from silent_refresh import Client, MemoryStorage, SilentRefresh, install, serve_workers
from tests.e2e.page_python import PagePython, PagePythonError
from tests.e2e.running_server import Lab
from tests.e2e.workers import (
    ADDRESS,
    Side,
    open_auth,
    open_page,
    open_sides,
    sign_in_both,
    with_the_packages_files,
)

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = (ROOT / "pyscript.toml").read_text(encoding="utf-8")
PYSCRIPT = tomllib.loads(CONFIGURATION)


@pytest.fixture(scope="module")
def page_with_worker(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load the page once."""
    with open_page(browser, base_url, "strict") as page_python:
        yield page_python


@pytest.fixture
def sides(page_with_worker: PagePython, lab: Lab) -> Iterator[tuple[Side, Side]]:
    """Return the page's side and the worker's; nobody is signed in."""
    with open_sides(page_with_worker) as sides:
        yield sides


@pytest.fixture
def signed_in(sides: tuple[Side, Side], lab: Lab) -> tuple[Side, Side]:
    """Return both sides, the demo user signed in."""
    sign_in_both(sides, lab.sign_in())
    lab.reset()
    return sides


async def hear_events():
    from opened import auth, client

    told = []
    stop = auth.listen(lambda event: told.append(event.name))
    try:
        await client.get("profile")
        await auth.refresh()  # what the page tells comes before its answer
    finally:
        stop()
    return told


def test_a_worker_hears_the_events_of_the_page(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """In the order in which they happened."""
    _, worker = signed_in
    lab.expire()
    told = worker.python(hear_events)

    renewal = ["refresh-started", "refresh-done"]
    assert ["sent", "refused", "queued", *renewal, "replayed", "answered", *renewal] == told
    assert 2 == lab.counters()["refresh"]


async def get_relative(url):
    from opened import auth

    return (await Client(auth=auth).get(url)).status


def test_a_workers_urls_are_relative_to_the_page(signed_in: tuple[Side, Side]) -> None:
    """Though its own is a blob's."""
    _, worker = signed_in

    assert 200 == worker.python(get_relative, "index.html")


async def get_by_pyfetch(url):
    from opened import auth
    from pyodide.http import pyfetch

    undo = install(auth)
    try:
        return (await pyfetch(url)).status
    finally:
        undo()


def test_pyfetch_in_a_worker_shares_the_refresh(
    signed_in: tuple[Side, Side], lab: Lab, base_url: str
) -> None:
    """``install(auth)`` works there as in the page."""
    _, worker = signed_in
    lab.expire()

    assert 200 == worker.python(get_by_pyfetch, f"{base_url}/api/profile")
    assert 1 == lab.counters()["refresh"]


async def make_a_worker(interpreter, config):
    import js
    import opened
    from opened import auth
    from pyscript import PyWorker

    opened.undo()
    options = {"type": "pyodide", "version": interpreter, "config": config, "async": True}
    worker = PyWorker("/tests/e2e/page/run.py", **options)
    opened.undo = serve_workers(auth, worker)
    await worker.ready
    js.window.runPythonInAnother = worker.sync.run
    js.window.another = worker


async def end_the_other_worker():
    import js

    js.window.another.terminate()


async def until_the_other_is_forgotten():
    from asyncio import Event

    import js
    from opened import auth

    class Watchers(list):
        def remove(self, watcher):
            super().remove(watcher)
            gone.set()

    gone = Event()
    auth._watchers = Watchers(auth._watchers)
    js.window.another.terminate()
    await gone.wait()


def test_a_worker_made_in_python_is_served(signed_in: tuple[Side, Side], lab: Lab, base_url: str) -> None:
    """``PyWorker(…)`` leaves no trace in the page, so it's handed over; it is forgotten when it ends."""
    page, _ = signed_in
    interpreter = f"{base_url}{PYSCRIPT['interpreter']}"
    page.python(make_a_worker, interpreter, "/pyscript.toml")
    another = Side(PagePython(page.page, ADDRESS, "runPythonInAnother"))
    another.python(open_auth, False)
    lab.expire()

    assert [200] * 5 == another.get(*["profile"] * 5)
    assert 1 == lab.counters()["refresh"]
    # Ended, it can't say good-bye; that its lock is free does.
    page.python(until_the_other_is_forgotten)


def test_a_strict_policy_is_told_what_it_needs(signed_in: tuple[Side, Side], base_url: str) -> None:
    """Where no text may run as code, a worker's error says which line the configuration lacks."""
    page, _ = signed_in
    page.page.route(
        "**/lacking.toml", lambda route: route.fulfill(body=with_the_packages_files(CONFIGURATION))
    )
    page.python(make_a_worker, f"{base_url}{PYSCRIPT['interpreter']}", "/lacking.toml")
    another = PagePython(page.page, ADDRESS, "runPythonInAnother")

    with pytest.raises(PagePythonError, match=r"Content-Security-Policy.*\[js_modules\.worker\]"):
        another(open_auth, False)
    page.python(end_the_other_worker)


async def stop_serving():
    from opened import undo

    undo()


async def ask_impatiently(seconds):
    from opened import auth

    from silent_refresh.browser import worker

    patience, worker.PATIENCE = worker.PATIENCE, seconds
    try:
        await auth.access_token()
    finally:
        worker.PATIENCE = patience


def test_a_page_that_serves_no_worker_is_told_what_to_add(signed_in: tuple[Side, Side]) -> None:
    """The worker's call ends with the line that the page lacks."""
    page, worker = signed_in
    page.python(stop_serving)

    with pytest.raises(PagePythonError, match=r"add serve_workers\(auth\) after auth = SilentRefresh\(\)"):
        worker.python(ask_impatiently, 0.2)


def test_a_request_that_waits_ends_when_the_page_stops_serving(
    signed_in: tuple[Side, Side], lab: Lab
) -> None:
    """It gets an error of its own, and a page that serves again is found."""
    page, worker = signed_in
    lab.expire()
    lab.refresh(delay=60)
    with page.page.expect_request("**/refresh"):
        running = worker.start(["GET", "profile", {}])
    page.python(stop_serving)

    assert ["SessionChanged"] == running.result()
    page.python(open_auth, True)
    assert [200] == worker.get("profile")


async def sign_in_and_close(tokens):
    auth = SilentRefresh()
    await auth.sign_in(tokens)
    auth.close()


async def run_code(text):
    import sys
    from io import StringIO
    from types import SimpleNamespace

    from pyodide.code import eval_code_async

    names = {"__name__": "__main__"}
    stdout, sys.stdout = sys.stdout, StringIO()
    try:
        await eval_code_async(text, names)
        return sys.stdout.getvalue()
    finally:
        sys.stdout = stdout
        sys.modules["recipe"] = SimpleNamespace(**names)


async def end_recipe():
    from recipe import stop_serving

    stop_serving()


def test_the_recipe_does_what_it_says(sides: tuple[Side, Side], lab: Lab) -> None:
    """Its code for the page and its code for the worker run as they stand in docs/recipes/workers.md."""
    page, worker = sides
    text = (ROOT / "docs" / "recipes" / "workers.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```python\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert {"main.py", "worker.py"} == set(blocks)
    page.python(stop_serving)
    page.python(sign_in_and_close, lab.sign_in())
    page.python(run_code, blocks["main.py"])
    lab.expire()

    assert "Hello from a worker, demo\n" == worker.python(run_code, blocks["worker.py"])
    assert 1 == lab.counters()["refresh"]
    page.python(end_recipe)


async def own_session(tokens):
    auth = SilentRefresh(store=MemoryStorage(), login=None)
    client = Client(auth=auth)
    await auth.sign_in(tokens)
    await client.post("/lab/expire", auth=None)
    status = (await client.get("/api/profile")).status
    auth.close()
    return status


def test_a_worker_may_have_a_session_of_its_own(sides: tuple[Side, Side], lab: Lab) -> None:
    """With a store of its own, it renews by itself and the page knows nothing."""
    page, worker = sides

    assert 200 == worker.python(own_session, lab.sign_in())
    assert 1 == lab.counters()["refresh"]
    assert page.record() is None
