"""``install(auth)``: JavaScript, pyfetch and pyscript.fetch get the same refresh, through the same engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route

from silent_refresh import SilentRefresh, install
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab


async def wrap_fetch(tokens):
    import sys
    from types import SimpleNamespace

    from pyodide.http import pyfetch

    auth = SilentRefresh(login=None, timeout=3)
    await auth.sign_in(tokens)
    sys.modules["wrapped"] = SimpleNamespace(auth=auth, undo=install(auth), pyfetch=pyfetch)


async def sign_in_again(tokens):
    from wrapped import auth

    await auth.sign_in(tokens)


async def unwrap_fetch():
    from wrapped import auth, undo

    undo()
    auth.close()


@pytest.fixture
def wrapped(page_python: PagePython, lab: Lab) -> Iterator[PagePython]:
    """Return the shared page, its fetch wrapped, the demo user signed in."""
    page_python(wrap_fetch, lab.sign_in())
    yield page_python
    page_python(unwrap_fetch)


def statuses(page: PagePython, script: str) -> list[int]:
    """Run JavaScript that gives a list of promises of responses."""
    found: list[int] = page.page.evaluate(
        f"async () => (await Promise.all({script})).map((response) => response.status)"
    )
    return found


def test_javascript_shares_one_refresh(wrapped: PagePython, lab: Lab) -> None:
    """Twenty calls with an expired token cost one, and each is answered."""
    assert [200] == statuses(wrapped, '[fetch("/api/profile")]')
    lab.expire()

    assert [200] * 20 == statuses(wrapped, "Array.from({length: 20}, (_, n) => fetch(`/api/items/${n}`))")
    assert 1 == lab.counters()["refresh"]


def test_a_good_token_costs_no_trip_into_python(wrapped: PagePython, lab: Lab) -> None:
    """While Python is busy, JavaScript's calls are answered."""
    wrapped.page.evaluate("() => { window.crossings = 0; }")

    async def count_crossings():
        import js

        from silent_refresh.adapters.window_fetch import _Helper

        helped = _Helper.help

        def counted(self, *arguments):
            js.window.crossings += 1
            helped(self, *arguments)

        _Helper.help = counted

    wrapped(count_crossings)

    assert [200] * 5 == statuses(wrapped, "Array.from({length: 5}, () => fetch('/api/profile'))")
    assert 0 == wrapped.page.evaluate("window.crossings")
    lab.expire()


@pytest.mark.parametrize(
    "call",
    [
        'fetch("/api/echo", {method: "POST", body: "two words"})',
        'fetch(new Request("/api/echo", {method: "POST", body: "two words"}))',
        'fetch("/api/echo", {method: "POST", body: new Blob(["two words"]), headers: [["X-A", "1"]]})',
        'fetch("/api/echo", {method: "POST", body: new URLSearchParams("two words")})',
        'fetch(new URL("/api/echo", location), {method: "POST", body: new TextEncoder().encode("two")})',
    ],
)
def test_a_replay_has_the_same_body(wrapped: PagePython, lab: Lab, call: str) -> None:
    """In whatever form the page gave it."""
    lab.expire()

    echo = wrapped.page.evaluate(f"async () => (await {call}).json()")

    assert "POST" == echo["method"]
    assert echo["body"] in ("two words", "two+words=", "two")
    assert 1 == lab.counters()["refresh"]


def test_form_data_is_sent_again_with_its_own_boundary(wrapped: PagePython, lab: Lab) -> None:
    """The browser writes it anew each time."""
    lab.expire()

    echo = wrapped.page.evaluate(
        """async () => {
            const form = new FormData();
            form.set("field", "value");
            return (await fetch("/api/echo", {method: "POST", body: form})).json();
        }"""
    )

    boundary = echo["headers"]["content-type"].partition("boundary=")[2]
    assert boundary
    assert boundary in echo["body"]


def test_a_refused_session_gives_javascript_the_servers_401(wrapped: PagePython, lab: Lab) -> None:
    """A fetch resolves with what the server said; the tokens are gone."""
    lab.expire()
    lab.revoke()

    assert [401] * 5 == statuses(wrapped, "Array.from({length: 5}, () => fetch('/api/profile'))")
    assert wrapped.page.evaluate("localStorage.getItem('silent-refresh')") is None
    assert 1 == lab.counters()["refresh"]


def test_an_abort_while_the_renewal_runs_ends_that_call_alone(wrapped: PagePython, lab: Lab) -> None:
    """It rejects with the abort's own reason; the other call is answered."""
    lab.expire()
    held: list[Route] = []
    wrapped.page.route("**/refresh", lambda route: held.append(route))

    with wrapped.page.expect_request("**/refresh"):
        wrapped.page.evaluate(
            """() => {
                window.controller = new AbortController();
                const calls = [fetch("/api/profile", {signal: controller.signal}), fetch("/api/profile")];
                window.ends = calls.map((call) => call.then((response) => response.status, (e) => e.name));
            }"""
        )
    wrapped.page.evaluate("() => { controller.abort(); }")
    held[0].continue_()

    assert ["AbortError", 200] == wrapped.page.evaluate("() => Promise.all(ends)")
    wrapped.page.unroute("**/refresh")


def test_a_late_refusal_of_another_session_is_its_callers(wrapped: PagePython, lab: Lab) -> None:
    """The request of the user before is never sent as the next one (F68, F69)."""
    held: list[Route] = []
    wrapped.page.route("**/api/profile", lambda route: held.append(route))
    with wrapped.page.expect_request("**/api/profile"):
        wrapped.page.evaluate("() => { window.end = fetch('/api/profile').then(({status}) => status); }")
    wrapped(sign_in_again, lab.sign_in())
    held[0].fulfill(status=401)

    assert 401 == wrapped.page.evaluate("() => window.end")
    assert 1 == len(held)
    wrapped.page.unroute("**/api/profile")
    assert 0 == lab.counters()["refresh"]


def test_rejections_are_fetchs_own(wrapped: PagePython) -> None:
    """A TypeError for what can't be sent or had."""
    names = wrapped.page.evaluate(
        """() => Promise.all(["http://", "/api/profile"].map((url, n) =>
            fetch(url, n ? {method: "GET", body: "none"} : {}).catch((error) => error.constructor.name)))"""
    )

    assert ["TypeError", "TypeError"] == names


def test_pyfetch_and_pyscript_fetch_are_renewed(wrapped: PagePython, lab: Lab) -> None:
    """Whether they were imported before or after."""
    lab.expire()

    async def ask():
        from pyodide.http import pyfetch as after
        from pyscript import fetch
        from wrapped import pyfetch as before

        return [(await ask("/api/profile")).status for ask in (before, after, fetch)]

    assert [200, 200, 200] == wrapped(ask)
    assert 1 == lab.counters()["refresh"]


def test_the_pages_own_authorization_is_left_alone(wrapped: PagePython, lab: Lab) -> None:
    """Its 401 refreshes nothing."""
    call = 'fetch("/api/profile", {headers: {Authorization: "Basic YTpi"}})'

    assert [401] == statuses(wrapped, f"[{call}]")
    assert 0 == lab.counters()["refresh"]


def test_installing_twice_is_an_error_and_undo_restores(page_python: PagePython, lab: Lab) -> None:
    """The page's own fetch is the very one that it was."""
    page_python.page.evaluate("() => { window.before = window.fetch; }")
    page_python(wrap_fetch, lab.sign_in())

    async def again():
        from wrapped import auth

        try:
            install(auth)
        except RuntimeError as error:
            return str(error)

    assert "undo it first" in page_python(again)
    page_python(unwrap_fetch)
    assert page_python.page.evaluate("window.fetch === window.before")
    assert [401] == statuses(page_python, '[fetch("/api/profile")]')
