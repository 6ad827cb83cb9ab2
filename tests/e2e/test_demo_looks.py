"""The demo for everybody: screen readers, keyboards, two themes, two languages, small screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.demo_page import send_by_all, show_all, sign_in, steal

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# What axe finds, as short as it can be read in a failing test.
FIND = """async () => {
    const { violations } = await axe.run();
    const tell = (id, node) => `${id}: ${node.target} ${node.failureSummary}`;
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => tell(id, node)));
}"""
WIDTHS = (320, 390, 768, 1280, 1920)  # px
SCHEMES = ("light", "dark")
CHINESE = "简体中文"


def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is."""
    page.evaluate(AXE.read_text())  # not as a script of the page, which the page's policy would not run
    return page.evaluate(FIND)


def expect_no_sideways_scrolling(page: Page, width: int) -> None:
    """Everything fits into a screen of so many pixels."""
    page.set_viewport_size({"width": width, "height": 800})
    wide, room, whole = page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth, innerWidth]"
    )
    assert width == whole
    assert room == wide  # Firefox has a bar beside it


@pytest.mark.needs("long messages to a page")
def test_axe_finds_nothing_at_the_login(page):
    """The sign-in page has no fault that a machine can find, in either theme."""
    page.goto("/login?reason=rejected")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert [] == faults(page), scheme


@pytest.mark.needs("long messages to a page")
def test_axe_finds_nothing_on_the_dashboard(dashboard):
    """Nor has the dashboard, with a picture, a table and verdicts in it."""
    show_all(dashboard)
    send_by_all(dashboard)
    steal(dashboard)

    for scheme in SCHEMES:
        dashboard.emulate_media(color_scheme=scheme)
        assert [] == faults(dashboard), scheme


@pytest.mark.needs("long messages to a page")
def test_axe_would_find_a_fault(dashboard):
    """The check of the page is one: a button without a name is found."""
    dashboard.evaluate("() => document.querySelector('main').append(document.createElement('button'))")

    assert any("button-name" in fault for fault in faults(dashboard))
    dashboard.evaluate("() => document.querySelector('main').lastElementChild.remove()")


def test_the_login_speaks_chinese(page):
    """The language is chosen, kept over a reload, and told to screen readers."""
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_label("Language").select_option(CHINESE)

    expect(page.get_by_role("heading", name="无感刷新", exact=True)).to_be_visible()
    assert "zh-CN" == page.locator("html").get_attribute("lang")
    page.reload()
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    expect(page).to_have_title("无感刷新")
    page.get_by_label("语言").select_option("English")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.needs("long messages to a page")  # axe
def test_the_dashboard_speaks_chinese(dashboard):
    """What was said already is said again in the other language: figures, verdicts, picture and table."""
    page = dashboard
    show_all(page)
    page.get_by_label("Language").select_option(CHINESE)

    expect(page.get_by_role("button", name="使访问令牌过期")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("20 个请求中 20 个得到应答")
    expect(page.locator("#facts-send-20")).to_contain_text("符合预期：")
    expect(page.locator("#picture-detail")).to_contain_text("应答 200")
    expect(page.get_by_role("rowheader", name="刷新，调用 1 次")).to_be_visible()
    expect(page.get_by_role("region", name="会话")).to_contain_text("本标签页，")
    assert [] == faults(page)
    page.get_by_label("语言").select_option("English")
    expect(page.get_by_role("status")).to_contain_text("20 of 20 answered")


def test_the_theft_is_told_in_chinese(dashboard):
    """Its figures, and what they mean, in the language that is chosen afterwards."""
    page = dashboard
    steal(page)
    page.get_by_label("Language").select_option(CHINESE)

    region = page.get_by_role("region", name="窃取令牌")
    expect(region.get_by_role("row", name="用刷新令牌换取新令牌")).to_contain_text("400，被拒绝")
    expect(region).to_contain_text("却无法使用。")
    expect(page.get_by_role("status")).to_contain_text("却无法使用。")
    page.get_by_label("语言").select_option("English")


@pytest.mark.needs("stack switching")  # else requests can't wait
def test_the_ways_in_are_told_in_chinese(dashboard):
    """In the language that is chosen afterwards."""
    page = dashboard
    send_by_all(page)
    page.get_by_label("Language").select_option(CHINESE)

    region = page.get_by_role("region", name="每一种入口")
    expect(region.get_by_role("row", name="worker 中的 Client")).to_contain_text("200")
    expect(region).to_contain_text("五种入口，五个应答，一次刷新。")
    expect(page.get_by_role("status")).to_contain_text("一次刷新。")
    page.get_by_label("语言").select_option("English")


@pytest.mark.needs("a browser in another language")
def test_a_chinese_browser_gets_chinese(browser, base_url):
    """Whoever has not chosen gets the browser's language."""
    with browser.new_context(base_url=base_url, locale="zh-CN") as context:
        page = context.new_page()
        page.goto("/login")

        expect(page.get_by_role("button", name="登录")).to_be_visible()


@pytest.mark.needs("a window as wide as a test wants it")
def test_the_login_fits(page):
    """From the smallest phone to a wide screen nothing scrolls sideways at the sign-in."""
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    for width in WIDTHS:
        expect_no_sideways_scrolling(page, width)


@pytest.mark.needs("a window as wide as a test wants it")
def test_the_dashboard_fits(dashboard):
    """Nor on the dashboard, with a picture, a table and verdicts in it."""
    show_all(dashboard)
    send_by_all(dashboard)
    steal(dashboard)
    for width in WIDTHS:
        expect_no_sideways_scrolling(dashboard, width)
    dashboard.set_viewport_size({"width": 1280, "height": 720})


@pytest.mark.needs("a Tab key that leads on")
def test_everything_can_be_reached_by_keyboard(page):
    """From the language on, Tab leads through the page to the last experiment, and each place is seen."""
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    sign_in(page)
    expect(page.get_by_role("button", name="Send 1 request")).to_be_visible()
    page.get_by_label("Language").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")  # there by the keyboard
    reached: list[tuple[str, bool]] = []
    for _ in range(60):
        id, is_seen, is_in_the_page = page.evaluate(
            """() => [document.activeElement.id,
                getComputedStyle(document.activeElement).outlineStyle !== "none",
                document.activeElement !== document.body]"""
        )
        if not is_in_the_page or [(id, is_seen)] == reached[:1]:
            break  # once round
        reached.append((id, is_seen))
        page.keyboard.press("Tab")

    ids = [id for id, _ in reached]
    assert {"run-ways", "run-theft"} <= set(ids)
    for id in ("unnoticed", "picture", "send-1", "send-200", "expire", "second-tab", "load-profile"):
        assert id in ids, id
    assert all(is_seen for id, is_seen in reached if id)
