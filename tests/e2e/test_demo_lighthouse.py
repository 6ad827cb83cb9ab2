"""The demo before Lighthouse, as a user of Chrome's developer tools would let it judge the page."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import BrowserType, Page, expect

from tests.e2e.conftest import ROOT
from tests.e2e.demo_page import open_dashboard, show_all
from tests.e2e.patience import be_patient

SCHEMES = ("light", "dark")
PERFECT = {"score": 100, "faults": []}
# Pyodide looks whether there is a SharedArrayBuffer, which Chromium tells every page not to.
PYODIDE = json.loads((ROOT / "package.json").read_text())["dependencies"]["pyodide"]
PYODIDES_OWN = "deprecations: {url}/static/vendor/pyodide-{version}/pyodide.asm.js"

Judge = Callable[..., dict[str, Any]]


class Watched(NamedTuple):
    """A page, and what lets Lighthouse judge it: ``judge()`` as it stands, ``judge("navigation")`` anew."""

    page: Page
    judge: Judge


@pytest.fixture(scope="module")
def watched(
    lacking: set[str],
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    base_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    """Start a browser that Lighthouse can reach as well: it writes into its profile at which port."""
    if "Chromium's DevTools protocol" in lacking:
        pytest.skip("there is not: Chromium's DevTools protocol")
    profile = tmp_path_factory.mktemp("profile")
    arguments = [*browser_type_launch_args["args"], "--remote-debugging-port=0"]
    options = {**browser_type_launch_args, "args": arguments}
    with browser_type.launch_persistent_context(profile, base_url=base_url, **options) as context:
        be_patient(context)
        port = (profile / "DevToolsActivePort").read_text().splitlines()[0]

        def judge(mode: str = "snapshot") -> dict[str, Any]:
            command = ["node", "tests/e2e/lighthouse.mjs", port, mode]
            ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert 0 == ran.returncode, ran.stderr
            judged: dict[str, Any] = json.loads(ran.stdout)
            return judged

        yield Watched(context.pages[0], judge)


def test_lighthouse_gives_the_login_full_marks(watched, server):
    """Accessibility and best practices get 100 each, in either theme."""
    page = watched.page
    page.goto("/login?reason=rejected")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert {"accessibility": PERFECT, "best-practices": PERFECT} == watched.judge(), scheme


def test_lighthouse_sees_the_page_load(watched, server):
    """Watched from the first byte, the page has one fault, and that is Pyodide's."""
    watched.page.goto("/login")
    judged = watched.judge("navigation")

    assert PERFECT == judged["accessibility"]
    assert [PYODIDES_OWN.format(url=server.url, version=PYODIDE)] == judged["best-practices"]["faults"]


def test_lighthouse_would_find_a_fault(watched, server):
    """The marks can be lost: a field without its label is found, and named."""
    page = watched.page
    page.goto("/login")
    expect(page.get_by_label("Password")).to_be_visible()
    page.get_by_label("Password").evaluate("input => input.closest('label').replaceWith(input)")

    judged = watched.judge()["accessibility"]

    assert judged["score"] < 100
    assert ["label: main > section#sign-in > form#sign-in-form > input"] == judged["faults"]


def test_lighthouse_gives_the_dashboard_full_marks(watched, lab):
    """With a picture, a table and verdicts on it, the dashboard gets 100 as well, in either theme."""
    open_dashboard(watched.page, lab)
    show_all(watched.page)

    for scheme in SCHEMES:
        watched.page.emulate_media(color_scheme=scheme)
        assert {"accessibility": PERFECT, "best-practices": PERFECT} == watched.judge(), scheme
