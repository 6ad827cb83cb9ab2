"""Tokens and redirects stay at home, whatever the URL looks like: decided by the browser's own parser.

The foreign server has the data of the page's own: a token that reached it would be answered 200 there.
"""

from __future__ import annotations

import json

import pytest

from tests.e2e.page_python import PagePython
from tests.e2e.page_session import KEY, PageSession
from tests.e2e.running_server import RunningServer

READ_ELSEWHERE = [  # parsed, these are all http://127.0.0.1:{port}/api/profile
    "http://127.0.0.1:{port}/api/profile",
    "//127.0.0.1:{port}/api/profile",
    "/\\127.0.0.1:{port}/api/profile",
    "\\\\127.0.0.1:{port}/api/profile",
    "/\t/127.0.0.1:{port}/api/profile",
    "\n//127.0.0.1:{port}/api/profile",
    "  //127.0.0.1:{port}/api/profile",
    "http:\\\\127.0.0.1:{port}\\api\\profile",
    "HTTP:/\\127.0.0.1:{port}/api/profile",
    "ht\ntp://127.0.0.1:{port}/api/profile",
    "http:////127.0.0.1:{port}/api/profile",
    "http://0x7f.1:{port}/api/profile",
    "http://2130706433:{port}/api/profile",
    "//\uff11\uff12\uff17.0.0.1:{port}/api/profile",
    "http://127.0.0.1:{port}/api/./profile?next=http://127.0.0.1:{own}#@127.0.0.1:{own}",
]
NOT_FETCHED = {
    "http://api@127.0.0.1:{port}/api/profile": "ValueError",
    "http://127.0.0.1:{own}@127.0.0.1:{port}/api/profile": "ValueError",
    "http://127.0.0.1:99999/api/profile": "ValueError",
    "http://": "ValueError",
    "javascript:alert(1)": "NetworkError",
    "file:///etc/passwd": "NetworkError",
    "blob:http://127.0.0.1:{own}/1": "NetworkError",
    "data:application/json,{{}}": "NetworkError",  # connect-src of the page forbids it
    "about:blank": "NetworkError",
}


class Site:
    """A page of one server, its user signed in, and another server that must not get a token."""

    def __init__(self, session, own, foreign):
        self.session = session
        self.own = own
        self.foreign = foreign

    def fill(self, url):
        """Put the two ports into a URL."""
        own, port = (server.url.rpartition(":")[2] for server in (self.own, self.foreign))
        return url.format(own=own, port=port)


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    """Return the page and the two servers."""
    data = tmp_path_factory.mktemp("data")
    with RunningServer(data) as own, RunningServer(data, "--allow-origin", own.url) as foreign:
        context = browser.new_context(base_url=own.url)
        page_python = PagePython(context.new_page())
        page_python.open()
        session = PageSession(page_python)
        session.open(own.lab.sign_in(), base_url="")
        yield Site(session, own, foreign)
        context.close()


@pytest.fixture(autouse=True)
def counted(site):
    """Count from zero."""
    site.own.lab.reset()
    site.foreign.lab.reset()


@pytest.fixture
def empty_storage(site):
    """Empty the page's storage for a test to fill; afterwards the user is signed in again."""
    site.session.page.evaluate("() => localStorage.clear()")
    yield
    site.session.page.evaluate("() => localStorage.clear()")
    site.session.open(site.own.lab.sign_in(), base_url="")


def test_the_foreign_server_would_take_the_token(site):
    """Sent there on purpose, the token is good: the tests below would notice."""
    token = {"Authorization": f"Bearer {site.session.record()['access_token']}"}

    assert [200] == site.session.send(["GET", f"{site.foreign.url}/api/profile", {"headers": token}])


@pytest.mark.parametrize("url", READ_ELSEWHERE)
def test_no_token_goes_to_another_origin(site, url):
    """However the URL is written: no token leaves, and the 401 from there renews nothing (F75, F76, F77)."""
    assert [401] == site.session.get(site.fill(url))
    assert {"refresh": 0, "reuse": 0, "api": 1, "unauthorized": 1} == site.foreign.lab.counters()
    assert {"refresh": 0, "reuse": 0, "api": 0, "unauthorized": 0} == site.own.lab.counters()


@pytest.mark.parametrize("url", NOT_FETCHED)
def test_what_is_no_place_to_call_is_told(site, url):
    """It is told as an error, and the foreign server hears nothing (F77)."""
    assert [NOT_FETCHED[url]] == site.session.get(site.fill(url))
    assert 0 == site.foreign.lab.counters()["api"]
    assert 0 == site.own.lab.counters()["refresh"]


def test_the_callers_own_authorization_is_left_alone(site):
    """What the caller signed is sent as it is, and its 401 renews nothing (F79)."""
    own_words = {"headers": {"Authorization": "Basic YTpi"}}
    with site.session.page.expect_request("**/api/profile") as sent:
        assert [401] == site.session.send(["GET", "/api/profile", own_words])

    assert "Basic YTpi" == sent.value.all_headers()["authorization"]
    assert 0 == site.own.lab.counters()["refresh"]


def names_of_places(url):
    """Return all that a place to call could be named by, with `url` for each."""
    names = ["url", "refresh", "refresh_url", "refreshUrl", "endpoint", "base_url", "login", "revoke", "next"]
    return {**dict.fromkeys(names, url), "origins": [url], "exempt": [], "fields": {"url": url}}


@pytest.mark.usefixtures("empty_storage")
@pytest.mark.parametrize("adopted", [False, True])
def test_what_is_stored_names_no_place(site, adopted):
    """Who can write to the storage can't have tokens sent elsewhere, or the page (F85)."""
    session, elsewhere = site.session, site.foreign.url
    tokens = site.own.lab.sign_in()
    if adopted:
        session.store(accessToken=tokens["accessToken"], refreshToken=tokens["refreshToken"])
    else:
        record = {"access_token": tokens["accessToken"], "refresh_token": tokens["refreshToken"]}
        session.store(**{KEY: json.dumps({**names_of_places(f"{elsewhere}/refresh"), **record})})
    session.store(**{name: str(place) for name, place in names_of_places(elsewhere).items()})
    session.store(**{f"{KEY}:{name}": str(place) for name, place in names_of_places(elsewhere).items()})
    session.open(base_url="")
    site.own.lab.expire()

    assert [200, 200, 401] == session.get("/api/profile", "/api/notes", f"{elsewhere}/api/profile")
    assert 1 == site.own.lab.counters()["refresh"]
    assert {"refresh": 0, "reuse": 0, "api": 1, "unauthorized": 1} == site.foreign.lab.counters()
    site.own.lab.revoke()
    site.own.lab.expire()
    assert ["RefreshRejected"] == session.get("/api/profile")
    (redirect,) = session.redirects()
    assert redirect.startswith("/login?")
    assert 0 == site.foreign.lab.counters()["refresh"]


@pytest.mark.usefixtures("empty_storage")
@pytest.mark.parametrize("token", ["http://127.0.0.1:{port}/refresh", '{{"url":"http://127.0.0.1:{port}"}}'])
def test_a_token_that_looks_like_a_place_is_a_token(site, token):
    """It is sent to this page's API and refresh endpoint, which know no such token (F85)."""
    session = site.session
    session.store(accessToken=site.fill(token), refreshToken=site.fill(token))
    session.open(base_url="")

    assert ["RefreshRejected"] == session.get("/api/profile")
    assert {"refresh": 1, "reuse": 0, "api": 1, "unauthorized": 1} == site.own.lab.counters()
    assert {"refresh": 0, "reuse": 0, "api": 0, "unauthorized": 0} == site.foreign.lab.counters()


async def next_path(next):
    import js
    from opened import auth

    here = js.location.pathname
    js.history.replaceState(None, "", f"{here}?next={js.encodeURIComponent(next)}")
    try:
        return auth.next_path()
    finally:
        js.history.replaceState(None, "", here)


KEPT = {
    "/orders?page=2#3": "/orders?page=2#3",
    "/世界": "/%E4%B8%96%E7%95%8C",
    "orders/../../../../x": "/x",
    "/a//b": "/a//b",
    "/a?b=//c": "/a?b=//c",
    "http://127.0.0.1:{own}\\@127.0.0.1:{port}/": "/@127.0.0.1:{port}/",
}
LEFT = {
    "/.//127.0.0.1:{port}/",  # of this origin, and its path alone is a URL of another
    "/orders/..//127.0.0.1:{port}/",
    "http://127.0.0.1:{own}//127.0.0.1:{port}/",
    "/login",
    "/login/?next=/login",
    "http://localhost:{own}/",
    "//",
    "/\\/",
    "",
}


@pytest.mark.parametrize("next", KEPT)
def test_a_way_back_within_the_origin_is_kept(site, next):
    """After a sign-in the page may go there (F78)."""
    assert site.fill(KEPT[next]) == site.session.python(next_path, site.fill(next))


@pytest.mark.parametrize("next", sorted({*READ_ELSEWHERE, *NOT_FETCHED, *LEFT}))
def test_a_way_back_out_of_the_origin_leads_to_the_start(site, next):
    """Anybody can make a link to the login page (F78)."""
    assert "/" == site.session.python(next_path, site.fill(next))
