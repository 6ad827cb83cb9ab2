"""Puts the tests in order: those with a browser come last."""

from __future__ import annotations

import pytest

BROWSER_FIXTURES = {"page", "shared_page"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps a loop running, and asyncio's tests can't start theirs."""

    def needs_browser(item: pytest.Item) -> bool:
        return "e2e" in item.path.parts or bool(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())))

    items.sort(key=needs_browser)
