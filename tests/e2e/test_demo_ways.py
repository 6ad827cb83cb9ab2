"""The demo's card of every way in: five libraries, five answers, one refresh, as the server counts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import send_by_all

LATER = ("requests-", "urllib3-", "charset_normalizer-", "ways_worker.mjs", "ways.js")


@pytest.fixture
def page(dashboard: Page) -> Page:
    """Use the dashboard, whose own session it is."""
    return dashboard


@pytest.mark.needs("stack switching")
def test_five_ways_share_one_refresh(page: Page) -> None:
    """Each is refused with the old token, and answered with the new one."""
    assert [
        ["Client", "200"],
        ["JavaScript’s fetch, under install()", "200"],
        ["pyodide.http.pyfetch, under install()", "200"],
        ["requests over pyodide-http", "200"],
        ["Client in a worker", "200"],
        ["Refused at first, counted at the server", "5"],
        ["Refreshes, counted at the server", "1"],
        ["Refresh tokens used twice", "0"],
    ] == send_by_all(page)
    said = "Five ways in, five answers, one refresh."
    expect(page.locator("#ways-verdict")).to_have_text(said)
    expect(page.get_by_role("status")).to_contain_text(said)


def test_again_and_then_the_page_goes_on(page: Page) -> None:
    """It can be pressed twice; afterwards window.fetch is the page's own, and nobody is signed out."""
    for _ in range(2):
        assert [["Refreshes, counted at the server", "1"]] == send_by_all(page)[-2:-1]
    page.get_by_role("button", name="Load the profile again").click()

    expect(page.get_by_role("status")).to_contain_text("The profile is loaded.")
    assert "[native code]" in page.evaluate("() => Function.prototype.toString.call(window.fetch)")


def test_the_verdict_is_no_foregone_conclusion(page: Page) -> None:
    """Where a way in is refused for good, the page says that it came out otherwise."""
    page.route("**/api/profile", lambda route: route.fulfill(status=403, body="{}"))
    try:
        rows = send_by_all(page)
    finally:
        page.unroute("**/api/profile")

    assert ["Client", "403"] == rows[0]
    expect(page.locator("#ways-verdict")).to_contain_text("Not as expected: ")


def test_by_keyboard(page: Page) -> None:
    """Enter runs it, and the focus is where it was."""
    button = page.get_by_role("button", name="Send by all five")
    page.locator("#ways-verdict").evaluate("verdict => { verdict.textContent = ''; }")
    button.focus()
    page.keyboard.press("Enter")

    expect(page.locator("#ways-verdict")).not_to_be_empty()
    expect(button).to_be_focused()


def test_the_start_loads_nothing_of_it(page: Page) -> None:
    """Neither requests nor a worker, until somebody presses the button."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_role("button", name="Send by all five")).to_be_visible()

    assert any(url.endswith("/static/page/page.zip") for url in asked)
    assert not [url for url in asked if any(name in url for name in LATER)]


def test_its_policy_passes_one_address(page: Page) -> None:
    """No other text becomes a worker, and nobody makes a second policy."""
    send_by_all(page)
    tries = page.evaluate(
        """() => {
            const met = [];
            for (const act of [
                () => new Worker("/static/boot.js"),
                () => trustedTypes.createPolicy("ways-worker", { createScriptURL: (url) => url }),
                () => trustedTypes.createPolicy("default", { createScriptURL: (url) => url }),
            ]) {
                try { act(); met.push("nothing"); } catch (error) { met.push(error.name); }
            }
            return met;
        }"""
    )

    assert ["TypeError"] * 3 == tries
