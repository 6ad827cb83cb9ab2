"""Gives each test a world of its own, on a loop whose time passes by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from silent_refresh import Client, SilentRefresh
from tests.world.browser import Browser, Tab
from tests.world.loop import VirtualLoop
from tests.world.provider import Provider
from tests.world.server import Server


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Run coroutine tests on virtual time."""
    return {"virtual": VirtualLoop}


@pytest.fixture
def server() -> Server:
    """Return the server."""
    return Server()


@pytest.fixture
def browser(server: Server) -> Browser:
    """Return the browser."""
    return Browser(server)


@pytest.fixture
def tab(browser: Browser) -> Tab:
    """Return a page that shows ``/orders?page=2``."""
    return browser.open("/orders?page=2")


@pytest.fixture
async def auth(tab: Tab) -> SilentRefresh:
    """Return a page's auth, nobody signed in."""
    return tab.sign()[0]


@pytest.fixture
async def client(auth: SilentRefresh, server: Server) -> Client:
    """Return a client for which ``ada`` is signed in."""
    await auth.sign_in(server.sign_in())
    return Client("/api", auth=auth)


@pytest.fixture
def provider(server: Server) -> Provider:
    """Return an OAuth provider, at the server."""
    return Provider(server)
