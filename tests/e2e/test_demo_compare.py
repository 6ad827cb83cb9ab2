"""The demo's comparison: the recipe of the articles beside this library, in the same storm."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import stored


@pytest.fixture
def page(dashboard: Page) -> Page:
    """Use the dashboard; each storm has sessions of its own."""
    return dashboard


def storm(page: Page, name: str) -> dict[str, Any]:
    """Run a storm; return the two figures of each row, the recipe's and the library's, and the verdict."""
    region = page.get_by_role("region", name="Compare")
    region.get_by_label(name).check()
    verdict = region.locator("#compare-verdict")
    verdict.evaluate("verdict => { verdict.textContent = ''; }")  # of the storm before
    region.get_by_role("button", name="Run both").click()
    expect(verdict).not_to_be_empty()
    rows = [row.split("\t") for row in region.get_by_role("row").all_inner_texts()[1:]]
    return {title.strip(): (recipe, ours) for title, recipe, ours in rows} | {"verdict": verdict.inner_text()}


def test_late_refusals_cost_the_recipe_more_refreshes(page):
    """A late refusal of the old token is replayed by the library; the recipe refreshes again (F2)."""
    told = storm(page, "Three of the refusals come late")
    recipe, ours = told["Refresh calls"]

    assert "1" == ours
    assert int(recipe) > 1
    assert "20" == told["Answered"][1]
    assert f"The recipe refreshed {recipe} times where silent-refresh did 1." == told["verdict"]


def test_refused_together_the_two_do_the_same(page):
    """The comparison is fair: where nothing goes wrong the recipe answers all, too."""
    told = storm(page, "All are refused together")

    assert ("20", "20") == told["Answered"]
    assert ("0", "0") == told["Hang for ever"]
    assert "1" == told["Refresh calls"][1]
    assert ("yes", "yes") == told["Still signed in"]


def test_a_refused_refresh_token_hangs_the_recipe(page):
    """With the recipe all wait for ever; with the library each gets its error (F5, F6)."""
    told = storm(page, "The server refuses the refresh token")

    assert ("20", "0") == told["Hang for ever"]
    assert ("0", "20") == told["Ended with an error"]
    assert ("1", "1") == told["Refresh calls"]
    assert "never ends" == told["Time"][0]
    assert "With the recipe 20 requests hang for ever; with silent-refresh 0." == told["verdict"]


def test_a_busy_server_signs_out_the_recipes_user(page):
    """A 503 at the refresh ends the recipe's session; the library asks again (F37)."""
    told = storm(page, "The server is busy (503) at the refresh")

    assert ("no", "yes") == told["Still signed in"]
    assert "3" == told["Refresh calls"][1]
    assert "20" == told["Answered"][1]


def test_the_pages_own_session_is_left_in_peace(page):
    """The storms have sessions of their own: the page's goes on, and no token of theirs is kept."""
    before = stored(page)
    storm(page, "The server refuses the refresh token")

    assert before == stored(page)
    page.get_by_role("button", name="Load the profile again").click()
    expect(page.get_by_role("status")).to_contain_text("The profile is loaded.")
