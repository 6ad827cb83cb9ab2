"""A static page signs in at oidc-provider, which takes nothing but DPoP, with nonces, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from silent_refresh import Client, RefreshEndpoint, RequestsAuth, SilentRefresh, install, serve_workers
from tests.e2e.page_packages import give_packages
from tests.e2e.page_python import PagePython
from tests.e2e.workers import open_page_in
from tests.interop.conftest import ServerOf
from tests.interop.presets import OIDC_PROVIDER
from tests.interop.running import InteropServer
from tests.interop.test_oidc_provider import Sender

COUNT = 20  # requests


async def begin(issuer):
    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"), login=None)
    await auth.authorize(scope="openid profile offline_access", prompt="consent")


async def come_back(issuer):
    """Complete the sign-in, or go on with it, and leave the session in the page."""
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(await RefreshEndpoint.discover(issuer, "demo-page"), login=None)
    await auth.complete_authorization()
    sys.modules["signed_in"] = SimpleNamespace(auth=auth, client=Client(issuer, auth=auth))
    return [auth.tokens.access_token, auth.tokens.refresh_token]


async def ask_by_client(url, count):
    from asyncio import gather

    from signed_in import client

    answers = await gather(*(client.get(url) for _ in range(count)))
    return [[answer.status, await answer.json()] for answer in answers]


async def ask_by_install(url, count):
    from asyncio import gather
    from json import loads

    import js
    from signed_in import auth

    undo = install(auth)
    try:
        answers = await gather(*(js.fetch(url) for _ in range(count)))
        return [[answer.status, loads(await answer.text())] for answer in answers]
    finally:
        undo()


async def ask_by_requests(url, count):
    import requests
    from signed_in import auth

    http = requests.Session()
    http.auth = RequestsAuth(auth)
    answers = [http.get(url) for _ in range(count)]
    return [[answer.status_code, answer.json()] for answer in answers]


async def let_workers_in():
    import sys

    from signed_in import auth

    sys.modules["signed_in"].stop = serve_workers(auth)


async def open_in_worker(issuer):
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh()
    sys.modules["signed_in"] = SimpleNamespace(auth=auth, client=Client(issuer, auth=auth))


async def tokens():
    from signed_in import auth

    return [auth.tokens.access_token, auth.tokens.refresh_token]


async def sign_out():
    from signed_in import auth

    await auth.sign_out()
    return auth.signed_in


class SignedInPage:
    """A page that signed in, and the provider."""

    def __init__(self, python: PagePython, provider: InteropServer) -> None:
        self.python = python
        self.provider = provider
        python.start(begin, provider.url)
        expect(python.page).to_have_url(re.compile(r"[?&]state="))
        python.wait_until_ready()
        self.first_tokens: list[str] = python(come_back, provider.url)
        provider.lab.reset()

    def expect_one_refresh(self, ask: Callable[..., Any], python: PagePython | None = None) -> None:
        """Let the token and the nonce run out, and send many: all are answered, for one refresh."""
        self.provider.lab.expire()
        self.provider.lab.reset()

        answers = (python or self.python)(ask, f"{self.provider.url}/api/me", COUNT)

        assert [[200, {"sub": "demo", "name": "Demo"}]] * COUNT == answers
        counted = self.provider.lab.counters()
        assert 1 == counted["refresh"] - counted["token_nonces"]
        assert counted["token_nonces"] <= 1


@pytest.fixture
def provider(server_of: ServerOf, base_url: str) -> InteropServer:
    """Return the provider, which lets the page's origin in."""
    return server_of(OIDC_PROVIDER, "--dpop", "--allow-origin", base_url)


@pytest.fixture
def signed_in(page_python: PagePython, provider: InteropServer) -> SignedInPage:
    """Return the shared page, signed in by authorization code."""
    return SignedInPage(page_python, provider)


def test_from_sign_in_to_sign_out(signed_in: SignedInPage) -> None:
    """Discovered, signed in, renewed twice with rotation, signed out and revoked at the provider."""
    seen = [signed_in.first_tokens]
    for _ in range(2):
        signed_in.expect_one_refresh(ask_by_client)
        seen.append(signed_in.python(tokens))
    assert 3 == len({access for access, _ in seen}) == len({refresh for _, refresh in seen})

    revoked = f"{signed_in.provider.url}/revoke"
    with signed_in.python.page.expect_response(revoked) as told:
        assert signed_in.python(sign_out) is False

    assert 200 == told.value.status


def test_what_a_script_can_read_is_worthless_elsewhere(signed_in: SignedInPage) -> None:
    """Whoever has both tokens, and a key of his own, gets neither an answer nor tokens."""
    access_token, refresh_token = signed_in.first_tokens
    thief = Sender(signed_in.provider.url)

    asked = thief.learn(lambda: thief.me(access_token))
    renewed = thief.learn(lambda: thief.refresh(refresh_token))

    assert [401, 400] == [asked.status_code, renewed.status_code]
    signed_in.expect_one_refresh(ask_by_client)


def test_javascript_and_python_through_install(signed_in: SignedInPage) -> None:
    """What calls the page's fetch is signed too."""
    signed_in.expect_one_refresh(ask_by_install)


def test_a_reload_goes_on_with_the_same_key(signed_in: SignedInPage) -> None:
    """The key is in the database, where no script can read it out."""
    signed_in.python.open()
    signed_in.python(come_back, signed_in.provider.url)

    signed_in.expect_one_refresh(ask_by_client)


def test_requests_that_wait(page: Page, provider: InteropServer) -> None:
    """Where Python can wait, requests is signed as well."""
    python = PagePython(page)
    python.open()
    signed_in = SignedInPage(python, provider)
    give_packages(python)

    signed_in.expect_one_refresh(ask_by_requests)


def test_a_worker(page: Page, provider: InteropServer) -> None:
    """A worker's requests are signed too, and the page renews for it."""
    tab = PagePython(page)
    tab.open()
    signed_in = SignedInPage(tab, provider)
    # Chromium asks before a page calls this machine whose policy a test wrote: it came from no network.
    page.context.grant_permissions(["local-network-access"])
    python = open_page_in(page.context, "strict")
    python(come_back, provider.url)
    python(let_workers_in)
    in_worker = PagePython(python.page, runner="runPythonInWorker")
    in_worker(open_in_worker, provider.url)

    signed_in.expect_one_refresh(ask_by_client, in_worker)
