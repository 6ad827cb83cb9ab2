"""Lets time pass by itself, as in tests/unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.world.loop import VirtualLoop


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Run coroutine tests on virtual time."""
    return {"virtual": VirtualLoop}
