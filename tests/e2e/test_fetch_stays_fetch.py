"""``fetch`` stays fetch under ``install()``: each kind of call, the browser's own beside the library's.

The kinds are in ``page/fetch_calls.js``. The browser's own fetch is called in a page that doesn't have the
library; there the access token is put on each request on its way out of the browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from silent_refresh import SilentRefresh, Tokens, install
from tests.browsers.features import REASONS, REASONS_KEPT_ALIVE, STREAMS
from tests.e2e.page_python import ADDRESS, PagePython
from tests.e2e.running_server import RunningServer

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "javascript.md"
EMPTY_PAGE = "<!doctype html><body>"
OBSERVE = """async (state) => {
    const { observeAll } = await import("/tests/e2e/page/fetch_calls.js");
    window.seen = JSON.stringify(await observeAll(window.fetch, window.before?.[state]));
    return window.seen.length;
}"""
PART = 32_000  # characters: WebKit's inspector ends with an answer of more than 128 KiB
# What comes before each call, by the state that it finds.
BEFORE = """async () => {
    const ask = window.fetch;
    window.before = {
        refused: async () => {
            const expired = await ask("/lab/expire", {
                method: "POST", body: "{}", headers: { "Content-Type": "application/json" },
            });
            if (!expired.ok) throw new Error(expired.status);
        },
        ended: () => window.endToken(),
    };
}"""

Seen = dict[str, Any]

SIGNED_IN = ("good", "refused", "ended", "down", "listening")
WAITING = ("ended", "down", "listening", "signed out")
STATES = (*SIGNED_IN, "signed out")
REFRESHES = {**dict.fromkeys(STATES, 0), "refused": 200, "ended": 200, "down": 2}  # at the least
# What differs, in which states, and why that is so.
NO_TOKEN = "no token goes with it: the browser would drop it, and hide the answer", SIGNED_IN
LISTED = {
    'mode: "no-cors"': NO_TOKEN,
    "a Request for no-cors": NO_TOKEN,
    "a rejection for bad arguments comes at once": (
        "one microtask later: what carries a token is looked at before its caller has it",
        ("good", "refused"),
    ),
    "this is something else": ("it is called as a function, whatever `this` is: more is let through", STATES),
}
LISTED_OF_STREAMS = {
    "a stream's source ends with an abort, in a Request": (
        "it is told two reasons: a Request may hold a stream, nobody can see that, and so a copy is kept",
        ("good", "refused"),
    ),
    "a stream is locked at once": (
        "it is locked when it's sent, not while it waits for a token",
        WAITING,
    ),
}
# Where the browser takes a stream for a text, which says that it is one.
TAKEN_FOR_ONE = "it is taken for a stream, which is sent once", ("refused",)
LISTED_OF_TEXTS = {
    "a stream for no-cors": NO_TOKEN,
    "a stream without duplex": TAKEN_FOR_ONE,
    "a stream that is kept alive": TAKEN_FOR_ONE,
    "a locked stream": TAKEN_FOR_ONE,
    "a stream that was read": TAKEN_FOR_ONE,
}
# Where the browser refuses one, when it sends it.
ENDED_BEFORE = "it ends while it waits for a token, and isn't sent", WAITING
LISTED_OF_REFUSALS = dict.fromkeys(
    (
        "a stream is locked at once",
        "a stream's source ends with an abort",
        "a stream's source ends with an abort, in a Request",
    ),
    ENDED_BEFORE,
)
# Where the browser forgets why a call was aborted.
TOLD_WHY = "what waits for a token tells the reason of its abort, as the standard has it", WAITING
LISTED_OF_REASONS = dict.fromkeys(
    (
        "a Request of a Request, and a signal",
        "a Request, and a signal",
        "aborted at once",
        "aborted at once, in a Request",
        "aborted at once, with a text",
        "aborted at once, with an error",
        "aborted at once, with null",
    ),
    TOLD_WHY,
)
# Where the browser does its own with what is kept alive: by chance it is the same here.
KEPT_ALIVE = {
    "two bodies near it",
    "kept alive, and aborted at once",
    "a Request that is kept alive, aborted at once",
}


async def open_session(tokens):
    import sys
    from types import SimpleNamespace

    import js
    from pyodide.ffi import create_proxy

    auth = SilentRefresh(login=None, timeout=5)
    await auth.sign_in(tokens)

    async def end_token():
        old = auth.tokens
        await auth.sign_in(Tokens(old.access_token, old.refresh_token, expires_in=1e-6))
        # At the first look it hasn't ended yet where the clock goes in milliseconds; there are ten a second.
        while auth._session.access().credential is not None:
            pass

    js.window.endToken = create_proxy(end_token)
    sys.modules["wrapped"] = SimpleNamespace(auth=auth, undo=install(auth), end_token=end_token)


async def enter(state):
    from wrapped import auth, end_token

    if state == "listening":
        auth.listen(lambda event: None)
    elif state == "down":
        await end_token()
    elif state == "signed out":
        await auth.sign_out()


async def leave():
    from wrapped import auth, undo

    undo()
    auth.close()


@contextmanager
def page_of(browser: Browser, server: RunningServer) -> Iterator[Page]:
    """Open a page without the library, at the address of the test page."""
    with browser.new_context(base_url=server.url) as context, context.new_page() as page:
        page.route(f"**{ADDRESS}", lambda route: route.fulfill(response=route.fetch(), body=EMPTY_PAGE))
        page.goto(ADDRESS)
        page.unroute_all()  # a page with routes has no cache
        yield page


def observe(page: Page, state: str = "") -> dict[str, Seen]:
    """Make each kind of call; return what is seen of it."""
    length = page.evaluate(OBSERVE, state)
    parts = (
        page.evaluate("([from, to]) => window.seen.slice(from, to)", [start, start + PART])
        for start in range(0, length, PART)
    )
    seen: dict[str, Seen] = json.loads("".join(parts))
    return seen


@pytest.fixture(scope="module")
def browsers_own(browser: Browser, session_server: RunningServer) -> dict[str, Seen]:
    """Return what is seen of the browser's own fetch, signed in and signed out."""
    token = session_server.lab.sign_in()["accessToken"]
    seen = {}
    with page_of(browser, session_server) as page:
        seen["signed out"] = observe(page)
        page.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        seen["signed in"] = observe(page)
    return seen


@pytest.fixture
def wrapped(page_python: PagePython, server: RunningServer) -> Iterator[PagePython]:
    """Return the shared page, its fetch wrapped, the demo user signed in."""
    page_python.page.evaluate(BEFORE)
    page_python(open_session, server.lab.sign_in())
    yield page_python
    page_python(leave)


@pytest.mark.parametrize("state", STATES)
def test_every_kind_of_call_is_fetchs_own(
    wrapped: PagePython, server: RunningServer, browsers_own: dict[str, Seen], lacking: set[str], state: str
) -> None:
    """What arrives, what comes back, and what becomes of the arguments, whatever the token does."""
    wrapped(enter, state)
    if state == "down":
        server.lab.refresh(status=503, times=1000)
    expected = browsers_own["signed in" if state in SIGNED_IN else "signed out"]

    seen = observe(wrapped.page, state)

    differences = {
        name: {"the browser's": expected[name], "ours": found}
        for name, found in seen.items()
        if found != expected[name]
    }
    assert f"A test makes {len(seen)} kinds of calls" in RECIPE.read_text(encoding="utf-8")
    takes_for_text = "error" not in expected["a stream without duplex"]  # of two ways to be without streams
    of_lacking = LISTED_OF_TEXTS if takes_for_text else LISTED_OF_REFUSALS
    all_listed = LISTED | (of_lacking if STREAMS in lacking else LISTED_OF_STREAMS)
    if REASONS in lacking:
        all_listed |= LISTED_OF_REASONS
    listed = {name for name, (_, states) in all_listed.items() if state in states}
    if REASONS_KEPT_ALIVE in lacking:
        differences = {name: found for name, found in differences.items() if name not in KEPT_ALIVE}
    assert {} == {name: found for name, found in differences.items() if name not in listed}
    assert listed == differences.keys()
    assert REFRESHES[state] <= server.lab.counters()["refresh"]  # the state was what it is called


ODD_FIELDS = """async () => {
    const odd = { [Symbol.iterator]: 5 };
    const all = [odd, { "X-A": "1", [Symbol.iterator]: null }, [odd]];
    return Promise.all(all.map((headers) => fetch("/api/echo", { headers }).then(() => "sent", String)));
}"""


def test_no_error_quotes_the_token(wrapped: PagePython) -> None:
    """Firefox quotes all of an object that it can't take for header fields."""
    told = wrapped.page.evaluate(ODD_FIELDS)

    assert told[0].startswith("TypeError")
    assert [] == [text for text in told if "Bearer" in text]
