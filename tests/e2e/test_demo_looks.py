"""The demo for everybody: screen readers, keyboards, two themes, two languages, small screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import open_dashboard, sign_in, try_it

AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()
# What axe finds, as short as it can be read in a failing test.
FIND = """async () => {
    const { violations } = await axe.run();
    const tell = (id, node) => `${id}: ${node.target} ${node.failureSummary}`;
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => tell(id, node)));
}"""
SCHEMES = ["light", "dark"]
CHINESE = "简体中文"


@pytest.fixture
def page(warm_page: Page) -> Page:
    """Use a page that starts quickly."""
    return warm_page


def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is."""
    page.evaluate(AXE)  # not as a script of the page, which the page's policy would not run
    return page.evaluate(FIND)


def used(page: Page, lab) -> None:
    """Open the dashboard and let it show all that it has."""
    open_dashboard(page, lab)
    try_it(page, "Expire the access token")
    try_it(page, "Send 20 at once")
    page.get_by_text("The same as a table").click()
    page.get_by_role("group", name="What happens").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#picture-detail")).not_to_be_empty()


def expect_no_sideways_scrolling(page: Page) -> None:
    """Everything fits into the width of the screen."""
    wide, room = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert room == wide


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_at_the_login(page, scheme):
    """The sign-in page has no fault that a machine can find."""
    page.emulate_media(color_scheme=scheme)
    page.goto("/login?reason=rejected")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()

    assert [] == faults(page)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_on_the_dashboard(page, lab, scheme):
    """Nor has the dashboard, with a picture, a table and verdicts in it."""
    page.emulate_media(color_scheme=scheme)
    used(page, lab)

    assert [] == faults(page)


def test_axe_would_find_a_fault(page):
    """The check of the page is one: a button without a name is found."""
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")

    assert any("button-name" in fault for fault in faults(page))


def test_the_login_speaks_chinese(page):
    """The language is chosen, kept over a reload, and told to screen readers."""
    page.goto("/login")
    page.get_by_label("Language").select_option(CHINESE)

    expect(page.get_by_role("heading", name="无感刷新", exact=True)).to_be_visible()
    assert "zh-CN" == page.locator("html").get_attribute("lang")
    page.reload()
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    expect(page).to_have_title("无感刷新")
    page.get_by_label("语言").select_option("English")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_dashboard_speaks_chinese(page, lab):
    """What was said already is said again in the other language: figures, verdicts, picture and table."""
    used(page, lab)
    page.get_by_label("Language").select_option(CHINESE)

    expect(page.get_by_role("button", name="使访问令牌过期")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("20 个请求中 20 个得到应答")
    expect(page.locator("#facts-send-20")).to_contain_text("符合预期：")
    expect(page.locator("#picture-detail")).to_contain_text("应答 200")
    expect(page.get_by_role("rowheader", name="刷新，调用 1 次")).to_be_visible()
    expect(page.get_by_role("region", name="会话")).to_contain_text("本标签页，")
    assert [] == faults(page)


def test_a_chinese_browser_gets_chinese(browser, base_url):
    """Whoever has not chosen gets the browser's language."""
    with browser.new_context(base_url=base_url, locale="zh-CN") as context:
        page = context.new_page()
        page.goto("/login")

        expect(page.get_by_role("button", name="登录")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("width", [320, 390, 768, 1920])
def test_nothing_scrolls_sideways(page, lab, width):
    """From the smallest phone to a wide screen, both views fit."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect_no_sideways_scrolling(page)
    used(page, lab)

    expect_no_sideways_scrolling(page)


def test_everything_can_be_reached_by_keyboard(page):
    """From the language on, Tab leads through the page to the last experiment, and each place is seen."""
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    sign_in(page)
    expect(page.get_by_role("button", name="Send 1 request")).to_be_visible()
    page.get_by_label("Language").focus()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => [document.activeElement.id,
                    getComputedStyle(document.activeElement).outlineStyle !== "none"]"""
            )
        )

    ids = [id for id, _ in reached]
    for id in ("picture", "send-1", "send-200", "expire", "second-tab", "load-profile"):
        assert id in ids, id
    assert all(is_seen for id, is_seen in reached if id)
