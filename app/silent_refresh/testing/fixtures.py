"""Fixtures for pytest: ``pytest_plugins = ["silent_refresh.testing.fixtures"]`` in conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .page import FakePage
from .server import FakeServer


@pytest.fixture
def fake_server() -> FakeServer:
    """Return a server in memory."""
    return FakeServer()


@pytest.fixture
def fake_page(fake_server: FakeServer) -> Iterator[FakePage]:
    """Return a page of that server, at ``/``: what the test makes meanwhile is this page's."""
    with fake_server.page() as page:
        yield page
