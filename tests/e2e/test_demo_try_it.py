"""The demo's experiments: each button used in the real page, its verdict read and checked at the server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import card, stored, try_it, verdicts

EXPIRE = "Expire the access token"


@pytest.fixture
def page(dashboard: Page) -> Page:
    """Use the dashboard, which is as it was after each experiment."""
    return dashboard


@pytest.mark.parametrize(
    ("button", "count"),
    [
        ("Send 1 request", 1),
        ("Send 20 at once", 20),
        pytest.param("Send 200 at once", 200, marks=pytest.mark.every_engine("the demo")),
    ],
)
def test_requests_are_answered_with_an_expired_token_and_with_a_good_one(page, lab, button, count):
    """All are answered, for one refresh if the token has expired and for none if not (F1)."""
    assert ["✓ The server refuses the token from now on"] == try_it(page, EXPIRE)
    expired = try_it(page, button)

    assert [
        "✓ Every request is answered",
        "✓ One refresh if the token has expired, none if not",
        "✓ Nothing is sent more than twice",
    ] == expired
    assert 1 == lab.counters()["refresh"]
    expect(card(page, button)).to_contain_text(f"{count} of {count} answered. Refused at first: ")
    assert expired == try_it(page, button)
    expect(card(page, button)).to_contain_text("Refused at first: 0, refresh calls: 0, errors: 0")
    assert 1 == lab.counters()["refresh"]


def test_what_the_page_is_about_takes_one_click(page, lab):
    """The button beside the picture lets the token expire and sends twenty requests: one refresh for all."""
    assert [
        "✓ Every request is answered",
        "✓ One refresh at the server",
        "✓ Nothing is sent more than twice",
    ] == try_it(page, "Let the token expire, then send 20 requests")
    assert {"refresh": 1, "reuse": 0, "api": 40, "unauthorized": 20} == lab.counters()


def test_a_slow_refresh_is_waited_for(page, lab):
    """Twenty requests wait two seconds for one refresh."""
    assert [
        "✓ Every request is answered",
        "✓ One refresh at the server",
        "✓ Nothing is sent more than twice",
    ] == try_it(page, "Slow refresh (2 s)")
    assert 1 == lab.counters()["refresh"]


def test_a_busy_server_is_asked_again(page, lab):
    """Two 503s at the refresh are unseen by whoever waits (F37)."""
    assert [
        "✓ Every request is answered",
        "✓ The refresh is called three times, with pauses",
    ] == try_it(page, "Busy server (503, twice)")
    assert 3 == lab.counters()["refresh"]


@pytest.mark.parametrize(
    "button", ["Broken server (503 for good)", "Refresh that hangs (10 s)", "Broken connection"]
)
def test_trouble_that_lasts_costs_an_error_and_no_session(page, button):
    """Each request gets its own error, the tokens are kept, and later all is well (F36, F37, F39)."""
    before = stored(page)

    assert [
        "✓ Every request gets its own RefreshUnavailable, none hangs",
        "✓ The session is kept",
        "✓ Once the trouble is over, the next request is answered",
    ] == try_it(page, button)
    expect(card(page, button)).to_contain_text(re.compile("0 of 20 answered.*errors: 20"))
    assert page.url.endswith("/")
    assert before["id"] == stored(page)["id"]


def test_a_revoked_refresh_token_lasts_as_long_as_the_access_token(page):
    """The next request works; the one after the access token's end is sent to the sign-in page."""
    assert ["✓ The access token is still good"] == try_it(page, "Revoke the refresh token")
    assert "✓ Every request is answered" in try_it(page, "Send 1 request")
    try_it(page, EXPIRE)
    card(page, "Send 20 at once").get_by_role("button").click()

    expect(page.get_by_text("The server ended your session.")).to_be_visible()
    expect(page.get_by_text("this browser holds no token any more")).to_be_visible()


@pytest.mark.needs("pages that a page opens")
def test_a_second_tab_shares_the_refresh(page, lab):
    """Two tabs send with an expired token: one refreshes, the other adopts, and each says so (F14, F16)."""
    button = "Open a second tab"
    with page.context.expect_page() as opened:
        card(page, button).get_by_role("button").click()
    expect(card(page, button).get_by_text(re.compile("s expected: "))).to_be_visible()

    assert [
        "✓ One refresh at the server",
        "✓ The other tab's request is answered too",
        "✓ One tab takes over the other's tokens",
        "✓ No refresh token is used twice",
    ] == verdicts(page, button)
    assert {"refresh": 1, "reuse": 0} == {k: v for k, v in lab.counters().items() if k.startswith("re")}
    tabs = [page, opened.value]
    generation = str(stored(page)["generation"])
    adopted = [f"adopted  generation {generation}" in tab.get_by_role("log").inner_text() for tab in tabs]
    assert [False, True] == sorted(adopted)
    names = [tab.locator("#this-tab").inner_text() for tab in tabs]
    assert names[0] != names[1]
    renewer = names[adopted.index(False)]
    for name, tab in zip(names, tabs, strict=True):
        session = tab.get_by_role("region", name="Session")
        expect(session.locator("#generation")).to_have_text(generation)
        expect(session).to_contain_text("this tab, " if name == renewer else f"tab {renewer}, ")
    opened.value.close()


def test_signing_out_is_seen_at_the_login(page):
    """Sign-out leads to the sign-in page, which looks whether a token was left."""
    card(page, "Sign out").get_by_role("button").click()

    expect(page.get_by_text("✓ As it should be: this browser holds no token any more.")).to_be_visible()
    assert stored(page) is None


def test_a_verdict_is_no_foregone_conclusion(page):
    """Where the lab doesn't do what it was asked for, the page says that it came out otherwise."""
    page.route("**/lab/expire", lambda route: route.fulfill(status=204))
    assert ["✗ The server refuses the token from now on"] == try_it(page, EXPIRE)
    expect(card(page, EXPIRE)).to_contain_text("Not as expected: The server answers 200.")
    assert ["✓ Every request is answered", "✗ One refresh at the server"] == try_it(
        page, "Slow refresh (2 s)"
    )[:2]
    page.unroute("**/lab/expire")


def test_one_experiment_at_a_time(page):
    """While one runs no other can begin, and afterwards the focus is where it was."""
    button = card(page, "Slow refresh (2 s)").get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")

    expect(card(page, "Send 1 request").get_by_role("button")).to_be_disabled()
    expect(card(page, "Slow refresh (2 s)").get_by_text("As expected: ")).to_be_visible()
    expect(card(page, "Send 1 request").get_by_role("button")).to_be_enabled()
    expect(button).to_be_focused()
