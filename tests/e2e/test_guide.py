"""The ways of docs/guide.md, each run as it stands there: its files, the wheel, and the real server."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from app.server.headers import CONTENT_SECURITY_POLICY
from tests.e2e.page_python import BOOT_TIMEOUT
from tests.e2e.running_server import Lab, RunningServer

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
# What the guide copies next to the page is, byte-compiled, where the server has it for the demo.
VENDOR = {path.name.partition("-")[0]: path.name for path in (ROOT / "static" / "vendor").glob("py*-*")}
KINDS = {".html": "text/html", ".js": "text/javascript"}
# A page that sets itself no strict policy may have its code in the HTML.
CDN = "https://cdn.jsdelivr.net"  # where PyScript finds Pyodide unless it is told
LOOSE_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data:"
FILE = re.compile(r"^```\w+\n(?:<!-- (?P<html>\S+) -->|(?:#|//) (?P<other>\S+\.\w+))\n.*?^```$", re.M | re.S)
Serve = Callable[[str, str], None]


def section(title: str) -> str:
    """Return the text of a section of the guide."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def files_in(text: str) -> dict[str, str]:
    """Return the files that a text shows, by name: each tells its own in the first line."""
    blocks = FILE.finditer(text)
    return {block["html"] or block["other"]: block[0].split("\n", 1)[1][:-3] for block in blocks}


@pytest.fixture
def serve(page: Page, server: RunningServer, wheel: Path) -> Serve:
    """Return what puts the files that a text shows at /guide/ of the real server, under a policy."""

    def serve(text: str, policy: str) -> None:
        files = {name: content.encode() for name, content in files_in(text).items()}
        files[wheel.name] = wheel.read_bytes()
        files["bridge.js"] = zipfile.ZipFile(wheel).read("silent_refresh/browser/bridge.js")

        def answer(route: Route) -> None:
            path = urlsplit(route.request.url).path
            folder, _, name = path.removeprefix("/guide/").rpartition("/")
            if folder:
                route.continue_(url=f"{server.url}/static/vendor/{VENDOR[folder]}/{name}")
            elif name in files:
                content_type = KINDS.get(Path(name).suffix, "application/octet-stream")
                headers = {"Content-Security-Policy": policy, "Content-Type": content_type}
                route.fulfill(body=files[name], headers=headers)
            else:
                route.fulfill(status=404)

        page.route("**/guide/**", answer)

    return serve


def sign_in(page: Page) -> None:
    """Fill in the form, as a person would."""
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill("demo-password")
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("title", ["A single HTML file", "With bare Pyodide"])
def test_a_page_asks_to_sign_in_and_then_stays_signed_in(
    page: Page, serve: Serve, lab: Lab, title: str
) -> None:
    """A wrong password is told; after a right one, an expired token is renewed unseen."""
    serve(section(title), LOOSE_POLICY)
    page.goto("/guide/index.html")
    expect(page.get_by_text("Please sign in.")).to_be_visible(timeout=BOOT_TIMEOUT)

    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("That was not right. Please try again.")).to_be_visible()

    sign_in(page)
    expect(page.get_by_text("Hello, ")).to_be_visible()
    lab.expire()
    page.reload()
    expect(page.get_by_text("Hello, ")).to_be_visible(timeout=BOOT_TIMEOUT)
    assert 1 == lab.counters()["refresh"]


def test_the_page_of_the_readme_greets_who_is_signed_in(
    page: Page, serve: Serve, server: RunningServer, lab: Lab
) -> None:
    """As it stands there, Pyodide from PyScript's address; the token, kept by an older page, has expired."""
    serve(
        (ROOT / "README.md").read_text(encoding="utf-8"), LOOSE_POLICY.replace("'self'", f"'self' {CDN}", 1)
    )
    vendor = f"{server.url}/static/vendor/{VENDOR['pyodide']}"

    def answer(route: Route) -> None:
        name = urlsplit(route.request.url).path.rpartition("/")[2]
        route.fulfill(response=route.fetch(url=f"{vendor}/{name}"))

    page.route(f"{CDN}/pyodide/**", answer)
    tokens = lab.sign_in()
    lab.expire()
    page.goto("/static/icon.svg")
    page.evaluate("tokens => Object.assign(localStorage, tokens)", tokens)

    page.goto("/guide/index.html")

    expect(page.get_by_text("Hello, ")).to_be_visible(timeout=BOOT_TIMEOUT)
    assert 1 == lab.counters()["refresh"]


def test_two_pages_under_a_strict_policy(page: Page, serve: Serve, lab: Lab) -> None:
    """From the protected page to the login and back; an expired token is renewed; sign-out leads there."""
    violations: list[str] = []
    page.on("console", lambda said: violations.append(said.text) if "Content Security" in said.text else None)
    serve(section("With PyScript"), CONTENT_SECURITY_POLICY)

    page.goto("/guide/index.html?page=2")
    expect(page).to_have_url(re.compile(r"/guide/login\.html\?next=.*index\.html"), timeout=BOOT_TIMEOUT)
    sign_in(page)
    expect(page.get_by_text("Hello, ")).to_be_visible(timeout=BOOT_TIMEOUT)
    assert page.url.endswith("/guide/index.html?page=2")

    lab.expire()
    page.reload()
    expect(page.get_by_text("Hello, ")).to_be_visible(timeout=BOOT_TIMEOUT)
    assert 1 == lab.counters()["refresh"]

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/guide/login\.html\?reason=sign_out"))
    assert [] == violations


def test_the_guide_installs_what_is_tested() -> None:
    """The versions in its npm line are those that the demo has, and so these tests."""
    pinned = json.loads((ROOT / "package.json").read_text())["dependencies"]

    assert pinned == dict(re.findall(r"(\S+)@([\d.]+)(?=\s)", GUIDE))


def test_the_policy_in_the_guide_is_the_one_that_is_tested() -> None:
    """The header that the guide shows is the demo server's."""
    assert f"\nContent-Security-Policy: {CONTENT_SECURITY_POLICY}\n" in GUIDE
