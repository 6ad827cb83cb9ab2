"""Workers that the page makes while it runs, in Python or as scripts that it adds."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from silent_refresh import serve_workers
from tests.e2e.page_python import PagePython, PagePythonError
from tests.e2e.running_server import Lab
from tests.e2e.workers import (
    ADDRESS,
    CONFIGURATION,
    Side,
    open_auth,
    with_the_packages_files,
)

CONFIGURED = (Path(__file__).resolve().parents[2] / CONFIGURATION.lstrip("/")).read_text(encoding="utf-8")
INTERPRETER = tomllib.loads(CONFIGURED)["interpreter"]


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
    auth._session._watchers = Watchers(auth._session._watchers)
    js.window.another.terminate()
    await gone.wait()


def test_a_worker_made_in_python_is_served(signed_in: tuple[Side, Side], lab: Lab, base_url: str) -> None:
    """``PyWorker(…)`` leaves no trace in the page, so it's handed over; it is forgotten when it ends."""
    page, _ = signed_in
    interpreter = base_url + INTERPRETER
    page.python(make_a_worker, interpreter, CONFIGURATION)
    another = Side(PagePython(page.page, ADDRESS, "runPythonInAnother"))
    another.python(open_auth, False)
    lab.expire()

    assert [200] * 5 == another.get(*["profile"] * 5)
    assert 1 == lab.counters()["refresh"]
    # Ended, it can't say good-bye; that its lock is free does.
    page.python(until_the_other_is_forgotten)


async def add_a_worker():
    import js
    from pyscript import workers

    script = js.document.querySelector("[worker]").cloneNode()
    script.removeAttribute("id")
    script.setAttribute("name", "another")
    js.document.body.append(script)
    worker = await workers["another"]
    js.window.runPythonInAnother = worker.run
    js.window.another = script.xworker


def test_a_worker_that_comes_later_is_found(signed_in: tuple[Side, Side], lab: Lab) -> None:
    """A script that the page adds is served without being handed over."""
    page, _ = signed_in
    page.python(add_a_worker)
    another = Side(PagePython(page.page, ADDRESS, "runPythonInAnother"))
    another.python(open_auth, False)
    lab.expire()

    assert [200] * 5 == another.get(*["profile"] * 5)
    assert 1 == lab.counters()["refresh"]
    page.python(end_the_other_worker)


def test_a_strict_policy_is_told_what_it_needs(signed_in: tuple[Side, Side], base_url: str) -> None:
    """Where no text may run as code, a worker's error says which line the configuration lacks."""
    page, _ = signed_in
    page.page.route(
        "**/page/lacking.toml", lambda route: route.fulfill(body=with_the_packages_files(CONFIGURED))
    )
    page.python(make_a_worker, base_url + INTERPRETER, "/tests/e2e/page/lacking.toml")
    another = PagePython(page.page, ADDRESS, "runPythonInAnother")

    with pytest.raises(PagePythonError, match=r"Content-Security-Policy.*\[js_modules\.worker\]"):
        another(open_auth, False)
    page.python(end_the_other_worker)
