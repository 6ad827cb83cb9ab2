"""Markup without a script: a ``<base>`` that comes later, elements with the names of what is read; row F85.

Each attack is seen to work on the page's own JavaScript first.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from silent_refresh import Client, RefreshEndpoint, SilentRefresh, install
from tests.browsers.features import NO_POLICY
from tests.e2e.page_python import ADDRESS, PagePython
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import RunningServer

NAMES = ["baseURI", "visibilityState", "referrer", "location", "cookie", "URL", "defaultView"]
IDS = ["navigator", "fetch", "indexedDB", "origin"]
NOTHING = {"refresh": 0, "reuse": 0, "api": 0, "unauthorized": 0}
PUT_IN_A_BASE = """url => {
    const base = document.createElement("base");
    base.href = url + "/";
    document.head.append(base);
    return new URL("/refresh", document.baseURI).href;
}"""
PUT_IN_NAMES = """([names, ids]) => {
    for (const name of [...names, "addEventListener", "querySelectorAll"]) {
        document.body.append(Object.assign(document.createElement("img"), { name }));
    }
    for (const id of ids) document.body.append(Object.assign(document.createElement("a"), { id }));
    const taken = names.filter((name) => document[name] instanceof HTMLImageElement);
    return [...taken, ...ids.filter((id) => globalThis[id] instanceof HTMLAnchorElement)];
}"""
NOTE_WHERE_TO = """() => {
    window.gone = [];
    navigation.onnavigate = (event) => {
        window.gone.push(event.destination.url);
        event.preventDefault();
    };
}"""


async def open_session(tokens):
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(RefreshEndpoint.article(revoke="/logout"))
    clients = {"base": Client("/api", auth=auth), "folder": Client("../../../api", auth=auth)}
    sys.modules["opened"] = SimpleNamespace(auth=auth, clients={**clients, "none": Client(auth=auth)})
    await auth.sign_in(tokens)


async def get(*asked):
    from opened import clients

    return [(await clients[name].get(url)).status for name, url in asked]


async def post(url, text):
    from opened import clients

    return (await clients["none"].post(url, json={"text": text})).status


async def sign_out():
    from opened import auth

    await auth.sign_out()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Run the page's server and a foreign one, which knows the same tokens and lets that page in."""
    data = tmp_path_factory.mktemp("data")
    with RunningServer(data) as own, RunningServer(data, "--allow-origin", own.url) as foreign:
        yield own, foreign


def without_policy(route: Route) -> None:
    """Pass a page on, and leave out its policy."""
    response = route.fetch()
    headers = {name: value for name, value in response.headers.items() if name != "content-security-policy"}
    route.fulfill(response=response, headers=headers)


@pytest.fixture
def page(browser, servers, lacking):
    """Return a page of the one server, without a policy: most pages have none that forbids a ``<base>``."""
    own, _ = servers
    with browser.new_context(base_url=own.url, bypass_csp=True) as context, context.new_page() as page:
        if NO_POLICY in lacking:  # to a page that a test has answered, Chromium denies this machine's servers
            page.route(f"**{ADDRESS}", without_policy)
        page_python = PagePython(page)
        page_python.open()
        page.unroute_all()
        yield page_python


@pytest.mark.needs("a page without its server's policy", "the Navigation API")
def test_a_base_that_comes_later_moves_nothing(page, servers):
    """Refresh, API, revocation and login stay where they were: the foreign server hears of no token."""
    own, foreign = servers
    page(open_session, own.lab.sign_in())
    page.page.evaluate(NOTE_WHERE_TO)
    assert f"{foreign.url}/refresh" == page.page.evaluate(PUT_IN_A_BASE, foreign.url)
    for server in servers:
        server.lab.reset()
    assert foreign.url == page.page.evaluate("async () => new URL((await fetch('/api/profile')).url).origin")
    assert {**NOTHING, "api": 1, "unauthorized": 1} == foreign.lab.counters()
    foreign.lab.reset()
    own.lab.expire()

    assert [200, 200, 200] == page(get, ["base", "profile"], ["folder", "notes"], ["none", "/api/profile"])
    assert 200 == page(post, "/api/echo", "hello")
    assert 1 == own.lab.counters()["refresh"]
    with page.page.expect_request("**/logout") as revocation:
        page(sign_out)
    assert f"{own.url}/logout" == revocation.value.url
    assert [f"{own.url}/login?reason=sign_out"] == page.page.evaluate("() => window.gone")
    assert NOTHING == foreign.lab.counters()


@pytest.mark.needs("a page without its server's policy")
def test_what_is_relative_still_goes_there_without_a_token(page, servers):
    """A URL that is of no client's base, nor a path, is what the browser says: judged and sent as one."""
    own, foreign = servers
    page(open_session, own.lab.sign_in())
    page.page.evaluate(PUT_IN_A_BASE, foreign.url)
    foreign.lab.reset()

    assert [401] == page(get, ["none", "api/profile"])
    assert {**NOTHING, "api": 1, "unauthorized": 1} == foreign.lab.counters()


async def wrap_fetch():
    from opened import auth

    install(auth)


@pytest.mark.needs("a page without its server's policy")
def test_the_pages_fetch_follows_the_base_without_a_token(page, servers):
    """Though the token went to the very same path before: that led elsewhere."""
    own, foreign = servers
    page(open_session, own.lab.sign_in())
    page(wrap_fetch)
    ask = "async () => (await fetch('/api/profile')).status"
    assert 200 == page.page.evaluate(ask)

    page.page.evaluate(PUT_IN_A_BASE, foreign.url)
    foreign.lab.reset()

    assert 401 == page.page.evaluate(ask)
    assert {**NOTHING, "api": 1, "unauthorized": 1} == foreign.lab.counters()


@pytest.mark.parametrize(
    "early",
    [
        pytest.param(True, id="in the markup", marks=pytest.mark.needs("a driver with globals of its own")),
        pytest.param(False, id="later"),
    ],
)
def test_names_of_elements_are_not_read(browser, servers, early):
    """Nothing that the library reads is an element's, whether that is there before it or comes later."""
    own, _ = servers
    with browser.new_context(base_url=own.url) as context:
        page = context.new_page()
        elements = [f"<img name={name}>" for name in NAMES] + [f"<a id={id}></a>" for id in IDS]

        def put_in(route: Route) -> None:
            response = route.fetch()
            route.fulfill(
                response=response, body=response.text().replace("<body>", "<body>" + "".join(elements))
            )

        # With this one in the markup Pyodide itself doesn't start.
        ids = IDS if early else [*IDS, "WorkerGlobalScope"]
        if early:
            page.route(f"**{ADDRESS}*", put_in)
        page_python = PagePython(page)
        page_python.open()
        session = PageSession(page_python)
        if not early:
            taken = page.evaluate(PUT_IN_NAMES, [NAMES, ids])
            assert ["baseURI", "visibilityState", "referrer", "cookie", "URL", "defaultView"] == taken[:6]
            assert "WorkerGlobalScope" in taken
        else:
            assert page.evaluate("() => document.baseURI instanceof HTMLElement")
        session.open(own.lab.sign_in(), base_url="../../../api")
        own.lab.reset()
        own.lab.expire()

        assert [200] * 2 == session.get("profile", f"{own.url}/api/notes")
        assert 1 == own.lab.counters()["refresh"]
        session.sign_out()
        assert ["/login?reason=sign_out"] == session.redirects()
