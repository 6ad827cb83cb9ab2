"""Take the README's pictures from the demo page, as it is, in a real browser.

    make screenshots

They go into docs/images/. The times in them are this machine's.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browsers.launch import CHROMIUM_ARGUMENTS
from tests.e2e.demo_page import sign_in, try_it
from tests.e2e.patience import MILLISECONDS
from tests.e2e.running_server import RunningServer
from tools.browser import find_browser

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SCREEN = {"width": 1280, "height": 1290}
QUIET = 1500  # ms until the next requests have a picture of their own


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        RunningServer(Path(data)) as server,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=find_browser("chromium").path, args=CHROMIUM_ARGUMENTS)
        for scheme in ("light", "dark"):
            page = open_demo(browser, server.url, scheme, SCREEN)
            storm(page)
            take(page, f"demo-{scheme}.png")
            compare(page, scheme)
        browser.close()
    shrink()


def open_demo(browser: Browser, url: str, scheme: str, size: dict[str, int]) -> Page:
    """Sign in, and wait until the page has come to rest."""
    page = browser.new_page(base_url=url, color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    page.goto("/login")
    sign_in(page)
    page.get_by_role("button", name="Send 1 request").wait_for()
    page.wait_for_timeout(QUIET)
    return page


def storm(page: Page) -> None:
    """Let twenty requests meet an expired token, and look at one of them."""
    try_it(page, "Let the token expire, then send 20 requests")
    page.evaluate("() => scrollTo(0, 0)")
    page.get_by_role("group", name="What happens").hover(position={"x": 300, "y": 95})
    page.locator("#picture-detail:not(:empty)").wait_for()


def compare(page: Page, scheme: str) -> None:
    """Run the storm that tells the recipe from the library, and take its table."""
    region = page.get_by_role("region", name="Compare")
    region.get_by_label("The server refuses the refresh token").check()
    region.get_by_role("button", name="Run both").click()
    page.locator("#compare-verdict:not(:empty)").wait_for(timeout=MILLISECONDS)
    page.evaluate(
        "() => { document.querySelector('#status').textContent = ''; document.activeElement.blur(); }"
    )
    region.screenshot(path=IMAGES / f"compare-{scheme}.png")


def take(page: Page, name: str) -> None:
    """Write a picture of what the screen shows."""
    page.screenshot(path=IMAGES / name, animations="disabled")


def shrink() -> None:
    """Make the pictures smaller, where there's a tool for it: 256 colours are enough for them."""
    if tool := shutil.which("pngquant"):
        subprocess.run([tool, "--force", "--ext=.png", "--speed=1", *IMAGES.glob("*.png")], check=True)


if __name__ == "__main__":
    main()
