"""Real servers, started when a test first needs one, and pages: the engine in CPython, or a real browser.

| fixture       | what                                                                        |
| ------------- | --------------------------------------------------------------------------- |
| `server_of`   | returns the running server of a preset; it lives as long as the tests do    |
| `open_page`   | opens a page, its engine in CPython, that uses a preset, right or wrong     |
| `page_python` | runs functions in a browser's page, as in tests/e2e                         |
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.conftest import (
    base_url,
    browser,
    browser_type_launch_args,
    page_python,
    server,
    session_server,
    shared_page,
)
from tests.interop.network import Network
from tests.interop.page import Page
from tests.interop.presets import Preset
from tests.interop.running import InteropServer

# Fixtures are found by their names here.
__all__ = [
    "base_url",
    "browser",
    "browser_type_launch_args",
    "page_python",
    "server",
    "session_server",
    "shared_page",
]

ServerOf = Callable[..., InteropServer]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server_of() -> Iterator[ServerOf]:
    """Return what starts a preset's server, or finds it running; options are of its command line."""
    running: dict[tuple[str, ...], InteropServer] = {}
    with ExitStack() as servers:

        def find(preset: Preset, *options: str) -> InteropServer:
            command = (preset.server, *options)
            if command not in running:
                running[command] = servers.enter_context(InteropServer(*command))
            return running[command]

        yield find


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Open pages at this folder's server: the arguments are made once, and may be those of tests/e2e."""
    return {**browser_context_args, "base_url": base_url}


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """Open connections, and a cookie jar, of the test's own."""
    network = Network()
    yield network
    await network.close()


@pytest.fixture
def open_page(server_of: ServerOf, network: Network) -> OpenPage:
    """Return what opens a page; its arguments are a preset and what a developer got wrong."""

    def open_page(preset: Preset, **wrong: Any) -> Page:
        return Page(preset, server_of(preset), network, **wrong)

    return open_page
