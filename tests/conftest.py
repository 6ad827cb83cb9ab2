"""Puts the tests in order: those with a browser come last."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.browsers.report"]

BROWSER_FIXTURES = {"page", "shared_page"}
WITHOUT_BROWSER = {"unit", "engine"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps a loop running, and asyncio's tests can't start theirs."""

    def needs_browser(item: pytest.Item) -> bool:
        asks = bool(BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())))
        if asks and WITHOUT_BROWSER & set(item.path.parts):
            raise pytest.UsageError(
                f"{item.nodeid} asks for a browser's page; name its own fixture otherwise"
            )
        return asks or "e2e" in item.path.parts

    items.sort(key=needs_browser)
