"""JupyterLite itself, whose kernel is a worker: a notebook whose cells use the library."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.host_story import play
from tests.e2e.notebook_site import FOLDER, WHEELS, run_tool, serve_site, write_kernel
from tests.e2e.running_server import Lab

PREFIX = "/jupyterlite/"
NOTEBOOK = "session.ipynb"
CELLS = {
    "start": """
%pip install silent-refresh
from asyncio import gather
from pyodide.http import pyfetch
from silent_refresh import Client, NotSignedIn, SilentRefresh

auth = SilentRefresh(login=None)
client = Client("/api", auth=auth)

async def ask():
    try:
        return (await client.get("profile")).status
    except NotSignedIn as error:
        return type(error).__name__
"started"
""",
    "sign in": """
answer = await pyfetch(
    "/login",
    method="POST",
    headers={"Content-Type": "application/json"},
    body='{"username": "demo", "password": "demo-password"}',
)
await auth.sign_in(await answer.json())
"signed in"
""",
    "ask": "await gather(*[ask() for _ in range(5)])",
    "sign out": """
await auth.sign_out()
"signed out"
""",
}
# The list of notebooks, which jupyter_server would write, a large package; here the test does.
SETTINGS = {"exposeAppInBrowser": True, "contentsAllJsonFile": "all.json"}
RUN = """async (number) => {
    const { commands, shell } = window.jupyterapp;
    const { content, context } = shell.currentWidget;
    await context.sessionContext.ready;
    content.activeCellIndex = number;
    await commands.execute("notebook:run-cell");
    return content.activeCell.model.outputs.toJSON();
}"""
RESTART = "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"


def notebook() -> dict[str, Any]:
    """Return the notebook that a user would have written."""
    cells = [
        {
            "id": str(number),
            "cell_type": "code",
            "source": source.strip(),
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(CELLS.values())
    ]
    kernel = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Build the site: the notebook, the library's wheel in its folder `pypi`, and Pyodide beside it."""
    source = tmp_path_factory.mktemp("jupyterlite")
    write_kernel(source / "static" / "pyodide", "pyodide", ("micropip", "packaging"))
    shutil.copytree(WHEELS, source / "pypi")
    shutil.copy(wheel, source / "pypi")
    (source / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": SETTINGS})
    )
    extensions = FOLDER / "share" / "jupyter" / "labextensions"
    site = source / "site"
    run_tool(
        "jupyterlite_core.app",
        "build",
        "--lite-dir=.",
        f"--output-dir={site}",
        "--apps=notebooks",
        "--no-sourcemaps",
        f"--FederatedExtensionAddon.extra_labextensions_path={extensions}",
        folder=source,
    )
    text = json.dumps(notebook())
    (site / "files").mkdir(exist_ok=True)
    (site / "files" / NOTEBOOK).write_text(text)
    listed = {
        "name": NOTEBOOK,
        "path": NOTEBOOK,
        "type": "notebook",
        "format": None,
        "content": None,
        "mimetype": None,
        "size": len(text),
        "writable": True,
        "created": "2026-01-01T00:00:00Z",
        "last_modified": "2026-01-01T00:00:00Z",
    }
    root = {**listed, "name": "", "path": "", "type": "directory", "format": "json", "content": [listed]}
    (site / "api" / "contents").mkdir(parents=True, exist_ok=True)
    (site / "api" / "contents" / "all.json").write_text(json.dumps(root))
    return site


class Notebook:
    """The notebook in a tab, with a kernel of its own."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.goto(f"{PREFIX}notebooks/index.html?path={NOTEBOOK}")
        page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady")
        assert "'started'" == self.run("start")

    def run(self, cell: str) -> str:
        """Run a cell and return what its last line is."""
        outputs: list[dict[str, Any]] = self.page.evaluate(RUN, list(CELLS).index(cell))
        results = [it["data"]["text/plain"] for it in outputs if it["output_type"] == "execute_result"]
        assert results, outputs
        return str(results[-1])

    def restart(self) -> None:
        """Restart the kernel, and run the first cell again."""
        self.page.evaluate(RESTART)
        assert "'started'" == self.run("start")


@pytest.fixture
def context(browser: Browser, base_url: str, site: Path, lab: Lab) -> Iterator[BrowserContext]:
    """Return a profile of the browser at a server that has the site too."""
    with serve_site(base_url, PREFIX, site) as url, browser.new_context(base_url=url) as context:
        yield context


@pytest.mark.needs("other sites in one tab")  # it is isolated otherwise, which changes the process as well
def test_a_notebooks_session(context: BrowserContext, lab: Lab) -> None:
    """A cell signs in; it is renewed once, another tab's too, outlives the kernel, and ends for both."""
    play(lambda: Notebook(context.new_page()), Notebook.restart, lab)
