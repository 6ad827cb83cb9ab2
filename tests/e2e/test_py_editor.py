"""PyScript's editors: workers whose page has no Python, so that the journal keeps their session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.host_story import play
from tests.e2e.running_server import Lab

ADDRESS = "/editor.html"
CORE = "/static/vendor/pyscript-0.7.31/core.js"
CONFIGURATION = "/tests/e2e/page/worker.toml"
START = """
from asyncio import gather
from silent_refresh import Client, LocalStorage, NotSignedIn, SilentRefresh

auth = SilentRefresh(store=LocalStorage(), login=None)
client = Client("/api", auth=auth)

async def ask():
    try:
        return (await client.get("profile")).status
    except NotSignedIn as error:
        return type(error).__name__

print("started")
"""
EDITORS = {
    "start": START,
    "sign in": """
fields = {"username": "demo", "password": "demo-password"}
answer = await Client().post("/login", json=fields)
await auth.sign_in(await answer.json())
print("signed in")
""",
    "ask": "print(await gather(*[ask() for _ in range(5)]))",
    "sign out": """
await auth.sign_out()
print("signed out")
""",
}


def page_with_editors() -> str:
    """Return a page with an editor for each code, all of one environment, which is one worker."""
    configurations = [f'config="{CONFIGURATION}"', *[""] * (len(EDITORS) - 1)]
    scripts = [
        f'<script type="py-editor" env="session" {configuration}>{code}</script>'
        for configuration, code in zip(configurations, EDITORS.values(), strict=True)
    ]
    return f'<!doctype html><script type="module" src="{CORE}"></script><body>{"".join(scripts)}'


def serve(route: Route) -> None:
    """Answer with that page."""
    route.fulfill(body=page_with_editors(), content_type="text/html")


class Editors:
    """A page of editors in a tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.route(f"**{ADDRESS}", serve)
        self.open()

    def open(self) -> None:
        """Load the page, and run the first editor."""
        self.page.goto(ADDRESS)
        assert "started" == self.run("start")

    def run(self, editor: str) -> str:
        """Run an editor's code; return what it prints."""
        number = list(EDITORS).index(editor)
        button = self.page.get_by_role("button", name="Python Script Run Button").nth(number)
        button.click()
        output = self.page.locator(".py-editor-output").nth(number)
        expect(output).not_to_be_empty()
        return output.inner_text().strip()


@pytest.fixture
def context(browser: Browser, base_url: str, lab: Lab) -> Iterator[BrowserContext]:
    """Return a profile of the browser; storage empty."""
    with browser.new_context(base_url=base_url) as context:
        yield context


def test_an_editors_session(context: BrowserContext, lab: Lab) -> None:
    """It signs in, is renewed once, outlives the page, is another tab's too, and ends for both."""
    play(lambda: Editors(context.new_page()), Editors.open, lab)
