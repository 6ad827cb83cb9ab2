"""``install(auth)``: JavaScript, pyfetch and pyscript.fetch get the same refresh, through the same engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route

from silent_refresh import SilentRefresh, install
from tests.e2e.page_python import PagePython, PagePythonError
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


async def sign_in_with_an_ended_token(tokens):
    from wrapped import auth

    await auth.sign_in({**tokens, "expiresIn": 1e-6})
    # At the first look it hasn't ended yet where the clock goes in milliseconds; there are ten a second.
    while auth._session.access().credential is not None:
        pass


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


@pytest.mark.every_engine("the page's own fetch")
def test_javascript_shares_one_refresh(wrapped: PagePython, lab: Lab) -> None:
    """Twenty calls with an expired token cost one, and each is answered."""
    assert [200] == statuses(wrapped, '[fetch("/api/profile")]')
    lab.expire()

    assert [200] * 20 == statuses(wrapped, "Array.from({length: 20}, (_, n) => fetch(`/api/items/${n}`))")
    assert 1 == lab.counters()["refresh"]


async def what_a_failure_is(path, integrity, by):
    import js
    from pyodide.ffi import JsException, to_js
    from wrapped import pyfetch

    try:
        if by == "pyfetch":
            await pyfetch(path, integrity=integrity)
        else:
            await js.fetch(path, to_js({"integrity": integrity}, dict_converter=js.Object.fromEntries))
    except (JsException, OSError) as error:
        return type(error).__name__


# Of an empty answer: another one is fetch's for an error as on a dead network.
EMPTY = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.every_engine("fetch's errors")
@pytest.mark.parametrize("token", ["good", "ended"])
@pytest.mark.parametrize("by", ["js.fetch", "pyfetch"])
def test_python_hears_of_a_dead_network(wrapped: PagePython, lab: Lab, token: str, by: str) -> None:
    """WebKit's error has no stack then, Pyodide takes it for none, and its await would never end."""
    if token == "ended":
        wrapped(sign_in_with_an_ended_token, lab.sign_in())

    assert wrapped(what_a_failure_is, "/api/echo", EMPTY, by)


WATCH = """(isFrozen) => {
    const watched = window.fetch;
    window.unwatch = () => { window.fetch = watched; };
    window.fetch = async (...call) => {
        const response = await watched(...call);
        if (!response.url.endsWith("?dead")) return response;
        const error = new TypeError("Load failed");
        delete error.stack;
        throw isFrozen ? Object.freeze(error) : error;
    };
}"""


@pytest.mark.parametrize("is_frozen", [False, True])
@pytest.mark.parametrize("token", ["good", "ended"])
def test_python_hears_of_an_error_without_a_stack(
    page_python: PagePython, lab: Lab, token: str, is_frozen: bool
) -> None:
    """As WebKit's are, here from what watches the page's fetch. One that's frozen stays what it is."""
    page_python.page.evaluate(WATCH, is_frozen)
    page_python(wrap_fetch, lab.sign_in())
    try:
        if token == "ended":
            page_python(sign_in_with_an_ended_token, lab.sign_in())
        told = page_python.page.evaluate("() => fetch('/api/echo?dead').catch(String)")
        assert "TypeError: Load failed" == told
        if not is_frozen:
            assert page_python(what_a_failure_is, "/api/echo?dead", "", "js.fetch")
    finally:
        page_python(unwrap_fetch)
        page_python.page.evaluate("() => window.unwatch()")


def test_f63_the_page_is_served_while_the_refresh_endpoint_is_down(wrapped: PagePython, lab: Lab) -> None:
    """With a token that has ended by the clock: files need none, the server's clock may be behind (F63)."""
    wrapped(sign_in_again, {**lab.sign_in(), "expiresIn": 0.001})
    lab.refresh(status=503, times=99)

    assert [200, 200] == statuses(wrapped, '[fetch("/static/icon.svg"), fetch("/api/profile")]')
    lab.expire()
    assert [200, 401] == statuses(wrapped, '[fetch("/static/icon.svg"), fetch("/api/profile")]')


@pytest.mark.parametrize(
    "gone_by", [{"Date": 7200}, {"Date": 2, "performance": 7200}], ids=["it slept", "its clock was set back"]
)
def test_a_token_that_ended_unseen_is_renewed_first(
    wrapped: PagePython, lab: Lab, gone_by: dict[str, int]
) -> None:
    """Two hours are gone by the one clock; the other stood still while the computer slept, or was set (s)."""
    wrapped(sign_in_again, {**lab.sign_in(), "expiresIn": 3600})
    assert [200] == statuses(wrapped, '[fetch("/api/profile")]')
    lab.reset()
    wrapped.page.evaluate(
        """goneBy => {
            window.clocks = Object.keys(goneBy).map((name) => {
                const now = window[name].now;
                window[name].now = () => now.call(window[name]) + goneBy[name] * 1000;
                return () => { window[name].now = now; };
            });
        }""",
        gone_by,
    )
    try:
        assert [200] == statuses(wrapped, '[fetch("/api/profile")]')
    finally:
        wrapped.page.evaluate("() => window.clocks.forEach((reset) => reset())")
    assert {"refresh": 1, "unauthorized": 0} == {
        name: lab.counters()[name] for name in ("refresh", "unauthorized")
    }


def test_a_good_token_costs_no_trip_into_python(wrapped: PagePython, lab: Lab) -> None:
    """While Python is busy, JavaScript's calls are answered."""
    wrapped.page.evaluate("() => { window.crossings = 0; }")

    async def count_crossings():
        import js

        from silent_refresh.adapters.fetch import _Helper

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


@pytest.mark.needs("a stream as the body of a request")
def test_a_stream_that_is_refused_spoils_nothing(wrapped: PagePython, lab: Lab) -> None:
    """It can't be sent again; that says nothing of the new token, nor of what else goes there."""
    page = wrapped.page
    page.route("**/api/echo", lambda route: route.fulfill(status=401))  # over HTTP/1.1 no stream leaves
    stream = 'new Blob(["two words"]).stream()'

    assert [401] == statuses(
        wrapped, f'[fetch("/api/echo", {{method: "POST", body: {stream}, duplex: "half"}})]'
    )
    page.unroute("**/api/echo")
    assert 1 == lab.counters()["refresh"]
    lab.expire()
    assert [200] == statuses(wrapped, '[fetch("/api/echo", {method: "POST", body: "two words"})]')
    assert 2 == lab.counters()["refresh"]


async def wrap_fetch_by_a_rule(tokens):
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(login=None, is_refused=lambda response: response.status == 422)
    await auth.sign_in(tokens)
    sys.modules["wrapped"] = SimpleNamespace(auth=auth, undo=install(auth))


def test_what_a_rule_calls_refused_is_sent_again_with_its_body(page_python: PagePython, lab: Lab) -> None:
    """Whatever its status, and though a Request's body can be had once."""
    page_python(wrap_fetch_by_a_rule, lab.sign_in())
    lab.api(status=422, times=1)

    call = 'fetch(new Request("/api/echo", {method: "POST", body: "two words"}))'
    echo = page_python.page.evaluate(f"async () => (await {call}).json()")

    assert "two words" == echo["body"]
    assert 1 == lab.counters()["refresh"]
    page_python(unwrap_fetch)


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


@pytest.mark.every_engine("the page's own fetch")
def test_rejections_are_fetchs_own(wrapped: PagePython) -> None:
    """A TypeError for what can't be sent or had."""
    names = wrapped.page.evaluate(
        """() => Promise.all(["http://", "/api/profile"].map((url, n) =>
            fetch(url, n ? {method: "GET", body: "none"} : {}).catch((error) => error.constructor.name)))"""
    )

    assert ["TypeError", "TypeError"] == names


@pytest.mark.every_engine("the page's own fetch")
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


def test_files_come_when_the_renewal_was_refused(wrapped: PagePython, lab: Lab) -> None:
    """It is known that the token has ended: what is public comes, and what isn't has the server's 401."""
    wrapped(sign_in_with_an_ended_token, lab.sign_in())
    lab.revoke()

    assert [200, 401] == statuses(wrapped, '[fetch("/static/icon.svg"), fetch("/api/profile")]')
    assert 1 == lab.counters()["refresh"]
    assert [200, 401] == statuses(wrapped, '[fetch("/static/icon.svg"), fetch("/api/profile")]')


def test_an_error_of_ours_has_fetchs_text(wrapped: PagePython, lab: Lab) -> None:
    """Libraries know a dead network by it; what it was is the error's cause."""
    wrapped(sign_in_with_an_ended_token, lab.sign_in())
    wrapped.page.route("**/refresh", lambda route: None)
    with wrapped.page.expect_request("**/refresh"):
        wrapped.page.evaluate("() => { window.end = fetch('/api/profile').catch((error) => error); }")

    wrapped(sign_in_again, lab.sign_in())

    told = "end.then(({ name, message, cause }) => [name, message, cause.message])"
    name, message, cause = wrapped.page.evaluate(told)
    assert ["TypeError", "Failed to fetch"] == [name, message]
    assert "another sign-in" in cause
    wrapped.page.unroute("**/refresh")


async def undo_alone():
    import wrapped

    wrapped.undo()
    wrapped.undo = lambda: None


def test_undo_gives_calls_in_flight_their_own_answers(wrapped: PagePython, lab: Lab) -> None:
    """One waits for a token that is being renewed, the other for the server, which will refuse it."""
    held: dict[str, list[Route]] = {"refresh": [], "profile": []}
    wrapped.page.route("**/api/profile", lambda route: held["profile"].append(route))
    wrapped.page.route("**/refresh", lambda route: held["refresh"].append(route))
    with wrapped.page.expect_request("**/api/profile"):
        wrapped.page.evaluate("() => { window.late = fetch('/api/profile').then(({status}) => status); }")
    lab.expire()
    with wrapped.page.expect_request("**/refresh"):
        wrapped.page.evaluate("() => { window.end = fetch('/api/notes').then(({status}) => status); }")

    wrapped(undo_alone)
    held["profile"][0].continue_()
    held["refresh"][0].continue_()

    assert [401, 200] == wrapped.page.evaluate("() => Promise.all([late, end])")
    assert [401] == statuses(wrapped, '[fetch("/api/notes")]')
    assert 1 == lab.counters()["refresh"]
    wrapped.page.unroute_all()


WRAP_ONCE_MORE = """(name) => {
    const inner = window.fetch;
    const outer = (...all) => { window.seen.push(name); return inner(...all); };
    window.fetch = outer;
    window[name] = () => { if (window.fetch === outer) window.fetch = inner; };
}"""


@pytest.mark.parametrize("order", ["before ours after", "ours after before", "after ours"])
def test_wrappers_come_and_go_in_any_order(page_python: PagePython, lab: Lab, order: str) -> None:
    """Each sees the calls while it stands; after the undo they go without a token, through the others."""
    page = page_python.page
    page.evaluate("() => { window.seen = []; window.genuine = window.fetch; }")
    page.evaluate(WRAP_ONCE_MORE, "before")
    page_python(wrap_fetch, lab.sign_in())
    page.evaluate(WRAP_ONCE_MORE, "after")
    assert [200] == statuses(page_python, '[fetch("/api/profile")]')
    assert ["after", "before"] == page.evaluate("seen")

    for name in order.split():
        if name == "ours":
            page_python(unwrap_fetch)
            assert [401] == statuses(page_python, '[fetch("/api/profile")]')
        else:
            page.evaluate("(name) => window[name]()", name)
    page_python(wrap_fetch, lab.sign_in())
    assert [200] == statuses(page_python, '[fetch("/api/profile")]')

    page_python(unwrap_fetch)
    page.evaluate("() => { window.fetch = window.genuine; }")


def test_a_fetch_that_cant_be_replaced_is_told(fresh_page, lab: Lab) -> None:
    """Some pages freeze what is theirs."""
    page_python = fresh_page()
    page_python.page.evaluate("() => Object.defineProperty(window, 'fetch', { writable: false })")

    with pytest.raises(PagePythonError, match="read-only"):
        page_python(wrap_fetch, lab.sign_in())
