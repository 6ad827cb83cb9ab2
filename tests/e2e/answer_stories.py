"""Stories of a task that waits for a request; each runs in the page and returns what came of it.

``test_answer.py`` has each told with the library's ``Answer`` and with an asyncio Future: all end alike.
"""

from __future__ import annotations

import pytest

from silent_refresh import NetworkError


async def a_result():
    import asyncio

    from opened import client

    task = asyncio.current_task()
    response = await client.get("items/7")
    same = asyncio.current_task() is task and asyncio.get_running_loop() is task.get_loop()
    return [response.status, int((await response.json())["item"]), same]


async def an_error():
    from opened import client

    try:
        await client.get("http://127.0.0.1:9/")
    except NetworkError as error:
        return [type(error).__name__, error.__cause__ is None]


async def context_variables():
    import asyncio
    from contextvars import ContextVar

    from opened import client

    name = ContextVar("name", default="nobody")

    async def visit(who):
        name.set(who)
        await client.get("items/1")
        seen = name.get()
        name.set(who.upper())
        await client.get("items/2")
        return [seen, name.get()]

    return [*await asyncio.gather(visit("ann"), visit("bob")), name.get()]


async def a_cancelled_task():
    import asyncio

    from opened import client

    seen = []

    async def visit():
        try:
            await client.get("items/1")
        except asyncio.CancelledError as error:
            seen.append([*error.args, asyncio.current_task().cancelling()])
            raise

    task = asyncio.create_task(visit())
    await asyncio.sleep(0)
    accepted = task.cancel("enough")
    (end,) = await asyncio.gather(task, return_exceptions=True)
    return [accepted, seen, task.cancelled(), type(end).__name__, (await client.get("items/1")).status]


async def cancelled_before_it_waits():
    import asyncio

    from opened import client

    async def visit():
        asyncio.current_task().cancel()
        await client.get("items/1")

    task = asyncio.create_task(visit())
    await asyncio.wait([task])
    return task.cancelled()


async def a_cancellation_that_is_refused():
    import asyncio

    from opened import client

    async def visit():
        try:
            await client.get("items/1")
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        return (await client.get("items/2")).status

    task = asyncio.create_task(visit())
    await asyncio.sleep(0)
    task.cancel()
    return await task


async def a_deadline():
    import asyncio

    from opened import client

    ends = []
    for limit in (asyncio.timeout(0), asyncio.timeout(60)):
        try:
            async with limit:
                ends.append((await client.get("items/1")).status)
        except TimeoutError:
            ends.append("TimeoutError")
    return [*ends, (await asyncio.wait_for(client.get("items/2"), 60)).status]


async def a_group_in_which_one_fails():
    import asyncio

    from opened import client

    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += [group.create_task(client.get("items/1")) for _ in range(3)]
            tasks.append(group.create_task(client.get("items/1", json=[])))  # a GET has no body
    except ExceptionGroup as errors:
        return [len(errors.exceptions), tasks[3].cancelled(), all(task.done() for task in tasks)]


async def a_shield():
    import asyncio

    from opened import client

    inner = asyncio.ensure_future(client.get("items/1"))

    async def visit():
        await asyncio.shield(inner)

    outer = asyncio.create_task(visit())
    await asyncio.sleep(0)
    outer.cancel()
    await asyncio.wait([outer])
    return [outer.cancelled(), (await inner).status]


async def run_sync_afterwards():
    from opened import client
    from pyodide.ffi import can_run_sync, run_sync

    before = can_run_sync()
    await client.get("items/1")
    return [before, can_run_sync(), run_sync(client.get("items/2")).status]


async def another_task_in_mid_run():
    import asyncio

    from opened import client
    from pyodide.ffi import run_sync

    seen = []

    async def in_the_middle(number):
        own = asyncio.current_task()
        status = run_sync(client.get(f"items/{number}")).status
        seen.append([status, asyncio.current_task() is own])

    async def beside(number):
        own = asyncio.current_task()
        for _ in range(5):
            status = (await client.get(f"items/{number}")).status
            seen.append([status, asyncio.current_task() is own])

    await asyncio.gather(in_the_middle(1), beside(2), in_the_middle(3), beside(4))
    return [len(seen), all(entry == [200, True] for entry in seen)]


async def an_abandoned_generator():
    import asyncio
    import gc

    from opened import client

    closed = asyncio.Event()

    async def count():
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    async def visit():
        await client.get("items/1")
        async for _ in count():
            break

    await visit()
    gc.collect()
    await closed.wait()  # the loop's hooks close it
    return closed.is_set()


async def an_error_that_nobody_awaits():
    import asyncio
    import gc

    from opened import client

    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    seen = []

    def note(loop, context):
        seen.append(repr(context["exception"]))
        told.set()

    async def visit():
        await client.get("items/1")
        raise LookupError("nobody")

    loop.set_exception_handler(note)
    task = asyncio.ensure_future(visit())
    await asyncio.wait([task])
    del task
    gc.collect()
    await told.wait()
    loop.set_exception_handler(None)
    return seen[:1]


async def the_page_going_down():
    import asyncio

    from opened import client

    loop = asyncio.get_running_loop()
    seen = asyncio.Queue()
    before, loop._system_exit_handler = loop._system_exit_handler, seen.put_nowait

    async def visit():
        await client.get("items/1")
        raise SystemExit(3)

    task = asyncio.ensure_future(visit())
    code = await seen.get()
    loop._system_exit_handler = before
    return [code, type(task.exception()).__name__]


async def an_eager_task():
    import asyncio

    from opened import client

    async def visit():
        response = await client.get("items/1")
        return [response.status, asyncio.current_task() is task]

    task = asyncio.Task(visit(), loop=asyncio.get_running_loop(), eager_start=True)
    return await task


WAITS = pytest.mark.needs("stack switching")
STORIES = [
    (a_result, [200, 7, True]),
    (an_error, ["NetworkError", True]),
    (context_variables, [["ann", "ANN"], ["bob", "BOB"], "nobody"]),
    (a_cancelled_task, [True, [["enough", 1]], True, "CancelledError", 200]),
    (cancelled_before_it_waits, True),
    (a_cancellation_that_is_refused, 200),
    (a_deadline, ["TimeoutError", 200, 200]),
    (a_group_in_which_one_fails, [1, False, True]),
    (a_shield, [True, 200]),
    pytest.param(run_sync_afterwards, [True, True, 200], marks=WAITS),
    pytest.param(another_task_in_mid_run, [12, True], marks=WAITS),
    (an_abandoned_generator, True),
    (an_error_that_nobody_awaits, ["LookupError('nobody')"]),
    (the_page_going_down, [3, "SystemExit"]),
    (an_eager_task, [200, True]),
]
