"""Tokens that are bound to a key, in a real browser and at a real server (RFC 9449)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Route

from silent_refresh import Client, RefreshEndpoint, RequestsAuth, SilentRefresh, install
from tests.e2e.bound_session import keys_of, open_bound, open_page, order_nonces, sign_out
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab, RunningServer
from tests.e2e.workers import SETUPS, Side, open_sides
from tests.e2e.workers import open_page as open_worker_page

FreshPage = Callable[..., PagePython]


async def sign_in_in_worker():
    from opened import auth

    fields = {"username": "demo", "password": "demo-password"}
    answer = await Client().post("/login", json=fields, auth=auth.proving)
    await auth.sign_in(await answer.json())


async def ask(count):
    from asyncio import gather

    from opened import client

    return [answer.status for answer in await gather(*(client.get("profile") for _ in range(count)))]


@pytest.fixture
def bound(page_python: PagePython, lab: Lab) -> Iterator[PageSession]:
    """Return the shared page's session, the demo user signed in."""
    session = open_page(page_python)
    lab.reset()
    yield session
    session.let_go()


def test_from_sign_in_to_sign_out(bound: PageSession, lab: Lab) -> None:
    """Each request is proved, the renewal and the revocation too; the key goes with the session."""
    assert ["key"] == keys_of(bound)
    lab.expire()
    assert [200] * 5 == bound.get(*["profile"] * 5)
    assert 1 == lab.counters()["refresh"]

    with bound.page.expect_response("**/logout") as told:
        bound.python(sign_out)
    assert told.value.ok
    assert "dpop" in told.value.request.headers
    assert [] == keys_of(bound)


@pytest.fixture
def reloaded(fresh_page: FreshPage, lab: Lab) -> PageSession:
    """Return the session of a page that was signed in, and knows of no nonce, where each proof needs one."""
    page = fresh_page()
    order_nonces(lab)
    open_page(page)
    page.page.reload()
    page.wait_until_ready()
    lab.reset()
    order_nonces(lab)
    return open_page(page, signs_in=False)


@pytest.mark.parametrize("is_expired", [False, True])
def test_a_storm_costs_one_try_more(reloaded: PageSession, lab: Lab, is_expired: bool) -> None:
    """Two hundred at once: one refresh, and one more try for the nonce."""
    if is_expired:
        lab.expire()

    assert [200] * 200 == reloaded.python(ask, 200)
    counted = lab.counters()
    assert is_expired == counted["refresh"]
    # What had left with the expired token is refused for that: twenty at most, over HTTP/1.1.
    assert counted["unauthorized"] <= 1 + 20 * is_expired


def test_a_reload_and_a_second_tab_use_the_same_key(fresh_page: FreshPage, lab: Lab) -> None:
    """It is the session's, wherever that is."""
    one = fresh_page()
    open_page(one)
    two = open_page(fresh_page(one.page.context), signs_in=False)
    assert [200] == two.get("profile")
    one.page.reload()
    one.wait_until_ready()
    again = open_page(one, signs_in=False)
    lab.expire()
    assert [[200], [200]] == [again.get("profile"), two.get("profile")]
    assert 1 == lab.counters()["refresh"]

    again.python(sign_out)
    assert [] == keys_of(two)


DELETE_DATABASE = """() => new Promise((resolve) => {
    indexedDB.deleteDatabase("silent-refresh").onsuccess = resolve;
})"""


@pytest.fixture
def without_key(fresh_page: FreshPage, lab: Lab) -> PageSession:
    """Return the session of a page whose database is gone, and its record isn't."""
    page = fresh_page()
    open_page(page)
    page.page.goto("/static/icon.svg")
    page.page.evaluate(DELETE_DATABASE)
    lab.reset()
    page.open()
    return open_page(page, signs_in=False)


def test_without_its_key_a_session_ends(without_key: PageSession, lab: Lab) -> None:
    """It is cleared, told, redirected, and nothing is sent."""
    assert ["RefreshRejected"] == without_key.get("profile")
    assert without_key.record() is None
    assert 1 == len(without_key.redirects())
    assert 0 == lab.counters()["api"]


def test_without_its_key_a_session_of_javascripts_ends(without_key: PageSession, lab: Lab) -> None:
    """The page's fetch has the server's answer to a request without a token."""
    without_key.python(wrap)
    assert [401] * 3 == without_key.page.evaluate(FETCH, 3)
    assert without_key.record() is None
    assert 1 == len(without_key.redirects())
    assert 0 == lab.counters()["refresh"]


def wanting_a_nonce(route: Route) -> None:
    """Answer as a server of another origin that exposes less than it has to."""
    if route.request.resource_type == "fetch" and route.request.url.endswith("/refresh"):
        route.fulfill(status=400, json={"error": "use_dpop_nonce"})
    else:
        route.fulfill(status=401, headers={"WWW-Authenticate": 'DPoP error="use_dpop_nonce"'})


async def sign_in_where_nothing_is():
    from opened import auth

    told = []
    for url in ("http://[", "login"):
        try:
            told.append((await Client().post(url, auth=auth.proving)).status)
        except Exception as error:
            told.append(type(error).__name__)
    return told


def test_a_url_that_is_none_is_told(bound: PageSession) -> None:
    """As without a proof; a relative one is the page's."""
    assert ["ValueError", 404] == bound.python(sign_in_where_nothing_is)


async def ask_and_renew():
    from opened import auth, client

    told = []
    for call in (client.get("profile"), auth.refresh()):
        try:
            await call
        except Exception as error:
            told.append([type(error).__name__, str(error)])
    return told


def test_a_nonce_that_is_hidden_is_told(fresh_page: FreshPage, lab: Lab) -> None:
    """The errors say which header the server has to expose, and the session goes on."""
    session = open_page(fresh_page())
    for path in ("profile", "refresh"):
        session.page.route(f"**/{path}", wanting_a_nonce)

    (kind, told), (of_refresh, told_of_refresh) = session.python(ask_and_renew)
    assert ("ProofRefused", "RefreshMisconfigured") == (kind, of_refresh)
    for text in (told, told_of_refresh):
        assert "Access-Control-Expose-Headers: DPoP-Nonce" in text
    assert session.record() is not None


async def wrap():
    import sys

    from opened import auth

    sys.modules["opened"].undo = install(auth)


async def unwrap():
    from opened import undo

    undo()


FETCH = """(count) => Promise.all(
    Array.from({ length: count }, () => fetch("/api/profile").then(({ status }) => status)),
)"""


def test_a_storm_of_javascripts_costs_one_try_more(reloaded: PageSession, lab: Lab) -> None:
    """The first of a hundred calls of fetch finds the nonce out for all."""
    reloaded.python(wrap)

    assert [200] * 100 == reloaded.page.evaluate(FETCH, 100)
    assert 1 == lab.counters()["unauthorized"]


POST = """async () => {
    const body = new Uint8Array([104, 105]);
    const sent = [
        fetch("/api/echo", { method: "post", body }),
        fetch(new Request("/api/echo", { method: "POST", body: "hi", headers: { "X-Own": "1" } })),
        fetch("/api/echo", { method: "POST", body: "hi", headers: [["X-Own", "1"]] }),
    ];
    body.fill(0);
    const answers = await Promise.all(sent);
    return Promise.all(answers.map(async (answer) => [answer.status, (await answer.json()).body]));
}"""


def test_the_pages_fetch_is_proved(bound: PageSession, lab: Lab) -> None:
    """JavaScript's calls: signed there, renewed once, tried again for a nonce; a body is what it was."""
    bound.python(wrap)
    try:
        assert [200] == bound.page.evaluate(FETCH, 1)
        lab.expire()
        assert [200] * 20 == bound.page.evaluate(FETCH, 20)
        order_nonces(lab)
        lab.expire()
        assert [[200, "hi"]] * 3 == bound.page.evaluate(POST)
    finally:
        bound.python(unwrap)


async def ask_by_requests(count):
    import js
    import requests
    from opened import auth

    http = requests.Session()
    http.auth = RequestsAuth(auth)
    return [http.get(f"{js.location.origin}/api/profile").status_code for _ in range(count)]


async def ask_by_requests_in_a_handler():
    """Send from where nothing can wait."""
    import js
    import requests
    from opened import auth
    from pyodide.ffi import create_proxy

    told = []

    def handler(*_):
        try:
            requests.get(f"{js.location.origin}/api/profile", auth=RequestsAuth(auth))
        except Exception as error:
            told.append([type(error).__name__, str(error)])

    proxy = create_proxy(handler)
    js.eval("(call) => call()")(proxy) if False else js.Reflect.apply(proxy, None, js.Array.new())
    proxy.destroy()
    return told


@pytest.mark.needs("stack switching")
def test_requests_is_proved(fresh_page: FreshPage, lab: Lab) -> None:
    """Where its caller can wait; elsewhere nothing is sent, and the error says why."""
    page = fresh_page()
    give_packages(page)
    session = open_page(page)
    order_nonces(lab)
    assert [200, 200] == session.python(ask_by_requests, 2)
    lab.expire()
    assert [200, 200] == session.python(ask_by_requests, 2)
    assert lab.counters()["refresh"] <= 2

    lab.reset()
    ((name, told),) = session.python(ask_by_requests_in_a_handler)
    assert "RuntimeError" == name
    assert "can't be suspended" in told
    assert 0 == lab.counters()["api"]


async def open_bound_and_serve():
    import sys
    from types import SimpleNamespace

    from silent_refresh import serve_workers

    if "opened" in sys.modules:
        sys.modules["opened"].undo()
        sys.modules["opened"].auth.close()
    auth = SilentRefresh(RefreshEndpoint("/refresh", dpop=True, revoke="/logout"))
    sys.modules["opened"] = SimpleNamespace(
        auth=auth, client=Client("/api", auth=auth), undo=serve_workers(auth)
    )


ISOLATED = pytest.mark.needs("cross-origin isolation")


@pytest.mark.parametrize(
    "setup", [pytest.param(setup, marks=ISOLATED) if setup == "shared-memory" else setup for setup in SETUPS]
)
def test_a_worker_has_the_pages_key(browser: Browser, server: RunningServer, setup: str) -> None:
    """It signs in with a proof of the page's key, sends by itself, and has refused requests renewed."""
    with open_worker_page(browser, server.url, setup) as python, open_sides(python) as (page, worker):
        page.python(open_bound_and_serve)
        use_worker(page, worker, server.lab)


def use_worker(page: Side, worker: Side, lab: Lab) -> None:
    worker.python(sign_in_in_worker)
    lab.reset()
    assert [200] * 3 == worker.get(*["profile"] * 3)
    assert 0 == lab.counters()["unauthorized"]
    order_nonces(lab)
    lab.expire()
    assert [200] * 20 == worker.get(*["profile"] * 20)
    assert [200] == page.get("profile")
    assert lab.counters()["refresh"] <= 2


ALL_THAT_A_SCRIPT_CAN_READ = """async () => {
    const seen = new Set();
    const texts = [];
    const keys = [];
    const read = (value, depth) => {
        if (typeof value === "string") texts.push(value);
        if (typeof value !== "object" && typeof value !== "function") return;
        if (value === null || seen.has(value) || depth > 6) return;
        seen.add(value);
        if (value instanceof CryptoKey) keys.push(value);
        for (const name of Reflect.ownKeys(value).slice(0, 500)) {
            try {
                read(value[name], depth + 1);
            } catch {
                // a getter that doesn't want to
            }
        }
    };
    for (const area of [localStorage, sessionStorage]) read({ ...area }, 0);
    for (const { name } of await indexedDB.databases()) {
        const opening = indexedDB.open(name);
        await new Promise((resolve) => { opening.onsuccess = resolve; });
        const database = opening.result;
        for (const storeName of database.objectStoreNames) {
            const all = database.transaction(storeName).objectStore(storeName).getAll();
            read(await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); }), 0);
        }
        database.close();
    }
    read(window.heard ?? [], 0);
    read(globalThis, 0);
    const exported = [];
    for (const key of keys) {
        for (const format of ["jwk", "pkcs8", "raw"]) {
            await crypto.subtle.exportKey(format, key).then(() => exported.push(key.type), () => {});
        }
    }
    return { texts, keys: keys.map(({ type }) => type), exported };
}"""
LISTEN = """() => {
    window.heard = [];
    window.channel = new BroadcastChannel("silent-refresh:silent-refresh");
    window.channel.onmessage = ({ data }) => window.heard.push(data);
    addEventListener("message", ({ data }) => window.heard.push(data));
}"""
TAKE_PROOFS = """() => {
    const { fetch } = window;
    window.taken = [];
    window.fetch = (url, init) => {
        window.taken.push(new Request(url, init).headers.get("dpop"));
        return fetch(url, init);
    };
    window.giveBack = () => { window.fetch = fetch; };
}"""


def test_what_a_script_can_read_is_of_no_use_elsewhere(fresh_page: FreshPage, server: RunningServer) -> None:
    """An injected script reads all there is, and sends it to a thief, who has no key."""
    page = fresh_page()
    page.page.evaluate(LISTEN)
    session = open_page(page)
    session.page.evaluate(TAKE_PROOFS)
    assert [200] == session.get("profile")
    proofs: list[str] = session.page.evaluate("() => { window.giveBack(); return window.taken; }")

    found = session.page.evaluate(ALL_THAT_A_SCRIPT_CAN_READ)
    assert "private" in found["keys"]
    assert [] == found["exported"]
    record = session.record()
    assert record is not None
    assert any(record["refresh_token"] in text for text in found["texts"])
    (proof,) = filter(None, proofs)
    with httpx.Client(base_url=server.url, trust_env=False) as thief:
        token, refresh = record["access_token"], {"refreshToken": record["refresh_token"]}
        tries: list[dict[str, Any]] = [
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"DPoP {token}"},
            {"Authorization": f"DPoP {token}", "DPoP": proof},  # used already
        ]
        assert [401] * 3 == [thief.get("/api/profile", headers=fields).status_code for fields in tries]
        assert 401 == thief.get("/api/notes", headers=tries[2]).status_code
        refused = [thief.post("/refresh", json=refresh, headers=fields) for fields in ({}, {"DPoP": proof})]
        assert {400} == {answer.status_code for answer in refused}
    assert [200] == session.get("profile")  # and the family lives on


def test_no_page_loads_what_it_does_not_use(browser: Browser, server: RunningServer, lab: Lab) -> None:
    """Without dpop there's no JavaScript for it, and no module of Python's."""
    with browser.new_context(base_url=server.url) as context:
        page = PagePython(context.new_page())
        asked: list[str] = []
        page.page.on("request", lambda request: asked.append(request.url))
        page.open()
        session = PageSession(page)
        session.open(lab.sign_in())
        assert [200] == session.get("profile")
        assert not [url for url in asked if "dpop" in url]
        assert [] == page(modules_of_proofs)
        session.python(open_bound, True)
        assert [200] == session.get("profile")
        assert 1 == len([url for url in asked if "dpop.js" in url])


async def modules_of_proofs():
    import sys

    return [name for name in sys.modules if name.endswith((".prover", ".session_keys"))]


@pytest.mark.needs("a way to take the network away")
def test_proofs_are_told_to_nobody(bound: PageSession) -> None:
    """Neither an error nor the console has one."""
    said: list[str] = []
    bound.page.on("console", lambda message: said.append(message.text))
    bound.page.context.set_offline(True)
    try:
        told = bound.python(ask_offline)
    finally:
        bound.page.context.set_offline(False)
    record = json.dumps(bound.record())
    assert "NetworkError" in told
    assert not [text for text in (told, *said) if "eyJ" in text and text not in record]


async def ask_offline():
    import traceback

    from opened import client

    try:
        await client.get("profile")
    except Exception as error:
        return repr(vars(error)) + "".join(traceback.format_exception(error))
