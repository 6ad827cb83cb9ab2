"""The Python clients that are measured, and the library: functions that run in the page.

Each is sent there as source, as ``tests/e2e/page_python.py`` says, and sees what it imports itself.
"""

from __future__ import annotations

from typing import Any

from silent_refresh import Client, MemoryStorage, SilentRefresh, Tokens, install


async def make_clients(tokens: dict[str, Any], packages: str) -> None:
    """Sign in, and keep one function per client in the module ``bench``, where the others find them."""
    import sys
    from types import SimpleNamespace

    import pyodide_http
    import pyscript
    from pyodide.http import pyfetch

    await (await pyfetch(packages)).unpack_archive(extract_dir="/packages", format="zip")
    sys.path.append("/packages")
    import requests

    auth = SilentRefresh(login=None)
    await auth.sign_in(tokens)
    client = Client(auth=auth)

    async def silent_refresh(url):
        return await (await client.get(url)).json()

    async def by_pyfetch(url):
        return await (await pyfetch(url)).json()

    async def by_pyscript(url):
        return await (await pyscript.fetch(url)).json()

    async def by_requests(url):
        return session.get(origin + url).json()  # it takes no path alone

    pyodide_http.patch_requests()
    origin = pyscript.window.location.origin
    session = requests.Session()
    sys.modules["bench"] = SimpleNamespace(
        auth=auth,
        client=client,
        clients={
            "silent-refresh": silent_refresh,
            "pyfetch": by_pyfetch,
            "pyscript.fetch": by_pyscript,
            "requests": by_requests,
        },
    )


async def make_client(tokens: dict[str, Any] | None) -> None:
    """Keep the library's own function alone, signed in or not."""
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(login=None)
    if tokens is not None:
        await auth.sign_in(tokens)
    client = Client(auth=auth)

    async def silent_refresh(url):
        return await (await client.get(url)).json()

    sys.modules["bench"] = SimpleNamespace(auth=auth, clients={"silent-refresh": silent_refresh})


async def add_signing() -> None:
    """Sign in with tokens that are bound to a key, and keep a function that proves each of its requests."""
    import bench
    from silent_refresh import LocalStorage, RefreshEndpoint

    bench.signed = SilentRefresh(
        RefreshEndpoint("/refresh", dpop=True), login=None, store=LocalStorage(key="signed")
    )
    fields = {"username": "demo", "password": "demo-password"}
    answer = await Client().post("/login", json=fields, auth=bench.signed.proving)
    await bench.signed.sign_in(await answer.json())
    client = Client(auth=bench.signed)

    async def silent_refresh_signed(url):
        return await (await client.get(url)).json()

    bench.clients["silent-refresh, signed"] = silent_refresh_signed


async def in_turn(name: str, url: str, count: int) -> float:
    """Return the milliseconds that ``count`` requests take, one after the other."""
    from time import perf_counter

    from bench import clients

    get = clients[name]
    start = perf_counter()
    for _ in range(count):
        await get(url)
    return (perf_counter() - start) * 1000


async def at_once(urls: list[str], begin: float | None) -> list[float]:
    """Return the milliseconds until as many requests at once are settled, and how many were answered.

    They are sent at ``begin``, in ms since 1970, or at once.
    """
    from asyncio import gather, sleep
    from time import perf_counter, time

    from bench import clients

    get = clients["silent-refresh"]
    if begin is not None:
        await sleep(begin / 1000 - time())
    start = perf_counter()
    ends = await gather(*map(get, urls), return_exceptions=True)
    taken = (perf_counter() - start) * 1000
    return [taken, sum(not isinstance(end, Exception) for end in ends)]


async def queue(waiters: int, rounds: int, are_requests: bool) -> float:
    """Return the milliseconds that ``rounds`` renewals take while so many requests each wait for one.

    Every round: a renewal is under way, the requests join its queue, it ends, all are sent and answered; the
    last answer is the end. It can be tasks that do nothing instead: what the event loop alone costs.
    """
    import asyncio
    import gc
    from time import perf_counter

    flown: asyncio.Future[Tokens]

    async def renew(tokens):
        return await flown

    async def do_nothing():
        pass

    async def end_of(work):
        await work
        return perf_counter()

    auth = SilentRefresh(renew, login=None, store=MemoryStorage(), timeout=300)
    await auth.sign_in(Tokens("first", "refresh"))
    client = Client(auth=auth)
    loop = asyncio.get_running_loop()
    gc.collect()
    taken = 0.0
    for number in range(rounds):
        flown = loop.create_future()
        renewal = asyncio.ensure_future(end_of(auth.refresh()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        start = perf_counter()
        tasks = [
            loop.create_task(end_of(client.get("/api/items/7") if are_requests else do_nothing()))
            for _ in range(waiters)
        ]
        await asyncio.sleep(0)  # all tasks were started before this one goes on
        flown.set_result(Tokens(f"token-{number}", "refresh"))
        taken += max([await renewal, *[await task for task in tasks]]) - start
    auth.close()
    return taken * 1000


async def import_bare() -> float:
    """Return the milliseconds that importing ``asyncio`` and ``json`` takes, compiled."""
    import importlib
    import sys
    from time import perf_counter

    mine = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("asyncio", "json")}
    for name in mine:
        del sys.modules[name]
    importlib.invalidate_caches()
    start = perf_counter()
    import asyncio
    import json

    taken = (perf_counter() - start) * 1000
    assert asyncio not in mine.values()
    assert json not in mine.values()
    sys.modules.update(mine)
    return taken


async def import_again(from_source: bool) -> float:
    """Return the milliseconds that a page's import takes, from its archive or from source."""
    import importlib
    import sys
    import zipfile
    from time import perf_counter

    mine = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "silent_refresh"}
    archive, _, _ = mine["silent_refresh"].__file__.partition(".zip/")
    folder = "/from_source"
    with zipfile.ZipFile(f"{archive}.zip") as packed:
        names = [name for name in packed.namelist() if name.startswith("silent_refresh/")]
        packed.extractall(folder, [name for name in names if name.endswith(".py")])
    for name in mine:
        del sys.modules[name]
    path, sys.dont_write_bytecode = list(sys.path), True
    if from_source:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    start = perf_counter()
    import silent_refresh
    from silent_refresh import Client, SilentRefresh  # noqa: F401

    taken = (perf_counter() - start) * 1000
    assert from_source == silent_refresh.__file__.startswith(folder)
    sys.path[:] = path
    for name in [name for name in sys.modules if name.split(".")[0] == "silent_refresh"]:
        del sys.modules[name]
    sys.modules.update(mine)
    return taken


async def install_on_page(is_signed: bool) -> None:
    """Put the library's fetch in the place of the page's."""
    import bench

    bench.undo = install(bench.signed if is_signed else bench.auth)


async def uninstall() -> None:
    """Give the page its own fetch back."""
    import bench

    bench.undo()


async def count_references() -> list[int]:
    """Return the live references to JavaScript, and the Python proxies that JavaScript holds."""
    import gc

    import pyodide_js

    gc.collect()
    module = pyodide_js._module
    return [module._hiwire_num_refs(), module.pyproxy_alloc_map.size]


async def trace_proxies(wanted: bool) -> None:
    """Let Pyodide keep account of its proxies, or stop that: it costs time."""
    import pyodide_js

    module = pyodide_js._module
    module.pyproxy_alloc_map.clear()
    if wanted:
        module.enable_pyproxy_allocation_tracing()
    else:
        module.disable_pyproxy_allocation_tracing()


async def sign_in(tokens: dict[str, Any]) -> None:
    """Sign in anew."""
    from bench import auth

    await auth.sign_in(tokens)


async def wait_for_token(access_token: str) -> None:
    """Return once this tab has the token, which another one may have been given."""
    import asyncio

    from bench import auth

    has_it = asyncio.Event()

    def look(event=None):
        if auth.tokens is not None and auth.tokens.access_token == access_token:
            has_it.set()

    stop = auth.listen(look)
    look()
    await has_it.wait()
    stop()
