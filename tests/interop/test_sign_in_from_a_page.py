"""A static page signs in at the Authlib server, which is at another origin, in a real browser."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from silent_refresh import AuthorizationError, Client, RefreshEndpoint, SilentRefresh
from tests.e2e.page_python import ADDRESS, PagePython
from tests.interop.conftest import ServerOf
from tests.interop.presets import OAUTH2
from tests.interop.running import InteropServer

WHAT_IS_LEFT = """() => JSON.stringify([
    location.href, history.state, document.referrer, window.name, { ...sessionStorage },
    navigation.entries().map(({ url }) => url), navigation.currentEntry.getState(),
])"""

WHAT_THE_BROWSER_TELLS = "() => JSON.stringify(performance.getEntries())"


async def begin(issuer, parameters):
    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"))
    await auth.authorize(**{"scope": "profile offline_access", **parameters})


async def complete(issuer):
    import js

    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"))
    try:
        told = await auth.complete_authorization()
    except AuthorizationError as error:
        told = error.reason
    address = js.location.pathname + js.location.search
    kept = sum("authorization" in name for name in js.Object.keys(js.sessionStorage))
    auth.close()
    return {"told": told, "signed in": auth.signed_in, "address": address, "kept": kept}


async def ask(issuer):
    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"))
    response = await Client(issuer, auth=auth).get("/api/me")
    refresh_token = auth.tokens.refresh_token
    auth.close()
    return {"status": response.status, "answer": await response.json(), "refresh token": refresh_token}


async def sign_out(issuer):
    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"), login=None)
    await auth.sign_out()
    auth.close()
    return auth.signed_in


async def discover(issuer):
    try:
        await RefreshEndpoint.discover(issuer, "demo-page")
    except AuthorizationError as error:
        return error.reason


class StaticPage:
    """The shared page, and the provider that it signs in at."""

    def __init__(self, page_python: PagePython, provider: InteropServer) -> None:
        self.python = page_python
        self.page = page_python.page
        self.provider = provider

    def go_and_come_back(self, **parameters: str) -> str:
        """Leave for the provider, and return the address at which the page is then loaded anew."""
        self.python.start(begin, self.provider.url, parameters)
        expect(self.page).to_have_url(re.compile(r"[?&]state="))
        self.python.wait_until_ready()
        return self.page.url

    def arrive_at(self, url: str) -> None:
        """Load the page at this address, as a link that somebody made would."""
        self.page.goto(url)
        self.python.wait_until_ready()

    def complete(self) -> dict[str, Any]:
        """Complete the sign-in; return what came of it."""
        answer: dict[str, Any] = self.python(complete, self.provider.url)
        return answer

    def ask(self) -> dict[str, Any]:
        """Ask the API who is signed in."""
        answer: dict[str, Any] = self.python(ask, self.provider.url)
        return answer


@pytest.fixture
def provider(server_of: ServerOf, base_url: str) -> InteropServer:
    """Return the server, which lets the page's origin in."""
    provider = server_of(OAUTH2, "--allow-origin", base_url)
    provider.lab.reset()
    return provider


@pytest.fixture
def static_page(page_python: PagePython, provider: InteropServer) -> StaticPage:
    """Return the page; nobody is signed in."""
    return StaticPage(page_python, provider)


def refused(reason: str) -> dict[str, Any]:
    """Return what an answer comes to that is refused: nobody is signed in, and nothing is left of it."""
    return {"told": reason, "signed in": False, "address": ADDRESS, "kept": 0}


def test_from_sign_in_to_sign_out(static_page: StaticPage, provider: InteropServer) -> None:
    """Signed in, expired and renewed unseen, signed out and revoked at the server."""
    static_page.go_and_come_back()

    assert {"told": ADDRESS, "signed in": True, "address": ADDRESS, "kept": 0} == static_page.complete()

    provider.lab.reset()
    before = static_page.ask()
    provider.lab.expire()
    after = static_page.ask()
    assert ({"user": "demo"}, {"user": "demo"}) == (before["answer"], after["answer"])
    assert before["refresh token"] != after["refresh token"]
    assert 1 == provider.lab.counters()["refresh"]

    assert static_page.python(sign_out, provider.url) is False
    assert (400, "invalid_grant") == renewed_with(after["refresh token"], provider)


async def show_who(issuer):
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"), login=None)
    sys.modules["signed_in"] = SimpleNamespace(auth=auth)
    await auth.complete_authorization()
    return dict(auth.claims)


async def leave():
    from signed_in import auth

    await auth.sign_out(provider=True)


def test_openid_says_who_it_is_and_signs_out_at_the_provider(
    static_page: StaticPage, provider: InteropServer, base_url: str
) -> None:
    """The ID token is a real one; the provider takes it back, and sends the page where it came from."""
    static_page.go_and_come_back(scope="openid profile offline_access")
    claims = static_page.python(show_who, provider.url)
    with static_page.page.expect_request(f"{provider.url}/logout?*") as sent:
        static_page.python.start(leave)

    assert ("demo", "Demo", provider.url) == (claims["sub"], claims["name"], claims["iss"])
    said = parse_qs(urlsplit(sent.value.url).query)
    assert {"id_token_hint", "client_id", "post_logout_redirect_uri"} == said.keys()
    static_page.page.wait_for_url(f"{base_url}{ADDRESS}")
    static_page.python.wait_until_ready()
    kept = static_page.page.evaluate("() => Object.keys(localStorage)")
    assert [f"silent-refresh:metadata {provider.url}"] == kept  # for a start without the provider


def test_nothing_of_the_answer_stays_in_the_page(static_page: StaticPage) -> None:
    """Code and state are out of the address line, the history and what the next page is told of this one."""
    url = static_page.go_and_come_back()
    [code], [state] = (parse_qs(urlsplit(url).query)[name] for name in ("code", "state"))

    assert static_page.complete()["signed in"]

    left = static_page.page.evaluate(WHAT_IS_LEFT)
    assert ADDRESS in left
    assert code not in left
    assert state not in left


def test_no_token_stays_where_others_read(static_page: StaticPage) -> None:
    """Neither in the history, nor in what the browser tells of this navigation and of each request."""
    static_page.go_and_come_back()
    assert static_page.complete()["signed in"]
    record = json.loads(static_page.page.evaluate("() => localStorage.getItem('silent-refresh')"))

    left = static_page.page.evaluate(WHAT_IS_LEFT) + static_page.page.evaluate(WHAT_THE_BROWSER_TELLS)

    assert "/token" in left
    for token in (record["access_token"], record["refresh_token"]):
        assert token not in left


def renewed_with(refresh_token: str, provider: InteropServer) -> tuple[int, str]:
    """Use a refresh token, and return status and error."""
    form = {"grant_type": "refresh_token", "client_id": "demo-page", "refresh_token": refresh_token}
    response = httpx.post(f"{provider.url}/token", data=form, trust_env=False)
    return response.status_code, response.json().get("error")


@pytest.mark.parametrize(("name", "reason"), [("state", "state"), ("iss", "issuer")])
def test_an_answer_that_was_changed_is_refused(static_page: StaticPage, name: str, reason: str) -> None:
    """Another state or issuer than was asked for signs nobody in, though the code is good."""
    url = static_page.go_and_come_back()
    [value] = parse_qs(urlsplit(url).query)[name]
    static_page.arrive_at(str(httpx.URL(url).copy_set_param(name, value + "x")))

    assert refused(reason) == static_page.complete()


def test_a_user_who_does_not_agree_is_not_signed_in(static_page: StaticPage) -> None:
    """The provider's no arrives as it was said."""
    static_page.go_and_come_back(login_hint="nobody")

    assert refused("access_denied") == static_page.complete()


def test_a_code_that_was_used_signs_nobody_in(static_page: StaticPage, provider: InteropServer) -> None:
    """Somebody else was faster with the code: the server refuses it, and so does the page afterwards."""
    url = static_page.go_and_come_back()
    kept = static_page.page.evaluate("() => JSON.parse(sessionStorage['silent-refresh:authorization'])")
    form = {"grant_type": "authorization_code", "client_id": "demo-page", "code_verifier": kept["verifier"]}
    form |= {"redirect_uri": kept["redirect_uri"], "code": httpx.URL(url).params["code"]}
    assert 200 == httpx.post(f"{provider.url}/token", data=form, trust_env=False).status_code

    assert refused("invalid_grant") == static_page.complete()

    static_page.arrive_at(url)
    assert refused("state") == static_page.complete()


def test_missing_metadata_are_told(static_page: StaticPage, server_of: ServerOf, base_url: str) -> None:
    """Whether there are none, or this origin may not read them: the error says so before the page is left."""
    assert "metadata" == static_page.python(discover, base_url)
    assert "metadata" == static_page.python(discover, server_of(OAUTH2).url)


def test_another_issuers_metadata_are_refused(static_page: StaticPage, provider: InteropServer) -> None:
    """The issuer in the metadata is the one that was asked, letter by letter (RFC 8414 §3.3)."""
    assert "issuer" == static_page.python(discover, provider.url + "/")
