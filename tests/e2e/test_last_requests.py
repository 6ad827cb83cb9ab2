"""What a page sends in its last moment: with `keepalive`, and without a turn of the event loop in between."""

from __future__ import annotations

import pytest

from silent_refresh import MemoryStorage, RefreshEndpoint, Request, SilentRefresh
from tests.e2e.page_session import PageSession


async def send_when_the_page_goes():
    import asyncio

    import js
    from opened import auth, client
    from pyodide.ffi import create_proxy

    loop = asyncio.get_running_loop()

    def send(event):
        draft = Request("POST", "/api/notes", body='{"text": "a draft"}', options={"keepalive": True})
        draft = draft.with_header("Content-Type", "application/json").with_header("X-Request-ID", "draft")
        asyncio.Task(auth(draft, client._platform.transport), loop=loop, eager_start=True)

    js.addEventListener("pagehide", create_proxy(send))


def test_f62_a_keepalive_request_leaves_with_the_page(fresh_page, lab):
    """Its token has ended by the clock: who waits for a new one is never sent (F62)."""
    session = PageSession(fresh_page())
    session.open({**lab.sign_in(), "expiresIn": 0.001})
    session.let_go()
    session.python(send_when_the_page_goes)

    session.page.goto("/static/icon.svg")

    for _ in range(1000):
        if "draft" in lab.requests():
            break
        session.page.wait_for_timeout(20)
    assert 1 == lab.requests()["draft"]
    assert 0 == lab.counters()["refresh"]


async def renew_by_the_cookie():
    body = {"refreshToken": "what this server wants there"}
    endpoint = RefreshEndpoint.cookie("/refresh", encoding="json", fields=body)
    await SilentRefresh(endpoint, store=MemoryStorage()).refresh()


ANSWER = '{"accessToken": "new", "expiresIn": 60}'


@pytest.mark.every_engine("keepalive")
def test_a_renewal_by_a_cookie_outlives_its_page(fresh_page, lab):
    """The browser takes the next cookie: the last, sent again, is a thief's to a strict server (F17)."""
    page_python = fresh_page()
    page = page_python.page
    lab.refresh(delay=2, status=200, body=ANSWER, headers={"Set-Cookie": "next=it; Path=/"})
    page_python.start(renew_by_the_cookie)
    while 0 == lab.counters()["refresh"]:
        page.wait_for_timeout(20)

    page.goto("/static/icon.svg")

    page.wait_for_function("() => document.cookie.includes('next=it')")
    assert 1 == lab.counters()["refresh"]
