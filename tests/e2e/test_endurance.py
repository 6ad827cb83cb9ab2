"""Ten thousand requests of one page, a token that ends every two hundred: nothing is lost, nothing grows."""

from __future__ import annotations

import pytest

from silent_refresh import Client, SilentRefresh
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab

ROUNDS = 50
REQUESTS = 200  # a round
WARM_UP = 5  # rounds, after which caches are full
PAGE_GROWTH = 1024 * 1024  # bytes of the page's JavaScript heap that may come and go


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
        "Python objects": len(gc.get_objects()),
        "tasks": len(asyncio.all_tasks()),
        "WASM heap, bytes": module.HEAPU8.length,
    }


def js_heap(page: PagePython) -> int:
    """Return the bytes of the JavaScript heap in use, garbage collected."""
    session = page.page.context.new_cdp_session(page.page)
    session.send("HeapProfiler.collectGarbage")
    used: int = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


def test_ten_thousand_requests_leave_nothing_behind(
    page_python: PagePython, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """Live references, tasks and both heaps are in the end what they were after the warm-up."""
    page_python(sign_in, lab.sign_in())
    lost: list[int] = []
    for number in range(ROUNDS):
        lab.expire()
        lost += page_python(send_round, REQUESTS, timeout=60)
        if number == WARM_UP - 1:
            before, heap_before = page_python(measure), js_heap(page_python)
    after, heap_after = page_python(measure), js_heap(page_python)

    with capsys.disabled():
        print(f"\nafter {ROUNDS * REQUESTS} requests and {lab.counters()['refresh']} refreshes:")
        for what in before:
            print(f"  {what}: {before[what]} → {after[what]}")
        print(f"  JavaScript heap, bytes: {heap_before} → {heap_after}")
    assert [] == lost
    assert ROUNDS == lab.counters()["refresh"]
    assert before["live references to JavaScript"] == after["live references to JavaScript"]
    assert before["tasks"] == after["tasks"]
    assert before["WASM heap, bytes"] == after["WASM heap, bytes"]
    assert heap_after - heap_before < PAGE_GROWTH
