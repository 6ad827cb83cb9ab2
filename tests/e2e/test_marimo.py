"""marimo itself: a notebook that uses the library, exported (`html-wasm`); its Python is in a worker."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.notebook_site import run_tool, serve_site, without_compiled, write_kernel
from tests.e2e.running_server import ROOT, Lab

PREFIX = "/marimo/"
PYODIDE = "pyodide-of-marimo"  # the one whose loader is built in
NOTEBOOK = ROOT / "tests" / "e2e" / "page" / "marimo_notebook.py"
PACKAGES = (
    "micropip",
    "packaging",
    "msgspec",
    "marimo-base",
    "markdown",
    "pymdown-extensions",
    "narwhals",
    "docutils",
    "pygments",
    "jedi",
    "parso",
    "pyodide-http",
    "itsdangerous",
    "tomlkit",
    "python-multipart",
)
# marimo looks for modules beside the notebook with ruff, which it has uv fetch; here ruff is installed.
UV = f"""#!/bin/sh
until [ "$1" = ruff ]; do shift; done
shift
exec {Path(sys.executable).with_name("ruff")} "$@"
"""
HOSTED = '<marimo-wasm hidden="">'
LOCAL = (
    '<marimo-wasm hidden="" data-pyodide-index-url="./pyodide/" '
    'data-pyodide-lockfile-url="./pyodide/pyodide-lock.json">'
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Export the notebook, and let it have Pyodide from a folder beside it."""
    tools, folder = tmp_path_factory.mktemp("tools"), tmp_path_factory.mktemp("marimo")
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    shutil.copy(NOTEBOOK, folder / "notebook.py")
    command = ("marimo", "export", "html-wasm", "notebook.py", "-o", "site", "--mode=run")
    run_tool(*command, folder=folder, tools=tools)
    site = folder / "site"
    write_kernel(site / "pyodide", PYODIDE, PACKAGES, without_compiled("pyyaml", tools), wheel)
    page = site / "index.html"
    text = page.read_text()
    assert HOSTED in text
    page.write_text(text.replace(HOSTED, LOCAL))
    return site


class Notebook:
    """The exported notebook in a tab, with a worker of its own."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked = 0
        page.goto(PREFIX)
        page.get_by_role("button", name="Ask").wait_for()

    def sign_in(self) -> None:
        """Sign in there."""
        self._click("Sign in", "Signed in.")

    def sign_out(self) -> None:
        """Sign out there."""
        self._click("Sign out", "Signed out.")

    def ask(self) -> str:
        """Send five requests at once; return what came of them."""
        self.asked += 1
        return self._click("Ask", f"Asked {self.asked}: ").partition(": ")[2]

    def _click(self, button: str, told: str) -> str:
        self.page.get_by_role("button", name=button, exact=True).click()
        return self.page.get_by_text(re.compile(f"^{re.escape(told)}")).inner_text()


@pytest.fixture
def context(browser: Browser, base_url: str, site: Path, lab: Lab) -> Iterator[BrowserContext]:
    """Return a profile of the browser at a server that has the notebook too."""
    with serve_site(base_url, PREFIX, site) as url, browser.new_context(base_url=url) as context:
        yield context


@pytest.mark.needs("other sites in one tab")  # it is isolated otherwise, which changes the process as well
def test_a_notebooks_session(context: BrowserContext, lab: Lab) -> None:
    """A cell signs in; it is renewed once, is there for a page that is opened later, and ends for both."""
    one = Notebook(context.new_page())
    assert str(["NotSignedIn"] * 5) == one.ask()
    one.sign_in()
    lab.expire()
    lab.reset()
    assert str([200] * 5) == one.ask()
    assert 1 == lab.counters()["refresh"]

    two = Notebook(context.new_page())
    lab.expire()
    assert [str([200] * 5)] * 2 == [one.ask(), two.ask()]
    assert {"refresh": 2, "reuse": 0} == {name: lab.counters()[name] for name in ("refresh", "reuse")}

    two.sign_out()
    assert [str(["NotSignedIn"] * 5)] * 2 == [one.ask(), two.ask()]
