"""Tokens that come in the API's answers (devise_token_auth): whatever the page sends with, all are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from silent_refresh import (
    Client,
    MemoryStorage,
    RefreshEndpoint,
    RequestsAuth,
    SilentRefresh,
    Tokens,
    install,
)
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython


class Devise:
    """Each answer brings another token, and the one before is over."""

    def __init__(self) -> None:
        self.token = "token-0"
        self.statuses: list[int] = []

    def answer(self, route):
        """Answer for the API."""
        is_good = route.request.headers.get("access-token") == self.token
        self.statuses.append(200 if is_good else 401)
        if is_good:
            self.token = f"token-{len(self.statuses)}"
        headers = {"Access-Token": self.token} if is_good else {}
        route.fulfill(status=self.statuses[-1], headers=headers, json={})


async def send_by_each(first):
    import js
    import requests
    from pyodide.ffi import can_run_sync, create_proxy
    from pyodide.http import pyfetch

    endpoint = RefreshEndpoint(
        "/devise/check", method="GET", header="access-token", next_token="access-token"
    )
    auth = SilentRefresh(endpoint, login=None, store=MemoryStorage())
    client = Client("/devise", auth=auth)
    await auth.sign_in(Tokens(first, first))
    whole = js.URL.new("/devise/x", js.location.href).href
    undo = install(auth)
    try:
        ends = []
        for _ in range(2):
            ends.append((await client.get("x")).status)
            ends.append((await js.fetch("/devise/x")).status)
            ends.append((await pyfetch("/devise/x")).status)
            ends.append(requests.get(whole, auth=RequestsAuth(auth)).status_code)  # noqa: ASYNC210

        def handler(url, *_):  # which can't wait for anything
            assert not can_run_sync()
            for _ in range(2):
                ends.append(requests.get(url, auth=RequestsAuth(auth)).status_code)

        proxy = create_proxy(handler)
        js.Array.of(whole).forEach(proxy)
        proxy.destroy()
        ends.append((await client.get("x")).status)
        return [ends, auth.tokens.access_token]
    finally:
        undo()
        auth.close()


@pytest.fixture(scope="module")
def page_with_requests(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Load a page that can import requests."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        give_packages(page)
        yield page


@pytest.mark.needs("synchronous requests answered by a test")
def test_every_way_keeps_the_next_token(page_with_requests: PagePython) -> None:
    """None is refused, none is sent twice."""
    devise = Devise()
    page_with_requests.page.route("**/devise/*", devise.answer)

    ends, token = page_with_requests(send_by_each, "token-0")

    assert [[200] * 11, devise.token] == [ends, token]
    assert [200] * 11 == devise.statuses
