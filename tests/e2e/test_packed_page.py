"""tools/pack.mjs: what it makes of the guide's page, served by that page's server, used as a person would."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browsers.features import PRELOADS
from tests.e2e.demo_page import sign_in
from tests.e2e.guide_site import LOOSE_POLICY, type_of
from tests.interop.running import InteropServer, serve_starter
from tools.starter import make

ROOT = Path(__file__).resolve().parents[2]


def pack(page: Path, to: Path) -> subprocess.CompletedProcess[str]:
    """Pack a page."""
    command = ["node", "tools/pack.mjs", str(page), str(to)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# Of the session: those of its tests that open no page are run after other modules.
@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Return what `make starter` makes, the guide's page, with the packed page in that one's place."""
    made = tmp_path_factory.mktemp("starter")
    make(made, wheel)
    packed = pack(made / "page", made / "fast")
    assert packed.returncode == 0, packed.stderr
    (made / "page").rename(made / "as-before")
    (made / "fast").rename(made / "page")
    return made


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[InteropServer]:
    """Serve it, by its own server and under its own policy."""
    with serve_starter(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser_context_args(browser_context_args: dict[str, Any], served: InteropServer) -> dict[str, Any]:
    """Open pages there, and not at the demo's server first, whose pages are isolated from others."""
    return {**browser_context_args, "base_url": served.url}


def test_the_guides_page_works_as_before(page: Page, served: InteropServer) -> None:
    """From the page to the login and back; an expired token is renewed unseen."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/?page=2")
    expect(page).to_have_url(re.compile(r"/login\?next=%2F%3Fpage%3D2&reason=not_signed_in"))

    sign_in(page)
    expect(page.get_by_text("Hello, demo")).to_be_visible()
    served.lab.reset()
    served.lab.expire()
    page.reload()
    expect(page.get_by_text("Hello, demo")).to_be_visible()

    assert 1 == served.lab.counters()["refresh"]
    assert [] == said


@pytest.mark.needs(PRELOADS)
def test_it_loads_what_the_demo_loads(page: Page, served: InteropServer) -> None:
    """Its Python comes in one archive, Pyodide's JavaScript as a script, and nothing is asked for twice."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url.removeprefix(served.url)))
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()

    assert sorted(set(requested)) == sorted(requested)
    assert {"/page.zip", "/pyodide/pyodide.asm.js", "/pyscript.json"} <= set(requested)
    assert ["/login.py"] == [url for url in requested if url.endswith((".py", ".whl", ".toml"))]
    assert "/pyodide/pyodide.asm.mjs" not in requested


def test_pyscripts_own_python_comes_from_the_archive(page: Page) -> None:
    """PyScript doesn't write its `pyscript` package anew, which it would at each start."""
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    found = page.evaluate(
        """async () => {
            const { loadPyodide } = await import("/python.mjs");
            const python = await loadPyodide({});
            const { FS } = python;
            return [FS.analyzePath("/home/pyodide/pyscript").exists, python.pyimport("pyscript").__file__];
        }"""
    )

    assert [False, "/home/pyodide/page.zip/pyscript/__init__.pyc"] == found


def test_all_of_its_python_is_compiled(folder: Path) -> None:
    """The library, PyScript's package and the page's own modules, of which the sources are there as well."""
    with zipfile.ZipFile(folder / "page" / "page.zip") as archive:
        names = set(archive.namelist())

    assert {"silent_refresh/auth.pyc", "pyscript/__init__.pyc", "session.pyc", "hello.pyc"} <= names
    assert {"session.py", "hello.py"} == {name for name in names if name.endswith(".py")}
    assert not [name for name in names if "testing" in name or "dist-info" in name]
    for name in ("page.zip", "pyodide/python_stdlib.zip", "pyodide/pyodide.asm.wasm"):
        assert all((folder / "page" / f"{name}.{coding}").exists() for coding in ("zst", "br", "gz"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('type="py"', 'type="py" worker'), "has a worker"),
        ((' config="./pyscript.toml"', ""), 'config="….toml"'),
    ],
)
def test_a_page_that_cannot_be_packed_is_refused(
    folder: Path, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    """With the reason; and nothing is made."""
    page = tmp_path / "page"
    shutil.copytree(folder / "as-before", page, ignore=shutil.ignore_patterns("pyodide", "pyscript"))
    index = page / "index.html"
    index.write_text(index.read_text().replace(*change))

    refused = pack(page, tmp_path / "fast")

    assert told in refused.stderr
    assert not (tmp_path / "fast").exists()


@pytest.mark.needs("long answers by a test")
def test_a_page_that_names_no_javascript_finds_it_in_the_archive(
    page: Page, served: InteropServer, folder: Path, tmp_path: Path
) -> None:
    """Where its policy lets text run as code; so may the page of Pyodide's own `packages`."""
    before = tmp_path / "page"
    shutil.copytree(folder / "as-before", before, ignore=shutil.ignore_patterns("pyodide", "pyscript"))
    (before / "pyscript.toml").write_text(
        'packages = ["./silent_refresh-0.1.0-py3-none-any.whl"]\n'
        '[files]\n"./session.py" = ""\n"./hello.py" = ""\n'
    )
    assert 0 == pack(before, tmp_path / "fast").returncode

    def serve(route: Route) -> None:
        name = urlsplit(route.request.url).path.strip("/") or "index.html"
        file = tmp_path / "fast" / name
        if name.startswith(("pyodide/", "pyscript/")) or not file.is_file():  # those are the same there
            route.continue_()
            return
        headers = {"Content-Type": type_of(file.name), "Content-Security-Policy": LOOSE_POLICY}
        route.fulfill(body=file.read_bytes(), headers=headers)

    page.route("**/*", serve)
    page.goto("/login.html")
    sign_in(page)

    expect(page.get_by_text("Hello, demo")).to_be_visible()
