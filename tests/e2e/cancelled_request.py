"""Cancels a request while the browser has it under way, in a page or in a worker of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Request

# What the engines call a request that the page gave up.
ABORTED = {"net::ERR_ABORTED", "NS_BINDING_ABORTED", "Load request cancelled"}


async def send_one():
    from asyncio import create_task

    import opened

    opened.task = create_task(opened.client.get("profile"))


async def cancel_it():
    from asyncio import gather

    import opened

    opened.task.cancel()
    (end,) = await gather(opened.task, return_exceptions=True)
    return type(end).__name__


def cancelled_request(page: Page, python: Callable[..., Any], *, times: int = 1) -> Request:
    """Return the request that was cancelled once it had left so many times, as the browser saw it fail."""
    left: list[Request] = []

    def has_left(request: Request) -> bool:
        left.extend([request] * request.url.endswith("/api/profile"))
        return len(left) == times

    with page.expect_event("requestfailed") as failed:
        with page.expect_request(has_left):
            python(send_one)
        assert "CancelledError" == python(cancel_it)
    return failed.value
