"""The library in the oldest Pyodide that it is for, and in the one before that, which it refuses."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.running_server import Lab, RunningServer

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
NPM = json.loads((ROOT / "package.json").read_text())["devDependencies"]
MEDIA_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}
START = """async ([version, tokens]) => {
    const { loadPyodide } = await import(`/pyodide-${version}/pyodide.mjs`);
    window.pyodide = await loadPyodide();
    pyodide.unpackArchive(await (await fetch("/library.zip")).arrayBuffer(), "zip");
    window.run = (code) => pyodide.runPythonAsync(code).then((value) => value?.toJs?.() ?? value);
    window.tokens = tokens;
    window.genuine = window.fetch;
}"""
OPEN = """
import js
from pyodide.http import pyfetch as early
from silent_refresh import Client, SilentRefresh, install

auth = SilentRefresh(login=None)
await auth.sign_in(js.tokens.to_py())
undo = install(auth)
"""
ASK = """
import asyncio
from pyodide.http import pyfetch as late

url = "/api/profile"
answers = await asyncio.gather(Client(auth=auth).get(url), js.fetch(url), early(url), late(url))
[answer.status for answer in answers]
"""
FAIL = """
async def fails():
    try:
        SilentRefresh()
    except RuntimeError as error:
        return str(error)

from silent_refresh import SilentRefresh
await fails()
"""


def library() -> bytes:
    """Return the library as its wheel has it, for a page to unpack."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for file in sorted((APP / "silent_refresh").rglob("*")):
            if file.suffix in (".py", ".js"):
                target.write(file, file.relative_to(APP))
    return archive.getvalue()


def give_file(route: Route) -> None:
    """Answer with a file of a Pyodide as npm installed it."""
    path = ROOT / "node_modules" / urlsplit(route.request.url).path.lstrip("/")
    route.fulfill(
        body=path.read_bytes(), content_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    )


@pytest.fixture
def bare_page(page: Page, server: RunningServer) -> Page:
    """Return a page without PyScript, at the server's origin, at whose side the Pyodides are."""
    page.route("**/bare.html", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.route("**/library.zip", lambda route: route.fulfill(body=library()))
    page.route("**/pyodide-*/*", give_file)
    page.goto(f"{server.url}/bare.html")
    return page


@pytest.mark.needs("long answers by a test")
def test_the_oldest_pyodide_renews_for_each_way_in(bare_page: Page, lab: Lab) -> None:
    """One refresh for `Client`, JavaScript's fetch and pyfetch; `undo` gives the page its own fetch back."""
    bare_page.evaluate(START, ["oldest", lab.sign_in()])
    bare_page.evaluate("run", OPEN)
    lab.expire()

    assert [200, 200, 200, 200] == bare_page.evaluate("run", ASK)
    assert 1 == lab.counters()["refresh"]
    bare_page.evaluate("run", "undo(); undo()")
    assert bare_page.evaluate("window.fetch === window.genuine")


@pytest.mark.needs("long answers by a test")
def test_a_pyodide_before_that_is_refused_in_a_sentence(bare_page: Page, lab: Lab) -> None:
    """It names both versions."""
    bare_page.evaluate(START, ["too-old", None])

    told = bare_page.evaluate("run", FAIL)

    version = NPM["pyodide-too-old"].removeprefix("npm:pyodide@")
    assert f"silent_refresh needs Pyodide 0.26.2 or newer: this page's is {version}" == told


def test_the_oldest_pyodide_is_the_one_that_is_named() -> None:
    """In package.json, in the library, and in the README."""
    from silent_refresh.platform.current import OLDEST

    assert f"npm:pyodide@{OLDEST}" == NPM["pyodide-oldest"]
    assert f"Pyodide {OLDEST}" in (ROOT / "README.md").read_text()
