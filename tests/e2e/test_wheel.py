"""The wheel: what is in it, and that a page which has nothing else can use it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
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


@pytest.mark.every_engine("bridge.js as a module")
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
def test_a_strict_policy_is_told_what_it_needs(wheel_page):
    """Where no text may run as code, the error says which line the page's configuration lacks."""
    wheel_page.open()

    with pytest.raises(PagePythonError, match=r"Content-Security-Policy.*\[js_modules\.main\]"):
        wheel_page(make_an_auth)
