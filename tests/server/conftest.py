"""What the server's tests share: a fresh site for each test, and a server process for each file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.running import Running
from tests.server.sender import Sender
from tests.server.site import Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server with its defaults and the lab."""
    async with Site(tmp_path) as site:
        yield site


@pytest.fixture
def sender(site: Site) -> Sender:
    """Somebody with a key."""
    return Sender(site)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a lab and no grace. It must end well and have had nothing to complain about."""
    running = Running(tmp_path_factory.mktemp("server"), "--lab", "--grace", "0")
    try:
        yield running
    finally:
        code, output, errors = running.stop()
    assert (0, "") == (code, output)
    assert {"WARNING:  Invalid HTTP request received."} >= set(errors.splitlines())


@pytest.fixture
async def http(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running server, which starts from its defaults."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        await client.post("/lab/reset", json={})
        yield client
