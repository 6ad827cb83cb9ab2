"""The ways of docs/guide.md, each run as it stands there: its files, the wheel, and the real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from app.server.headers import CONTENT_SECURITY_POLICY
from tests.e2e.demo_page import sign_in
from tests.e2e.guide_site import GUIDE, LOOSE_POLICY, ROOT, GuideSite, guide_site, section
from tests.e2e.running_server import Lab, RunningServer
from tests.interop.servers.fastapi_recipe import load


@pytest.fixture
def site(server: RunningServer, wheel: Path) -> Iterator[GuideSite]:
    """Serve the guide's pages before the real server."""
    with guide_site(server.url, wheel) as site:
        yield site


@pytest.fixture
def page(browser: Browser, site: GuideSite) -> Iterator[Page]:
    """Open an empty page there."""
    with browser.new_context(base_url=site.url) as context:
        yield context.new_page()


@pytest.mark.every_engine("the guide")
@pytest.mark.parametrize("title", ["A single HTML file", "With bare Pyodide"])
def test_a_page_asks_to_sign_in_and_then_stays_signed_in(
    page: Page, site: GuideSite, lab: Lab, title: str
) -> None:
    """A wrong password is told; after a right one, an expired token is renewed unseen."""
    site.serve(section(title), LOOSE_POLICY)
    page.goto("/guide/index.html")
    expect(page.get_by_text("Please sign in.")).to_be_visible()

    sign_in(page, "wrong")
    expect(page.get_by_text("That was not right. Please try again.")).to_be_visible()

    sign_in(page)
    expect(page.get_by_text("Hello, ")).to_be_visible()
    lab.expire()
    page.reload()
    expect(page.get_by_text("Hello, ")).to_be_visible()
    assert 1 == lab.counters()["refresh"]


@pytest.mark.every_engine("the guide")
def test_the_page_of_the_readme_greets_who_is_signed_in(page: Page, site: GuideSite, lab: Lab) -> None:
    """As it stands there, from this origin alone; the token, kept by an older page, has expired."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    site.serve((ROOT / "README.md").read_text(encoding="utf-8"), LOOSE_POLICY)
    tokens = lab.sign_in()
    lab.expire()
    page.goto("/static/icon.svg")
    page.evaluate("tokens => Object.assign(localStorage, tokens)", tokens)

    page.goto("/guide/index.html")

    expect(page.get_by_text("Hello, ")).to_be_visible()
    assert 1 == lab.counters()["refresh"]
    assert {site.url} == {"://".join(urlsplit(url)[:2]) for url in requested if url.startswith("http")}


def test_python_in_the_markup_does_not_run(page: Page, site: GuideSite) -> None:
    """Under the policy nothing runs but the files that the page names; without its guard, PyScript does."""
    python = '<script type="py">import js; js.document.title = "Python ran"</script>'
    text = section("With PyScript").replace("<button disabled>", f"{python}<button disabled>")
    for served, title in (
        (re.sub("<script src=.*own_python.*\n", "", text), "Python ran"),
        (text, "Sign in"),
    ):
        site.serve(served, CONTENT_SECURITY_POLICY)
        page.goto("/guide/login.html")

        expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
        expect(page).to_have_title(title)


def test_the_guide_installs_what_is_tested() -> None:
    """The versions in its npm line are those that the demo has, and so these tests."""
    pinned = json.loads((ROOT / "package.json").read_text())["dependencies"]

    assert pinned == dict(re.findall(r"(\S+)@([\d.]+)(?=\s)", GUIDE))


def test_the_policy_in_the_guide_is_the_one_that_is_tested() -> None:
    """The header that the guide shows is the demo server's, but for the hash of its page's import map."""
    assert f"\nContent-Security-Policy: {CONTENT_SECURITY_POLICY}\n" in GUIDE


def test_the_starters_policy_is_that_one() -> None:
    """Its server sends what the guide shows."""
    assert CONTENT_SECURITY_POLICY == load(ROOT / "starter" / "server.py").POLICY
