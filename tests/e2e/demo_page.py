"""The demo page in a test: sign in, press an experiment's button, read its verdict."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.page_session import KEY
from tests.e2e.running_server import Lab


def sign_in(page: Page, password: str = "demo-password") -> None:
    """Fill in the form and send it."""
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def stored(page: Page) -> dict[str, Any] | None:
    """Return the session's record in localStorage."""
    text = page.evaluate("key => localStorage.getItem(key)", KEY)
    return json.loads(text) if text else None


def open_dashboard(page: Page, lab: Lab) -> None:
    """Open the dashboard as the demo user, whose tokens the library adopts (F30)."""
    page.goto(f"{lab.url}/static/icon.svg")  # for its storage
    answer = lab.sign_in()
    page.evaluate(
        "tokens => Object.entries(tokens).forEach(([key, token]) => localStorage.setItem(key, token))",
        {"accessToken": answer["accessToken"], "refreshToken": answer["refreshToken"]},
    )
    page.goto("/")
    expect(page.get_by_role("button", name="Expire the access token")).to_be_visible()
    # The first requests are over: what a test counts from here on is its own.
    expect(page.get_by_role("log")).to_contain_text("answered 200  GET /api/notes")
    lab.reset()


def open_table(page: Page) -> None:
    """Show the timeline as a table."""
    if not page.get_by_role("columnheader", name="Begins").is_visible():
        page.get_by_text("The same as a table").click()


def card(page: Page, button: str) -> Locator:
    """Find an experiment by the name of its button."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("button", name=button, exact=True))


def verdicts(page: Page, button: str) -> list[str]:
    """Return an experiment's claims, each with its mark, such as ``✓ One refresh at the server``."""
    claims = card(page, button).get_by_role("listitem").all_inner_texts()
    return [" ".join(claim.split()) for claim in claims]


def try_it(page: Page, button: str) -> list[str]:
    """Press a button, wait until the page says what came of it, and return the verdicts."""
    card(page, button).locator(".facts").evaluate("facts => { facts.textContent = ''; }")  # of the last time
    card(page, button).get_by_role("button").click()
    expect(card(page, button).get_by_text(re.compile("s expected: "))).to_be_visible()
    return verdicts(page, button)


def show_all(page: Page) -> None:
    """Let the dashboard show all that it has."""
    try_it(page, "Expire the access token")
    try_it(page, "Send 20 at once")
    open_table(page)
    page.get_by_role("group", name="What happens").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#picture-detail")).not_to_be_empty()


def steal(page: Page) -> list[list[str]]:
    """Steal both sessions' tokens; return the table's rows: what, from the first, from the second."""
    return rows_after(page, "Steal the tokens", "Steal both", "#steal-verdict")


def send_by_all(page: Page) -> list[list[str]]:
    """Send by every way in; return the table's rows: what, and what came of it."""
    return rows_after(page, "Every way in", "Send by all five", "#ways-verdict")


def rows_after(page: Page, card: str, button: str, verdict: str) -> list[list[str]]:
    """Press a card's button, wait for its verdict; return the rows of its table, without the heads."""
    region = page.get_by_role("region", name=card)
    told = region.locator(verdict)
    told.evaluate("verdict => { verdict.textContent = ''; }")  # of the time before
    region.get_by_role("button", name=button).click()
    expect(told).not_to_be_empty()
    rows = region.get_by_role("row").all_inner_texts()[1:]
    return [[cell.strip() for cell in row.split("\t")] for row in rows]
