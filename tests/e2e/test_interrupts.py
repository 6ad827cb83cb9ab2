"""A keyboard interrupt strikes the page's Python, by Pyodide's interrupt buffer; row F9.

It is raised in whatever Python runs next: the library's, the event loop's, which loses a callback by it. One
request may end by it, or be lost; nobody else waits for ever, no lock stays held, the next request goes on.
"""

from __future__ import annotations

import pytest

from silent_refresh import Client, SilentRefresh, Tokens
from tests.e2e.page_session import PageSession, hold_redirects

# Python sets the interrupt back when it raises it.
BEGIN = """([number, delay]) => new Promise((resolve) => {
    window.struck = false;
    window.ended = 0;
    begin(number);
    const strike = () => { window.interrupts[0] = 2; window.struck = true; };
    const timer = delay !== null && setTimeout(strike, delay);
    const look = () => {
        if (ended < 3 && !(struck && !interrupts[0])) return setTimeout(look, 5);
        clearTimeout(timer); // else it would strike what comes next
        interrupts[0] = 0;
        disarm(); // what comes next is the test's own
        resolve();
    };
    look();
})"""


async def strike_where_answers_arrive():
    import asyncio
    from contextlib import asynccontextmanager

    from opened import auth

    from silent_refresh.browser.bridge import load_bridge
    from silent_refresh.browser.transport import Fetch

    struck = []

    class Struck(Fetch):
        def strike_once(self, ticket):
            if ticket not in struck:
                struck.append(ticket)
                raise KeyboardInterrupt

        def _answered(self, ticket, *answer):
            self.strike_once(ticket)
            super()._answered(ticket, *answer)

        def _done(self, ticket, *outcome):
            self.strike_once(ticket)
            super()._done(ticket, *outcome)

    paths = [f"items/{number}" for number in range(20)]

    async def get(number, client):
        async with client.stream("GET", paths[number]) if number % 2 else nothing() as response:
            response = response or await client.get(paths[number])
            return [response.status, int((await response.json())["item"])]

    @asynccontextmanager
    async def nothing():
        yield None

    platform = auth._session.platform._replace(transport=Struck(load_bridge()))
    client = Client("/api", auth=auth, platform=platform)
    told = await asyncio.gather(*(get(number, client) for number in range(20)))
    return [len(struck), told]


def test_f9_an_answer_is_not_lost(session):
    """It strikes when Python is to be told of one: then it is told once more, and of that one (F9)."""
    struck, told = session.python(strike_where_answers_arrive)

    assert [[200, number] for number in range(20)] == told
    assert 20 + 10 == struck  # a stream's body is read afterwards


async def strike_where_the_lock_is_freed():
    """Return whether the lock that a task had is free in the end; the task, and so its frames, are kept."""
    import asyncio
    import contextlib

    import js
    from opened import auth

    manager = contextlib._AsyncGeneratorContextManager
    plain = manager.__aexit__

    async def strike(self, *how):
        manager.__aexit__ = plain
        raise KeyboardInterrupt

    async def hold():
        manager.__aexit__ = strike
        async with auth._session._manager.lock(wait=10):
            pass

    task = asyncio.ensure_future(hold())
    await asyncio.wait({task})
    while (await js.navigator.locks.query()).held.length:  # noqa: ASYNC110  no event tells of it
        await asyncio.sleep(0.01)
    return type(task.exception()).__name__


def test_f9_no_lock_stays_held(session):
    """It strikes before what frees the lock has begun (F9)."""
    assert "KeyboardInterrupt" == session.python(strike_where_the_lock_is_freed, timeout=10)


async def prepare(tokens):
    """Leave what sends requests to JavaScript: what runs a test's functions here would be struck as well.

    ``begin(number)`` lets the event loop lose its callback of this number; with ``None`` none. A renewal is
    overdue after less than two seconds.
    """
    import asyncio
    import itertools
    import sys
    from types import SimpleNamespace

    import js
    import pyodide_js
    from pyodide.ffi import create_proxy

    from silent_refresh.engine import renewal

    renewal.LOCK_MARGIN = 0.1
    asked = sys.modules["asked"] = SimpleNamespace(tasks=[], auth=SilentRefresh(timeout=0.5, retries=0))
    await asked.auth.sign_in(tokens)
    client = Client("/api", auth=asked.auth)
    loop = asyncio.get_running_loop()
    plain = type(loop).call_later

    def begin(number):
        count = itertools.count(1)

        def call_later(delay, callback, *arguments, context=None):
            def strike(*arguments):
                if asked.is_armed and next(count) == number:
                    asked.is_armed, js.struck = False, True
                    raise KeyboardInterrupt
                callback(*arguments)

            return plain(loop, delay, strike, *arguments, context=context)

        loop.call_later = call_later
        asked.is_armed = True
        asked.tasks = [asyncio.ensure_future(ask(n)) for n in range(3)]

    async def ask(n):
        try:
            return await client.get(f"items/{n}", timeout=2)
        finally:
            js.ended += 1

    js.interrupts = js.Uint8Array.new(1)
    pyodide_js.setInterruptBuffer(js.interrupts)

    def disarm():
        asked.is_armed = False

    js.begin, js.disarm = create_proxy(begin), create_proxy(disarm)


async def ends():
    """Return what became of the requests, of two more, and of the locks; and whether a callback was lost."""
    import asyncio

    import asked
    import js

    auth, tasks = asked.auth, asked.tasks
    while sum(task.done() for task in tasks) < len(tasks) - 1:  # noqa: ASYNC110  its event might be lost
        await asyncio.sleep(0.01)
    client = Client("/api", auth=auth)

    def end_of(task):
        if not task.done():
            return "waits"
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        return task.result().status if error is None else type(error).__name__

    later = [asyncio.ensure_future(client.get(f"items/{n}")) for n in range(2)]
    await asyncio.wait(later)
    while (await js.navigator.locks.query()).held.length:  # noqa: ASYNC110  no event tells of it
        await asyncio.sleep(0.01)
    auth.close()
    return [[end_of(task) for task in tasks], [end_of(task) for task in later], js.struck]


GOES_ON = {200, "RefreshUnavailable", "RefreshRejected", "NotSignedIn"}


def test_f9_each_callback_in_turn_may_be_lost(fresh_page, lab):
    """The one that waited for it may be lost with it, the renewal too; that is written off then (F9)."""
    session = PageSession(fresh_page())
    hold_redirects(session.python)
    number, was_struck = 0, True
    while was_struck:
        number += 1
        session.python(prepare, lab.sign_in())
        lab.expire()
        session.page.evaluate(BEGIN, [number, None])
        struck, later, was_struck = session.python(ends)

        assert struck.count("waits") <= 1, number
        assert set(later) <= GOES_ON, number
    assert number > 5


def test_f9_an_interrupt_at_any_moment(fresh_page, lab):
    """Pyodide's own: in the library's Python, in the event loop's, or when an answer arrives (F9)."""
    session = PageSession(fresh_page())
    hold_redirects(session.python)
    for delay in (0, 8, 16, 24, 32):
        session.python(prepare, lab.sign_in())
        lab.expire()
        lab.refresh(delay=0.01)
        session.page.evaluate(BEGIN, [None, delay])
        struck, later, _ = session.python(ends)

        assert struck.count("waits") <= 1, delay
        assert set(later) <= GOES_ON, delay


async def strike_what_wakes(credentials):
    """Return what became of three requests, and of two more, for each place where an interrupt may strike.

    These are the ends of calls and the beginnings of functions: Python looks for one nowhere else. Not where
    a task begins to wait: what strikes there asyncio tells nobody of.
    """
    import asyncio
    import inspect
    import json
    import sys

    import js
    from pyodide.ffi import to_js

    from silent_refresh.browser import futures

    begins = {"Answer.__init__", "Answer.__await__", "Answer.add_done_callback"}
    kinds = [futures.Answer, futures.QueueFuture, futures.QueueFutures]
    functions = [each for kind in kinds for each in vars(kind).values() if inspect.isfunction(each)]
    monitoring, struck, places, client = sys.monitoring, [], {}, None
    tool, events = monitoring.DEBUGGER_ID, monitoring.events
    monitoring.use_tool_id(tool, "interrupts")

    def at(event):
        def came(code, offset, *_):
            place = code.co_qualname, event, offset
            places[place] = None
            if [place] == struck:
                struck.clear()
                raise KeyboardInterrupt

        return came

    async def post(path, content):
        options = {"method": "POST", "headers": {"Content-Type": "application/json"}}
        options["body"] = json.dumps(content)
        return await js.fetch(path, to_js(options, dict_converter=js.Object.fromEntries))

    async def ask(number):
        return (await client.get(f"items/{number}")).status

    async def ends(count):
        tasks = [asyncio.ensure_future(ask(number)) for number in range(count)]
        _, waiting = await asyncio.wait(tasks, timeout=30)
        for task in waiting:
            task.cancel()
        return ["waits" if task in waiting else type(task.exception()).__name__ for task in tasks]

    async def play(place):
        nonlocal client
        auth = SilentRefresh()
        client = Client("/api", auth=auth)
        await auth.sign_in((await (await post("/login", credentials)).json()).to_py())
        await post("/lab/expire", {})
        struck[:] = [place]
        told = await ends(3)
        struck.clear()
        later = await ends(2)
        auth.close()
        return told, later

    for event in ("PY_START", "C_RETURN", "PY_RETURN"):
        monitoring.register_callback(tool, getattr(events, event), at(event))
    for function in functions:
        if function.__qualname__ not in begins:
            watched = events.PY_START | events.CALL | events.PY_RETURN
            monitoring.set_local_events(tool, function.__code__, watched)
    stories = [[None, *await play(None)]]
    stories += [[place, *await play(place)] for place in list(places)]
    monitoring.free_tool_id(tool)
    return stories


def test_f9_an_interrupt_strikes_what_wakes(fresh_page, lab):
    """In the middle of another task, or as an answer comes: nobody waits, be it the one or the other (F9)."""
    session = PageSession(fresh_page())
    hold_redirects(session.python)
    credentials = {"username": "demo", "password": "demo-password"}
    stories = session.python(strike_what_wakes, credentials, timeout=120)

    assert len(stories) > 20
    assert [] == [story for story in stories if "waits" in (*story[1], *story[2])]
    assert {end for story in stories for end in story[2]} <= {"NoneType", *GOES_ON}


async def strike_in(place, tokens):
    """Send three requests, and let the interrupt strike once, in a function of the page's; then two more."""
    import asyncio

    import js
    import pyodide_js

    from silent_refresh import MemoryStorage
    from silent_refresh.http.challenges import refuses_token

    js.interrupts = js.Uint8Array.new(1)
    pyodide_js.setInterruptBuffer(js.interrupts)
    armed, struck = [], []

    def may_be_struck(name):
        if name in armed:
            armed.clear()
            struck.append(name)
            js.interrupts[0] = 2
            while js.interrupts[0]:  # Python sets it back when it raises it
                pass

    async def refresh(tokens):
        may_be_struck("refresh")
        response = await Client().post("/refresh", json={"refreshToken": tokens.refresh_token})
        answer = await response.json()
        return Tokens(answer["accessToken"], answer["refreshToken"])

    def is_refused(response):
        may_be_struck("is_refused")
        return refuses_token(response)

    async def intercept(request, send):
        may_be_struck("interceptor")
        return await send(request)

    class Store(MemoryStorage):
        def set(self, key, text):
            may_be_struck("store")
            super().set(key, text)

    options = {"refresh": refresh} if place == "refresh" else {}
    if place == "login":
        tokens["refreshToken"] = "refused as well"
    auth = SilentRefresh(
        login=lambda event: may_be_struck("login"), is_refused=is_refused, store=Store(), **options
    )
    auth.listen(lambda event: may_be_struck("listener") if event.name == "sent" else None)
    client = Client("/api", auth=auth, interceptors=[intercept])
    try:
        await auth.sign_in({**tokens, "accessToken": "refused"})
        armed.append(place)

        async def outcome(path):
            try:
                return (await client.get(path)).status
            except BaseException as error:
                return type(error).__name__

        first = await asyncio.gather(*(outcome(f"items/{number}") for number in range(3)))
        return [struck, first, await asyncio.gather(*(outcome("profile") for _ in range(2)))]
    finally:
        auth.close()


@pytest.mark.parametrize(
    ("place", "ends"),
    [
        ("refresh", {"RefreshUnavailable", 200}),
        ("is_refused", {"KeyboardInterrupt", 200}),
        ("login", {"RefreshRejected"}),
        ("interceptor", {"KeyboardInterrupt", 200}),
        ("listener", {200}),
        ("store", {"RefreshUnavailable", 200}),
    ],
)
def test_f9_an_interrupt_in_a_function_of_the_pages(page_python, lab, place, ends):
    """The request that ran it ends by it, or those that waited for it are told; the next ones go on (F9)."""
    struck, first, later = page_python(strike_in, place, lab.sign_in())

    assert [place] == struck
    assert set(first) <= ends
    assert first.count("KeyboardInterrupt") <= 1
    assert later == (["NotSignedIn"] * 2 if place == "login" else [200, 200])
