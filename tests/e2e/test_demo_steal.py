"""The demo's theft: what stolen tokens are worth, bearer tokens beside tokens that are bound to a key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import steal, stored


@pytest.fixture
def page(dashboard: Page) -> Page:
    """Use the dashboard; each theft has sessions of its own."""
    return dashboard


def test_bound_tokens_are_worthless_to_a_thief(page, lab):
    """It reads both tokens of both sessions, and gets in with the first pair only."""
    assert [
        ["Profile, for the access token", "200, got it", "401, refused"],
        ["New tokens, for the refresh token", "200, got it", "400, refused"],
        ["Profile, for the new tokens", "200, got it", "–"],
        ["Answered, counted at the server", "2", "0"],
        ["Refused, counted at the server", "0", "1"],
    ] == steal(page)
    said = "With DPoP it has the same two tokens and nothing to use them with."
    expect(page.locator("#steal-verdict")).to_contain_text(said)
    expect(page.get_by_role("status")).to_contain_text(said)
    assert {"refresh": 1, "reuse": 0, "api": 1, "unauthorized": 1} == lab.counters()


def test_the_verdict_is_no_foregone_conclusion(page):
    """Where the server takes bound tokens from anybody, the page says that it came out otherwise."""
    page.route("**/api/profile", lambda route: route.fulfill(status=200, body="{}"))
    try:
        rows = steal(page)
    finally:
        page.unroute("**/api/profile")

    assert "200, got it" == rows[0][2]
    expect(page.locator("#steal-verdict")).to_contain_text("Not as expected: ")


def test_by_keyboard(page):
    """Enter runs it, and the focus is where it was."""
    button = page.get_by_role("button", name="Steal both")
    button.focus()
    page.keyboard.press("Enter")

    expect(page.locator("#steal-verdict")).not_to_be_empty()
    expect(button).to_be_focused()


def test_nothing_of_it_stays(page):
    """Neither a record of the two sessions nor a key of theirs is left; the page's own session goes on."""
    before = stored(page)
    steal(page)

    assert before == stored(page)
    assert not [key for key in page.evaluate("() => Object.keys(localStorage)") if "stolen" in key]
    page.get_by_role("button", name="Load the profile again").click()
    expect(page.get_by_role("status")).to_contain_text("The profile is loaded.")
