"""The wheel: what is in it, and that a page which has nothing else can use it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from silent_refresh import Client, SilentRefresh
from tests.e2e.page_python import PagePython, PagePythonError

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "/tests/e2e/page/wheel.html"
# What a page may have that sets itself no strict policy: the library then needs no file but the wheel.
LOOSE_POLICY = "default-src 'self'; script-src 'self' 'unsafe-eval'; img-src 'self' data:"


async def sign_in_and_expire():
    import silent_refresh

    auth = SilentRefresh(login=None)
    client = Client(auth=auth)
    answer = await client.post("/login", json={"username": "demo", "password": "demo-password"}, auth=None)
    await auth.sign_in(await answer.json())
    await client.post("/lab/expire", json={}, auth=None)
    profile = await (await client.get("/api/profile")).json()
    return [profile["username"], silent_refresh.__file__, silent_refresh.__version__]


async def make_an_auth():
    SilentRefresh()


@pytest.fixture
def wheel_page(page: Page, server, wheel: Path) -> PagePython:
    """Return a page that gets the wheel."""
    page.route(f"**/{wheel.name}", lambda route: route.fulfill(path=wheel, content_type="application/zip"))
    return PagePython(page, ADDRESS)


def loosen(route: Route) -> None:
    """Pass a page on with a policy that isn't strict."""
    response = route.fetch()
    route.fulfill(response=response, headers={**response.headers, "content-security-policy": LOOSE_POLICY})


def test_the_wheel_holds_the_library_alone(wheel):
    """Every file of the library is in it, and nothing else is."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = [path for path in (ROOT / "app" / "silent_refresh").rglob("*") if path.is_file()]
    kept = {path.relative_to(ROOT / "app").as_posix() for path in sources if "__pycache__" not in path.parts}

    assert kept == names
    assert {"silent_refresh/py.typed", "silent_refresh/browser/bridge.js"} <= names


def test_the_source_distribution_holds_the_library_and_what_explains_it(distributions):
    """Enough to build the wheel from, which was done; no test, no demo, no server."""
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= names
    assert {"app/silent_refresh"} == {"/".join(name.split("/")[:2]) for name in names if "/" in name}


def test_the_distributions_can_be_published(distributions):
    """Twine finds no fault with their metadata, nor with the description that an index would show."""
    paths = [str(path) for path in distributions.iterdir()]
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *paths],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == len(paths)
    assert 0 == checked.returncode, checked.stdout


@pytest.fixture
def compiled_wheel(wheel: Path, tmp_path: Path) -> Path:
    """Make the wheel for Pyodide, as `make wheel` does."""
    made_from = shutil.copy(wheel, tmp_path)
    subprocess.run(["node", "tools/compiled_wheel.mjs", made_from], cwd=ROOT, check=True)
    (path,) = tmp_path.glob("*_wasm32.whl")
    return path


def test_the_compiled_wheel_has_every_module_compiled_and_no_source(wheel, compiled_wheel):
    """But for those of tests; its record lists each file with its hash, and its tag is Pyodide's own."""
    with zipfile.ZipFile(wheel) as archive:
        expected = {
            name + "c" * name.endswith(".py") for name in archive.namelist() if "/testing/" not in name
        }
    with zipfile.ZipFile(compiled_wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (record,) = (files[name].decode().splitlines() for name in files if name.endswith("/RECORD"))
    (about,) = (files[name].decode() for name in files if name.endswith("/WHEEL"))
    lock = json.loads((ROOT / "node_modules/pyodide/pyodide-lock.json").read_text())
    tags = {package["file_name"].rpartition(".")[0].split("-")[-1] for package in lock["packages"].values()}

    assert expected == set(files)
    listed = dict(line.split(",", 1) for line in record)
    hashes = {name: f"sha256={digest(content)},{len(content)}" for name, content in files.items()}
    assert {**hashes, **{name: "," for name in files if name.endswith("/RECORD")}} == listed
    (tag,) = re.findall("^Tag: (.*)$", about, re.M)
    assert compiled_wheel.name.endswith(f"-{tag}.whl")
    assert tag.startswith("cp314-none-")
    assert tag.split("-")[-1] in tags


def digest(content: bytes) -> str:
    """Return a hash as a wheel's record has it."""
    return urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")


@pytest.mark.needs("long answers by a test")
def test_a_page_uses_the_compiled_wheel(page, server, wheel, compiled_wheel, lab):
    """Named in `packages` like the other; Pyodide compiles nothing of it."""
    config = (ROOT / "tests/e2e/page/wheel.toml").read_text(encoding="utf-8")
    page.route(
        "**/wheel.toml", lambda route: route.fulfill(body=config.replace(wheel.name, compiled_wheel.name))
    )
    page.route(f"**/{compiled_wheel.name}", lambda route: route.fulfill(path=compiled_wheel))
    page.route(f"**{ADDRESS}", loosen)
    python = PagePython(page, ADDRESS)
    python.open()

    username, origin, _ = python(sign_in_and_expire)
    assert "demo" == username
    assert origin.endswith("/site-packages/silent_refresh/__init__.pyc")
    assert 1 == lab.counters()["refresh"]


@pytest.mark.every_engine("bridge.js as a module")
@pytest.mark.needs("long answers by a test")
def test_a_page_uses_the_wheel(wheel_page, wheel, lab):
    """Through PyScript's `packages`, with no other file of the library: an expired token is renewed once."""
    wheel_page.page.route(f"**{ADDRESS}", loosen)
    wheel_page.open()

    username, origin, version = wheel_page(sign_in_and_expire)
    assert "demo" == username
    assert "site-packages" in origin
    assert f"-{version}-" in wheel.name
    assert 1 == lab.counters()["refresh"]


@pytest.mark.every_engine("bridge.js as a module")
@pytest.mark.needs("long answers by a test")
def test_a_strict_policy_is_told_what_it_needs(wheel_page):
    """Where no text may run as code, the error says which line the page's configuration lacks."""
    wheel_page.open()

    with pytest.raises(PagePythonError, match=r"Content-Security-Policy.*\[js_modules\.main\]"):
        wheel_page(make_an_auth)
