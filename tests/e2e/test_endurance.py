"""Thousands of requests of one page, a token that ends every two hundred: nothing is lost, nothing grows.

``SOAK=1`` sends ten thousand; what one request leaves behind shows after fewer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from silent_refresh import Client, SilentRefresh
from tests.browsers.features import DEVTOOLS
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab

ROUNDS = 50 if os.environ.get("SOAK") else 20
REQUESTS = 200  # a round
WARM_UP = 5  # rounds, after which caches are full
PAGE_GROWTH = 1024 * 1024  # bytes of the page's JavaScript heap that may come and go


async def count_proxies(wanted):
    import pyodide_js

    module = pyodide_js._module
    if wanted:
        module.enable_pyproxy_allocation_tracing()
    else:
        module.disable_pyproxy_allocation_tracing()
        module.pyproxy_alloc_map.clear()


async def sign_in(tokens):
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(login=None)
    await auth.sign_in(tokens)
    sys.modules["enduring"] = SimpleNamespace(client=Client("/api", auth=auth), auth=auth)


async def send_round(count):
    from asyncio import gather

    from enduring import client

    answers = [(await client.get("items/0")).status]
    for _ in range(count // 40):
        answers += [r.status for r in await gather(*(client.get(f"items/{n}") for n in range(40)))]
    return [status for status in answers[: count + 1] if status != 200]


async def measure():
    import asyncio
    import gc

    import pyodide_js

    gc.collect()
    module = pyodide_js._module
    return {
        "live references to JavaScript": module._hiwire_num_refs(),
        "Python proxies held by JavaScript": module.pyproxy_alloc_map.size,
        "Python objects": len(gc.get_objects()),
        "tasks": len(asyncio.all_tasks()),
        "WASM heap, bytes": module.HEAPU8.length,
    }


def measure_page(page: PagePython, lacking: set[str]) -> dict[str, int]:
    """Return the listeners of the page and the bytes of its JavaScript heap in use, garbage collected."""
    if DEVTOOLS in lacking:
        return {}
    session = page.page.context.new_cdp_session(page.page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return {"listeners": metrics["JSEventListeners"], "JavaScript heap, bytes": used}


@pytest.fixture
def counted_page(page_python: PagePython) -> Iterator[PagePython]:
    """Return the shared page, in which Pyodide keeps account of the proxies that JavaScript holds."""
    page_python(count_proxies, True)
    yield page_python
    page_python(count_proxies, False)


def test_thousands_of_requests_leave_nothing_behind(
    counted_page: PagePython, lab: Lab, lacking: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Live references both ways, listeners, tasks and both heaps end as they were after the warm-up."""
    counted_page(sign_in, lab.sign_in())
    lost: list[int] = []
    for number in range(ROUNDS):
        lab.expire()
        lost += counted_page(send_round, REQUESTS)
        if number == WARM_UP - 1:  # the page first: what it collects may hold proxies
            before = measure_page(counted_page, lacking) | counted_page(measure)
    after = measure_page(counted_page, lacking) | counted_page(measure)

    with capsys.disabled():
        print(f"\nafter {ROUNDS * REQUESTS} requests and {lab.counters()['refresh']} refreshes:")
        for what in before:
            print(f"  {what}: {before[what]} → {after[what]}")
    assert [] == lost
    assert ROUNDS == lab.counters()["refresh"]
    same = [
        "live references to JavaScript",
        "Python proxies held by JavaScript",
        "tasks",
        "WASM heap, bytes",
    ]
    if DEVTOOLS not in lacking:  # nothing else tells of these
        same.append("listeners")
        assert after["JavaScript heap, bytes"] - before["JavaScript heap, bytes"] < PAGE_GROWTH
    for what in same:
        assert before[what] == after[what], what
