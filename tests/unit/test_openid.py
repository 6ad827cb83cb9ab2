"""OpenID Connect: whose ID token is believed, what the page is shown, signing out at the provider."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from silent_refresh import AuthorizationError, Client, NotSignedIn, RefreshEndpoint, SilentRefresh, Tokens
from tests.world.browser import Browser, Tab
from tests.world.loop import later
from tests.world.provider import ISSUER, NOW, Provider, come_back, discovered, jwt
from tests.world.server import Server

OPENID = "openid profile"


@pytest.fixture
async def auth(provider: Provider, tab: Tab) -> SilentRefresh:
    """Return a page's auth that found its provider out."""
    return await discovered(tab)


def said_by(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


# Who signed in


async def test_the_page_is_shown_who_signed_in(auth: SilentRefresh, tab: Tab, provider: Provider) -> None:
    """By the claims of the ID token, as long as that session lasts; no API gets the token."""
    assert auth.claims is None
    await come_back(auth, tab, provider, OPENID)

    assert auth.claims is not None
    assert ("ada", "Ada") == (auth.claims["sub"], auth.claims["name"])
    with pytest.raises(TypeError):
        auth.claims["sub"] = "bob"  # type: ignore[index]
    await Client("/api", auth=auth).get("me")
    await auth.refresh()
    assert "ada" == auth.claims["sub"]
    assert all(call.token is None or call.token.startswith("access-") for call in provider.server.calls)
    await auth.sign_in(Tokens("opaque"))
    assert auth.claims is None


async def test_an_access_token_that_is_a_jwt_says_who_it_is(auth: SilentRefresh, browser: Browser) -> None:
    """Also in another tab and after a reload, where the ID token isn't."""
    await auth.sign_in(Tokens(jwt({"sub": "ada", "exp": NOW + 60}), "r"))
    await later(1)

    assert {"sub": "ada", "exp": NOW + 60} == auth.claims
    other, _ = browser.open().sign(refresh=RefreshEndpoint.oauth2(f"{ISSUER}/token", "my-page"))
    assert {"sub": "ada", "exp": NOW + 60} == other.claims


@pytest.mark.parametrize("token", ["a.b.c", "e30.W10.c2ln", "e30.bnVsbA.c2ln", "a.b", "...", "e30.e30.c2ln"])
async def test_what_says_nothing_of_anybody_has_no_claims(auth: SilentRefresh, token: str) -> None:
    """Opaque tokens, and JWTs that aren't objects."""
    await auth.sign_in(Tokens(token))

    assert auth.claims is None


async def test_each_sign_in_has_a_nonce_of_its_own(auth: SilentRefresh, tab: Tab) -> None:
    """256 random bits, where OpenID is used; a page may send its own; without OpenID there's none."""
    for scope, parameters in ((OPENID, {}), (OPENID, {}), (OPENID, {"nonce": "mine"}), ("profile", {})):
        await auth.authorize(scope=scope, **parameters)

    first, second, own, none = (said_by(url).get("nonce") for url in tab.gone_to)
    assert (43, "mine", None) == (len(first or ""), own, none)
    assert first != second


GOOD: list[dict[str, Any]] = [
    {},
    {"aud": ["my-page"]},
    {"aud": ["my-page", "api"], "azp": "my-page"},
    {"azp": "my-page"},
    {"exp": NOW - 200},  # the computers' clocks may differ
    {"exp": 10**400},
]
BAD: list[tuple[str, dict[str, Any]]] = [
    ("iss", {"iss": "https://evil.example"}),
    ("iss", {"iss": ISSUER + "/"}),
    ("iss", {"iss": None}),
    ("aud", {"aud": "another-page"}),
    ("aud", {"aud": ["api"]}),
    ("aud", {"aud": "my-page-2"}),
    ("aud", {"aud": None}),
    ("aud", {"aud": {"my-page": 1}}),
    ("azp", {"aud": ["my-page", "api"]}),
    ("azp", {"aud": ["my-page", "api"], "azp": "api"}),
    ("azp", {"azp": "another-page"}),
    ("nonce", {"nonce": "another"}),
    ("nonce", {"nonce": None}),
    ("exp", {"exp": NOW - 400}),
    ("exp", {"exp": None}),
    ("exp", {"exp": "soon"}),
    ("exp", {"exp": True}),
    ("exp", {"exp": float("nan")}),
    ("sub", {"sub": None}),
    ("sub", {"sub": 7}),
]


@pytest.mark.parametrize("claims", GOOD)
async def test_an_id_token_that_fits_is_believed(
    auth: SilentRefresh, tab: Tab, provider: Provider, claims: dict[str, Any]
) -> None:
    """OpenID Connect Core §3.1.3.7."""
    provider.claims = claims

    assert "/orders?page=2" == await come_back(auth, tab, provider, OPENID)


@pytest.mark.parametrize(("claim", "claims"), BAD)
async def test_an_id_token_that_does_not_fit_signs_nobody_in(
    auth: SilentRefresh, tab: Tab, provider: Provider, claim: str, claims: dict[str, Any]
) -> None:
    """It is of another provider, page, sign-in or time; the error names the claim and holds no token."""
    provider.claims = claims

    with pytest.raises(AuthorizationError, match=rf"\b{claim}\b") as caught:
        await come_back(auth, tab, provider, OPENID)

    assert ("id_token", False) == (caught.value.reason, auth.signed_in)
    assert "e30." not in str(caught.value)


async def test_an_id_token_that_is_missing_signs_nobody_in(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """A provider that was asked for one has to send it."""
    provider.issues_id_tokens = False

    with pytest.raises(AuthorizationError, match="there is none") as caught:
        await come_back(auth, tab, provider, OPENID)

    assert "id_token" == caught.value.reason


async def test_whoever_issues_it_is_checked_where_that_is_known(tab: Tab, provider: Provider) -> None:
    """Endpoints named in code without an issuer: the token endpoint's word has to do."""
    endpoint = RefreshEndpoint.oauth2(f"{ISSUER}/token", "my-page", authorize=f"{ISSUER}/authorize?tenant=1")
    auth, _ = tab.sign(refresh=endpoint)
    provider.claims = {"iss": "https://names.itself.example"}

    assert await come_back(auth, tab, provider, OPENID, iss=None)


# Signing out at the provider


async def test_a_sign_out_can_be_the_providers_too(auth: SilentRefresh, tab: Tab, provider: Provider) -> None:
    """The page goes there, with who it was and where to come back to; the tokens are gone first."""
    await come_back(auth, tab, provider, OPENID)
    events: list[Any] = []
    auth.listen(lambda event: events.append((event.name, event.reason)))

    await auth.sign_out(provider=True)
    await later(0)

    assert f"{ISSUER}/logout" == tab.gone_to[-1].partition("?")[0]
    said = said_by(tab.gone_to[-1])
    assert {"id_token_hint", "client_id", "post_logout_redirect_uri"} == said.keys()
    assert ("my-page", "https://app.example/orders") == (said["client_id"], said["post_logout_redirect_uri"])
    assert said["id_token_hint"].startswith("e30.")
    assert [("signed-out", "sign_out")] == events
    assert (False, 1) == (auth.signed_in, len(provider.revoked))
    assert not [url for url in tab.gone_to if "/login" in url]


async def test_a_request_meanwhile_leads_nowhere_else(
    auth: SilentRefresh, tab: Tab, server: Server, provider: Provider
) -> None:
    """It is refused, as nobody is signed in any more, before the page is on its way to the provider."""
    await come_back(auth, tab, provider, OPENID)
    client = Client("/api", auth=auth)
    server.delay = lambda way: 0.05
    tab.gone_to.clear()
    leaving = asyncio.ensure_future(auth.sign_out(provider=True))
    await asyncio.sleep(0)

    with pytest.raises(NotSignedIn):
        await client.get("me")
    await leaving

    [url] = tab.gone_to
    assert provider.metadata["end_session_endpoint"] == url.partition("?")[0]


async def test_without_an_id_token_the_provider_is_told_the_client(
    auth: SilentRefresh, tab: Tab, server: Server, provider: Provider
) -> None:
    """Where the session isn't the one that it was for, after a reload say; and where there's none."""
    await come_back(auth, tab, provider, OPENID)
    for is_signed_in in (True, False):
        if is_signed_in:
            await auth.sign_in(server.sign_in() | {"access_token": "a"})
        await auth.sign_out(provider=True, redirect_uri="/bye")
        assert {"client_id": "my-page", "post_logout_redirect_uri": "https://app.example/bye"} == said_by(
            tab.gone_to[-1]
        )


async def test_a_sign_out_stays_here_unless_it_is_asked_for(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """Whoever signs out of a page doesn't expect to be signed out of all others."""
    await come_back(auth, tab, provider, OPENID)

    await auth.sign_out()

    assert "/login?reason=sign_out" == tab.gone_to[-1]


async def test_a_provider_without_a_sign_out_is_left_at_that(tab: Tab, provider: Provider) -> None:
    """The session ends here, and the page goes to the login as ever."""
    del provider.metadata["end_session_endpoint"]
    auth = await discovered(tab)
    await come_back(auth, tab, provider, OPENID)

    await auth.sign_out(provider=True)

    assert (False, "/login?reason=sign_out") == (auth.signed_in, tab.gone_to[-1])


async def test_a_way_back_elsewhere_is_refused_before_anything_is_done(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """An address of another origin is a mistake in the page's code."""
    await come_back(auth, tab, provider, OPENID)

    with pytest.raises(ValueError, match="own origin"):
        await auth.sign_out(provider=True, redirect_uri="https://evil.example/")

    assert auth.signed_in


async def test_a_page_that_comes_back_from_the_providers_sign_out_leaves(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """Out of the bfcache it would show the data of somebody who left."""
    await come_back(auth, tab, provider, OPENID)
    await auth.sign_out(provider=True)

    tab.stayed[-1](True)

    assert "/login?reason=sign_out" == tab.gone_to[-1]


async def test_an_address_of_the_metadata_is_a_secure_one(tab: Tab, provider: Provider) -> None:
    """An ID token doesn't go out in the clear."""
    provider.metadata["end_session_endpoint"] = "http://id.example/logout"

    with pytest.raises(AuthorizationError, match="end_session_endpoint"):
        await discovered(tab)


async def test_f80_what_is_remembered_holds_no_id_token(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """It is in this page's memory alone: in no store, no event, no ``repr`` (F80)."""
    told: list[str] = []
    auth.listen(lambda event: told.append(repr(event)))
    await come_back(auth, tab, provider, OPENID)
    await later(1)

    assert told
    assert "e30." not in json.dumps([tab.view, tab.memory, told, repr(auth), repr(auth.tokens), tab.url])
