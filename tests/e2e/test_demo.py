"""The demo page as its user meets it: sign in, stay signed in, be signed out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import open_dashboard, sign_in, stored


def status(page: Page):
    """Find the line that says what the last click did."""
    return page.get_by_role("status")


def click(page: Page, name: str, told: str) -> None:
    """Click a button and wait until the page says what came of it."""
    page.get_by_role("button", name=name).click()
    expect(status(page)).to_contain_text(told)


def click_until(page: Page, name: str, told: str, meanwhile: str) -> None:
    """Click a button again and again, as somebody does whom the page tells to try again."""
    for _ in range(200):
        page.get_by_role("button", name=name).click()
        expect(status(page)).to_contain_text(re.compile(f"{told}|{meanwhile}"))
        if told in status(page).inner_text():
            return
    raise AssertionError(status(page).inner_text())


@pytest.fixture
def page(warm_page: Page) -> Iterator[Page]:
    """Use a page that starts quickly; whatever a test did to its network is undone for the next one."""
    yield warm_page
    warm_page.context.set_offline(False)


@pytest.fixture
def signed_in(page: Page, lab) -> Page:
    """Open the dashboard as the demo user, whose tokens the library adopts (F30)."""
    open_dashboard(page, lab)
    return page


def test_a_wrong_password_is_told(page, lab):
    """A wrong password is told, sent once, and costs neither a refresh nor the form (F72, F74)."""
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.goto("/login?next=%2F%3Fpage%3D2")
    sign_in(page, "a-guess")

    expect(status(page)).to_have_text("The user name or the password is wrong.")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value("")
    assert 1 == len(posts)
    assert 0 == lab.counters()["refresh"]
    assert page.url.endswith("/login?next=%2F%3Fpage%3D2")


def test_signing_in_leads_to_the_dashboard(page):
    """With the password that the page tells: tokens in localStorage, the profile on the page."""
    page.goto("/login")
    expect(page.get_by_text("demo-password", exact=True)).to_be_visible()
    sign_in(page)

    expect(page.get_by_text("demo@example.org")).to_be_visible()
    expect(page).to_have_url(re.compile("/$"))
    assert {"access_token", "refresh_token"} <= stored(page).keys()


def test_the_first_request_is_in_the_log(signed_in):
    """The page's first request leaves before there is a log; it is told there all the same, once."""
    lines = signed_in.get_by_role("log").get_by_text("GET /api/profile")

    expect(lines).to_have_text([re.compile("sent"), re.compile("answered 200")])


def test_tokens_are_shown_masked(signed_in):
    """The session card shows the tokens' last characters only, and the life that is left."""
    record = stored(signed_in)
    text = signed_in.get_by_role("region", name="Session").inner_text()

    assert record["access_token"] not in text
    assert record["refresh_token"] not in text
    assert f"… {record['access_token'][-6:]}" in text
    assert re.search(r"\d+ s\s+of 1800 s", text)


def test_the_end_of_the_session_is_known(signed_in, lab):
    """Wherever its user signed in, the page tells until when the refresh token lives: the server says so."""
    end = signed_in.locator("#refresh-life")
    # Two: midnight may have passed since the sign-in.
    days = signed_in.evaluate(
        """() => [-1, 0].map((minutes) => new Date(Date.now() + 7 * 86_400_000 + minutes * 60_000)
            .toLocaleDateString("en", { dateStyle: "medium" }))"""
    )

    expect(end).to_contain_text(re.compile("|".join(days)))
    lab.revoke()
    click(signed_in, "Load the profile again", "The profile is loaded.")
    expect(end).to_have_text("it has ended")


@pytest.mark.every_engine("the demo")
def test_an_expired_token_goes_unnoticed(signed_in, lab):
    """After the access token expired, the next click just works, for one refresh at the server."""
    before = stored(signed_in)
    click(signed_in, "Expire the access token", "has expired")
    click(signed_in, "Load the profile again", "The profile is loaded.")

    assert 1 == lab.counters()["refresh"]
    after = stored(signed_in)
    assert before["access_token"] != after["access_token"]
    assert before["refresh_token"] != after["refresh_token"]
    expect(signed_in.get_by_role("log")).to_contain_text("refresh-done")
    expect(signed_in.get_by_role("log")).to_contain_text("replayed  GET /api/profile")


def test_a_note_is_added_once_with_an_expired_token(signed_in, lab):
    """A POST that the expired token held up is replayed, and arrives once (F44)."""
    click(signed_in, "Expire the access token", "has expired")
    signed_in.get_by_label("New note").fill("Buy milk <b>today</b>")
    click(signed_in, "Add the note", "The note is added.")

    expect(signed_in.get_by_role("list", name="Notes").get_by_text("Buy milk <b>today</b>")).to_have_count(1)
    assert 1 == lab.counters()["refresh"]


def test_whoever_is_signed_in_needs_no_form(signed_in):
    """The session outlives the page, and the sign-in page sends its user on."""
    signed_in.goto("/login")

    expect(signed_in.get_by_text("demo@example.org")).to_be_visible()


@pytest.mark.every_engine("the demo")
def test_a_revoked_session_ends_at_the_login_and_comes_back(signed_in, lab):
    """A refused refresh token ends at the sign-in page, which leads back to where the user was."""
    signed_in.goto("/?page=2")
    click(signed_in, "Revoke the refresh token", "is revoked")
    click(signed_in, "Expire the access token", "has expired")
    signed_in.get_by_role("button", name="Load the profile again").click()

    expect(signed_in.get_by_text("The server ended your session.")).to_be_visible()
    assert "/login?next=%2F%3Fpage%3D2" in signed_in.url
    assert stored(signed_in) is None
    assert 1 == lab.counters()["refresh"]
    sign_in(signed_in)
    expect(signed_in.get_by_text("demo@example.org")).to_be_visible()
    assert signed_in.url.endswith("/?page=2")


def test_whoever_is_not_signed_in_is_sent_to_the_login(page, lab):
    """The dashboard of nobody is the sign-in page, without a refresh call (F13)."""
    page.goto("/?page=3")

    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert "/login?next=%2F%3Fpage%3D3" in page.url
    assert 0 == lab.counters()["refresh"]


def test_a_link_to_the_login_leads_nowhere_else(page, base_url):
    """``?next=`` leads to a path of this origin, or to the start (F78)."""
    page.goto("/login?" + urlencode({"next": "/\\evil.example"}))
    sign_in(page)

    expect(page.get_by_text("demo@example.org")).to_be_visible()
    assert f"{base_url}/" == page.url


def test_signing_out(signed_in):
    """Sign-out clears the tokens and leads to the sign-in page."""
    signed_in.get_by_role("button", name="Sign out").click()

    expect(signed_in.get_by_text("You are signed out.")).to_be_visible()
    assert stored(signed_in) is None


@pytest.mark.needs("a way to take the network away")
def test_a_server_that_is_down_is_told_and_nothing_is_lost(signed_in):
    """Without a connection the page says so, the tokens stay, and the next click works again."""
    signed_in.context.set_offline(True)
    click(signed_in, "Load the profile again", "got no answer")
    signed_in.context.set_offline(False)
    click(signed_in, "Load the profile again", "The profile is loaded.")

    assert stored(signed_in) is not None


@pytest.mark.needs("a way to take the network away")
def test_offline_without_a_good_token_nothing_is_lost(signed_in, lab):
    """When the token runs out while the browser is offline: no login, no token lost, and it goes on after."""
    lab.access_ttl(1)
    click(signed_in, "Expire the access token", "has expired")
    click(signed_in, "Load the profile again", "The profile is loaded.")
    before = stored(signed_in)
    expect(signed_in.locator("#seconds-left")).to_have_text("0 s")
    lab.reset()
    signed_in.context.set_offline(True)
    click(signed_in, "Load the profile again", "got no answer")

    assert before == stored(signed_in)
    assert signed_in.url.rstrip("/") == lab.url
    signed_in.context.set_offline(False)
    click_until(signed_in, "Load the profile again", "The profile is loaded.", "try again")
    assert 1 == lab.counters()["refresh"]
    assert before["id"] == stored(signed_in)["id"]
    assert before["generation"] + 1 == stored(signed_in)["generation"]


def test_without_a_lab_its_buttons_are_hidden(page):
    """A server that wasn't started with --lab gets no buttons that could not work."""
    page.route("**/lab/counters", lambda route: route.fulfill(status=404))
    page.goto("/login")
    sign_in(page)
    expect(page.get_by_role("heading", name="Session")).to_be_visible()
    click(page, "Load the profile again", "The profile is loaded.")

    expect(page.get_by_role("button", name=re.compile("expire", re.IGNORECASE))).to_have_count(0)


@pytest.mark.needs("a Tab key that leads on")
def test_the_keyboard_is_enough(page):
    """Sign-in and the dashboard work without a mouse, and the focus stays where it was."""
    page.goto("/login")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("demo")
    page.keyboard.press("Tab")
    page.keyboard.type("demo-password")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Load the profile again")
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")

    expect(status(page)).to_contain_text("The profile is loaded.")
    expect(button).to_be_focused()
