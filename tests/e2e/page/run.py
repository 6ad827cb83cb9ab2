"""The test page's script: runs functions that the tests send, under the demo's own security policy.

The other end is ``tests/e2e/page_python.py``.
"""

import asyncio
import gc
import json
import linecache
import traceback

import js
from pyodide.ffi import create_proxy
from pyscript import RUNNING_IN_WORKER

import silent_refresh
from silent_refresh.engine.local_session import LocalSession
from silent_refresh.session.manager import SessionManager


async def run(source: str, filename: str, line: int, name: str, arguments: str, timeout: float) -> str:
    """Run the async function `name` of `source` and return ``{"value": …}`` or ``{"error": traceback}``.

    `arguments` is a JSON list; `timeout` is in seconds. Each run has a namespace of its own.
    """
    padded = "\n" * (line - 1) + source  # so that a traceback has the lines of the test's file
    linecache.cache[filename] = (len(padded), None, padded.splitlines(keepends=True), filename)
    namespace = {public: getattr(silent_refresh, public) for public in silent_refresh.__all__}
    try:
        exec(compile(padded, filename, "exec"), namespace)
        value = await asyncio.wait_for(namespace[name](*json.loads(arguments)), timeout)
        return json.dumps({"value": value})
    except BaseException:
        return json.dumps({"error": traceback.format_exc()})


async def tidy_up() -> None:
    """Close what the last test left open, and let it end what it writes: it hears nothing of the next one."""
    for thing in gc.get_objects():
        if isinstance(thing, LocalSession):  # it listens though its SilentRefresh was dropped
            thing.close()
    for manager in [thing for thing in gc.get_objects() if isinstance(thing, SessionManager)]:
        while manager._jobs:
            await asyncio.wait(manager._jobs)


if RUNNING_IN_WORKER:
    __export__ = ["run", "tidy_up"]  # what the page may call, as `xworker.sync.run` say
else:
    js.runPython = create_proxy(run)
    js.tidyUp = create_proxy(tidy_up)
    js.document.getElementById("ready").hidden = False
