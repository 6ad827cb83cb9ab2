"""Several tabs of one browser: pages of one context, each with a session of the same user.

with open_pages(browser, base_url, 4) as pages:
    tabs = signed_in_tabs(pages, lab)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from tests.e2e.page_python import PagePython, Running
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

TIMEOUT = 2  # s, the deadline of a refresh in each tab
PATIENT = 20  # s, one that no test machine is too slow for
NEVER = {"delay": 30, "drop": True}  # a refresh that gets no answer within that, and rotates nothing


async def until_signed_in():
    from asyncio import Event

    from opened import auth

    came = Event()
    stop = auth.listen(lambda event: event.name == "signed-in" and came.set())
    if not auth.signed_in:
        await came.wait()
    stop()


def open_page(context: BrowserContext) -> PagePython:
    """Open one more tab."""
    page = PagePython(context.new_page())
    page.open()
    return page


@contextmanager
def open_pages(
    browser: Browser, base_url: str, count: int, *, init_script: str = ""
) -> Iterator[list[PagePython]]:
    """Open tabs in a context of their own; `init_script` runs in each before anything else."""
    with browser.new_context(base_url=base_url) as context:
        context.add_init_script(init_script)
        yield [open_page(context) for _ in range(count)]


def signed_in_tabs(pages: Sequence[PagePython], lab: Lab) -> list[PageSession]:
    """Forget what was before, and sign the demo user in."""
    for page in reversed(pages):  # each lets go of the storage, before the first one empties it
        page.page.evaluate("() => window.tidyUp()")
    pages[0].forget()
    tabs = [PageSession(page) for page in pages]
    open_all(tabs, lab.sign_in())
    return tabs


def open_all(
    tabs: Sequence[PageSession], tokens: dict[str, Any] | None = None, *, timeout: float = TIMEOUT
) -> None:
    """Make an `auth` in each tab, sign in with the first, and wait until all the others know."""
    for tab in tabs:
        tab.open(tokens, timeout=timeout)
        tokens = None
    for tab in tabs:
        tab.python(until_signed_in)


def renewing(tab: PageSession, lab: Lab) -> Running:
    """Expire the token and have the tab ask for its profile; return when its refresh is under way."""
    lab.expire()
    with tab.page.expect_request("**/refresh"):
        return tab.start(["GET", "profile", {}])
