"""What the server's tests share: a fresh site for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.site import Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server with its defaults and the lab."""
    async with Site(tmp_path) as site:
        yield site
