"""The browser's own ways to keep less: cookies and storage blocked, windows that remember nothing.

Chromium's contexts are such windows here anyway, and so are WebKit's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.e2e.demo_page import sign_in
from tests.e2e.guide_site import LOOSE_POLICY, guide_site, section
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.patience import be_patient
from tests.e2e.running_server import Lab, RunningServer
from tests.e2e.test_faults_of_storage import renew_twice, warnings

BLOCKS_COOKIES = 2  # in Chromium's preferences, and in Firefox's
Open = Callable[[Any], Any]


@pytest.fixture
def open_with(
    playwright: Playwright,
    browser_name: str,
    browser_type_launch_args: dict[str, Any],
    base_url: str,
    tmp_path: Path,
) -> Callable[[dict[str, Any]], Any]:
    """Return what opens a browser of its own, with preferences of its user's."""

    @contextmanager
    def open_with(preferences: dict[str, Any]) -> Iterator[BrowserContext]:
        if browser_name not in preferences:
            pytest.skip("there is not: a window that isn't private")
        options = {**browser_type_launch_args, "base_url": base_url}
        if browser_name == "firefox":
            options["firefox_user_prefs"] = {**options["firefox_user_prefs"], **preferences["firefox"]}
        elif browser_name == "chromium":
            (tmp_path / "Default").mkdir()
            (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences["chromium"]))
        launched = getattr(playwright, browser_name).launch_persistent_context(tmp_path, **options)
        with launched as context:
            be_patient(context)
            yield context

    return open_with


@pytest.mark.every_engine("localStorage")
@pytest.mark.needs("a profile with preferences")
def test_f24_cookies_and_storage_are_blocked(open_with: Open, server: RunningServer, wheel: Path) -> None:
    """The session lives in the page's memory, and one line says so; PyScript itself may not start (F24)."""
    preferences = {
        "chromium": {"profile": {"default_content_setting_values": {"cookies": BLOCKS_COOKIES}}},
        "firefox": {"network.cookie.cookieBehavior": BLOCKS_COOKIES},
    }
    with guide_site(server.url, wheel) as site, open_with(preferences) as context:
        site.serve(section("With bare Pyodide"), LOOSE_POLICY)
        page = context.new_page()
        with warnings(page) as told:
            page.goto(f"{site.url}/guide/index.html")
            expect(page.get_by_text("Please sign in.")).to_be_visible()
            sign_in(page)
            expect(page.get_by_text("Hello, ")).to_be_visible()

    assert 1 == len(told)
    assert "localStorage can't be used here (SecurityError)" in told[0]


@pytest.mark.every_engine("localStorage")
@pytest.mark.needs("a profile with preferences")
def test_a_private_window(open_with: Open, lab: Lab) -> None:
    """It has storage, lock and journal of its own: nothing is to be said, and a reload stays signed in."""
    with open_with({"firefox": {"browser.privatebrowsing.autostart": True}}) as context:
        page = PagePython(context.new_page())
        page.open()
        session = PageSession(page)
        with warnings(page.page) as told:
            session.open(lab.sign_in())
            renew_twice(session, lab)
        page.open()
        session.open()
        assert [200] == session.get("profile")

    assert [] == told
