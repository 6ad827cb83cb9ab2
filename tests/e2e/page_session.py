"""One session in a page: an ``auth`` and a ``client`` that stay there between the calls of a test.

    session = PageSession(page_python)
    session.open(lab.sign_in(), timeout=2)
    assert [200, 200] == session.get("profile", "notes")
    assert [] == session.redirects()

Functions that a test runs in that page find them with ``from opened import auth, client``. A redirect to the
login is noted and held up, so that what the page was doing can be looked at to its end.
"""

from __future__ import annotations

import json
from typing import Any

from silent_refresh import Client, Response, SilentRefresh
from tests.e2e.page_python import PagePython, Running

KEY = "silent-refresh"
HOLD_REDIRECTS = """() => {
    window.redirects = [];
    if (!window.navigation) return false;
    navigation.onnavigate = (event) => {
        if (event.destination.sameDocument) return;
        const { pathname, search } = new URL(event.destination.url);
        window.redirects.push(pathname + search);
        event.preventDefault();
    };
    return true;
}"""
LET_GO = "() => { delete window.redirects; if (window.navigation) navigation.onnavigate = null; }"
UNTIL_SENT = """() => new Promise((resolve) => {
    const look = () => (window.redirects.length ? resolve() : setTimeout(look, 5));
    look();
})"""


async def hold_assign():
    """Stand in for `location.assign` as the library calls it: no script can replace the browser's own."""
    import js

    from silent_refresh.browser import page

    class Location:
        def __getattr__(self, name):
            return getattr(js.location, name)

        def assign(self, url):
            if hasattr(js, "redirects"):
                parsed = js.URL.new(url)
                js.redirects.push(parsed.pathname + parsed.search)
            else:
                js.location.assign(url)

    class Held:
        location = Location()

        def __getattr__(self, name):
            return getattr(js, name)

    page.js = Held()


def hold_redirects(python: PagePython) -> None:
    """Note where the page is sent, and let it stay where it is.

    Where there is no Navigation API, before the browser hears of it: when a navigation begins, WebKit cancels
    the page's requests, even if no page is the answer.
    """
    if not python.page.evaluate(HOLD_REDIRECTS):
        python(hold_assign)


async def open_session(tokens, base_url, options):
    import sys
    from asyncio import Event
    from collections import defaultdict
    from types import SimpleNamespace

    if "opened" in sys.modules:
        sys.modules["opened"].auth.close()
    auth = SilentRefresh(**options)
    events, came = [], defaultdict(Event)

    def note(event):
        events.append(event.name)
        came[event.name].set()

    auth.listen(note)
    client = Client(base_url, auth=auth)
    sys.modules["opened"] = SimpleNamespace(auth=auth, client=client, events=events, came=came)
    if tokens is not None:
        await auth.sign_in(tokens)


async def send_all(requests):
    from asyncio import gather

    from opened import client

    ends = await gather(
        *(client.request(method, url, **arguments) for method, url, arguments in requests),
        return_exceptions=True,
    )
    return [end.status if isinstance(end, Response) else type(end).__name__ for end in ends]


async def read_events():
    from opened import events

    return events


async def wait_for(name):
    from opened import came

    await came[name].wait()


async def sign_out():
    from opened import auth

    await auth.sign_out()


class PageSession:
    """The session of one page, as the page's code and its storage show it."""

    def __init__(self, page_python: PagePython) -> None:
        self.python = page_python
        self.page = page_python.page

    def open(self, tokens: dict[str, Any] | None = None, *, base_url: str = "/api", **options: Any) -> None:
        """Make `auth` with these options, and `client`, in place of the last; sign in with an answer."""
        hold_redirects(self.python)
        self.python(open_session, tokens, base_url, options)

    def start(self, *requests: list[Any]) -> Running:
        """Send requests, ``[method, url, arguments]`` each, all at once, and don't wait."""
        return self.python.start(send_all, requests)

    def send(self, *requests: list[Any]) -> list[int | str]:
        """Send them, and return for each its status or the name of its error."""
        return self.start(*requests).result()

    def get(self, *urls: str) -> list[int | str]:
        """Send a GET to each URL, all at once."""
        return self.send(*(["GET", url, {}] for url in urls))

    def events(self) -> list[str]:
        """Return the names of the events so far."""
        return self.python(read_events)

    def wait_for(self, event: str) -> None:
        """Return when there was such an event."""
        self.python(wait_for, event)

    def sign_out(self) -> None:
        """Sign out."""
        self.python(sign_out)

    def wait_until_sent(self) -> None:
        """Wait until this page was sent somewhere: that comes after the event that tells why."""
        self.page.evaluate(UNTIL_SENT)

    def redirects(self) -> list[str]:
        """Return where this page was sent, path and query."""
        return self.page.evaluate("() => window.redirects")

    def record(self) -> dict[str, Any] | None:
        """Return what localStorage holds of the session."""
        return json.loads(self.page.evaluate("key => localStorage.getItem(key)", KEY) or "null")

    def store(self, **texts: str) -> None:
        """Put texts into localStorage, as another program of this origin would."""
        self.page.evaluate(
            "texts => Object.entries(texts).forEach(([key, text]) => localStorage.setItem(key, text))", texts
        )

    def let_go(self) -> None:
        """Let the page navigate again."""
        self.page.evaluate(LET_GO)
