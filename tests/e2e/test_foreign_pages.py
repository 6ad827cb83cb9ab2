"""A page of another origin, in a real browser, at the lab of a server that runs on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Page

from tests.e2e.running_server import RunningServer

# Sent without asking the server whether they may be (https://fetch.spec.whatwg.org/#http-cors-protocol).
ATTACKS = {
    "no body": "url => { fetch(url, { method: 'POST', mode: 'no-cors' }).catch(() => null) }",
    "a text": "url => { fetch(url, { method: 'POST', mode: 'no-cors', body: '{}' }).catch(() => null) }",
    "a beacon": "url => navigator.sendBeacon(url)",
    "a form": """action => {
        const frame = Object.assign(document.createElement('iframe'), { name: 'sink' });
        const form = document.createElement('form');
        Object.assign(form, { method: 'POST', action, target: 'sink' });
        document.body.append(frame, form);
        form.submit();
    }""",
}

# What the engines call an answer that they withhold from a page, or from a frame of one.
WITHHELD = (
    "net::ERR_BLOCKED_BY_RESPONSE",
    "NS_ERROR_DOM_CORP_FAILED",
    "NS_ERROR_CSP_FRAME_ANCESTOR_VIOLATION",
)


class EmptyPage(BaseHTTPRequestHandler):
    """An empty page without any policy."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def foreign_page(page: Page) -> Iterator[Page]:
    """Return a page of this machine's, on another port: Chromium would ask the user about one from afar."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as foreign:
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{foreign.server_port}/")
        yield page
        foreign.shutdown()


@pytest.mark.needs("other sites in one tab")
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_foreign_page_throws_no_switch(foreign_page: Page, server: RunningServer, attack: str) -> None:
    """The server refuses what the browser sends, and the user's session goes on."""
    tokens = server.lab.sign_in()

    with foreign_page.expect_event("requestfailed") as failed:
        foreign_page.evaluate(ATTACKS[attack], f"{server.url}/lab/expire")

    headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
    assert 200 == httpx.get(f"{server.url}/api/profile", headers=headers, trust_env=False).status_code
    # It did arrive: what the browser withheld from the page is the answer.
    assert failed.value.failure.startswith(WITHHELD)
