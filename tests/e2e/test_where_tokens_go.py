"""Tokens and redirects stay at home, whatever the URL looks like: decided by the browser's own parser.

The foreign server has the data of the page's own: a token that reached it would be answered 200 there.
"""

from __future__ import annotations

import pytest

from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
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
