"""The demo's timeline in the real page: drawn, told to whoever points, told to whoever can't see it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from silent_refresh.engine.limiter import MOST_OVER_HTTP1
from tests.e2e.demo_page import open_dashboard, open_table, stored, try_it

EXPIRE = "Expire the access token"
RENEWED = re.compile(
    r"#\d+ GET /api/items/\d+: refused after \d+ ms, (waited \d+ ms, )?"
    r"sent again \(\d+ ms\), answered 200 after \d+ ms in all"
)
# Notes in order how those who wait are drawn each time, and null for whatever is a reason to draw: an event,
# which is told in the log, another size, the pointer.
WATCH = """() => {
    const box = document.getElementById("picture");
    const waiting = box.querySelector('path[data-kind="waiting"]');
    const seen = (window.seen = []);
    const note = (records) => {
        for (const { type } of records) seen.push(type === "attributes" ? waiting.getAttribute("d") : null);
    };
    const observer = new MutationObserver(note);
    observer.observe(document.getElementById("log"), { childList: true });
    observer.observe(waiting, { attributeFilter: ["d"] });
    const noteReason = () => {
        note(observer.takeRecords());
        seen.push(null);
    };
    new ResizeObserver(noteReason).observe(box);
    for (const type of ["pointermove", "pointerleave"]) box.addEventListener(type, noteReason);
}"""


@pytest.fixture
def page(dashboard: Page) -> Page:
    """Use the dashboard, which has a new picture for each experiment."""
    return dashboard


@pytest.fixture
def renewed(page: Page) -> Page:
    """Let twenty requests meet an expired token."""
    try_it(page, EXPIRE)
    try_it(page, "Send 20 at once")
    return page


def picture(page: Page):
    """Find the picture."""
    return page.get_by_role("group", name="What happens")


def drawn(page: Page, kind: str) -> int:
    """Return how many shapes of a kind the picture has."""
    d = page.locator(f'path[data-kind="{kind}"]').get_attribute("d") or ""
    return d.count("M")


@pytest.mark.needs("a window as wide as a test wants it")  # where it's narrow, lanes have numbers
def test_each_request_is_a_lane(renewed):
    """Twenty lanes are refused, sent again and answered, across one refresh."""
    expect(renewed.get_by_text("requests: 20, refreshes: 1")).to_be_visible()
    # The picture may be painted a moment after the verdict.
    answered = renewed.locator('path[data-kind="answered"]')
    expect(answered).to_have_attribute("d", re.compile("^([^M]*M){20}[^M]*$"))

    assert [20, 20, 20, 1] == [
        drawn(renewed, kind) for kind in ("refused", "replayed", "answered", "refresh")
    ]
    assert 0 == drawn(renewed, "failed")
    expect(picture(renewed).get_by_text("/api/items/20", exact=False)).to_have_count(1)


def test_the_keyboard_goes_from_lane_to_lane(renewed):
    """Arrow keys, Home and End tell one lane after the other what became of it."""
    picture(renewed).focus()
    told = renewed.locator("#picture-detail")
    for key, lane in (("ArrowDown", 1), ("ArrowDown", 2), ("End", 20), ("ArrowUp", 19), ("Home", 1)):
        renewed.keyboard.press(key)
        expect(told).to_contain_text(f"GET /api/items/{lane}:")

    expect(told).to_have_text(RENEWED)


def test_pointing_at_a_lane_tells_of_it(renewed):
    """The pointer finds the lane that it is over, and nothing is told once it has left."""
    picture(renewed).hover(position={"x": 300, "y": 90})
    told = renewed.locator("#picture-detail")
    expect(told).to_have_text(RENEWED)
    renewed.mouse.move(1, 1)

    expect(told).to_be_empty()


def test_the_same_is_in_a_table(renewed):
    """Whoever can't see the picture reads the same: a row for each request, and one for the refresh."""
    open_table(renewed)
    rows = renewed.get_by_role("table").first.get_by_role("row")

    expect(rows).to_have_count(1 + 20 + 1)
    expect(rows.filter(has_text="Refresh (calls: 1)")).to_contain_text(
        f"new tokens, generation {stored(renewed)['generation']}"
    )
    last = rows.filter(has=renewed.get_by_role("rowheader").filter(has_text=re.compile(r"/items/20$")))
    expect(last).to_have_text(re.compile(r"#\d+ GET /api/items/20\d+ ms\d+ ms\d+ ms\d+ ms200"))


def test_earlier_episodes_can_be_looked_at(renewed):
    """Each experiment has a picture of its own, and one can go back."""
    try_it(renewed, "Send 1 request")
    expect(renewed.get_by_text("requests: 1, refreshes: 0")).to_be_visible()
    renewed.get_by_role("button", name="Earlier").click()
    expect(renewed.get_by_text("requests: 20, refreshes: 1")).to_be_visible()
    assert 20 == drawn(renewed, "refused")
    renewed.get_by_role("button", name="Later").click()

    expect(renewed.get_by_text("requests: 1, refreshes: 0")).to_be_visible()
    expect(renewed.get_by_role("button", name="Later")).to_be_disabled()


def test_two_hundred_lanes_cost_as_little_as_one(page):
    """The picture has the same few elements for 200 requests: there's no element for each."""
    try_it(page, "Send 1 request")
    one = picture(page).locator("path").count()
    try_it(page, EXPIRE)
    try_it(page, "Send 200 at once")
    expect(page.get_by_text("requests: 200, refreshes: 1")).to_be_visible()

    assert 200 == drawn(page, "answered")
    assert MOST_OVER_HTTP1 == drawn(page, "replayed")  # the others waited for the new token before they left
    assert one == picture(page).locator("path").count()
    assert picture(page).locator("text").count() < 20


def grown(page: Page) -> int:
    """Let twenty requests wait; return how often their lanes grew in the picture though nothing happened."""
    page.evaluate(WATCH)
    try_it(page, "Slow refresh (2 s)")
    seen = page.evaluate("() => window.seen")
    assert any(seen)  # some waited while it was drawn
    return sum(bool(before and after and before != after) for before, after in pairwise(seen))


@pytest.mark.needs("a user's preferences, set by a test")
def test_who_wants_less_motion_gets_less(browser, lab):
    """While requests wait the picture grows with the time, or stands still for whoever asked for that."""
    with browser.new_context(base_url=lab.url) as context:
        page = context.new_page()
        page.emulate_media(reduced_motion="reduce")
        open_dashboard(page, lab)

        assert 0 == grown(page)
        page.emulate_media(reduced_motion="no-preference")
        assert 0 < grown(page)


def test_the_card_never_shows_an_old_generation(page, lab):
    """As soon as the refresh is told, the session card has its generation, its tokens and its life."""
    lab.access_ttl(900)  # half as long as before
    try_it(page, EXPIRE)
    try_it(page, "Send 20 at once")
    session = page.get_by_role("region", name="Session")

    expect(session.locator("#generation")).to_have_text(str(stored(page)["generation"]))
    expect(session).to_contain_text("this tab, ")
    expect(session).to_contain_text("of 900 s")
    expect(session.get_by_text(re.compile(r"^(900|[78]\d\d) s$"))).to_be_visible()
