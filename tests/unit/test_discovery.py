"""What a developer can get wrong about an OAuth 2.0 provider: its metadata, its endpoints, the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from silent_refresh import AuthorizationError, RefreshEndpoint, SilentRefresh
from tests.world.browser import Tab
from tests.world.provider import ISSUER, WELL_KNOWN, Provider, come_back, discovered
from tests.world.server import Handler, saying


@pytest.fixture
async def auth(provider: Provider, tab: Tab) -> SilentRefresh:
    """Return a page's auth that found its provider out."""
    return await discovered(tab)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"issuer": "https://evil.example"}, "issuer"),
        ({"issuer": ISSUER + "/"}, "issuer"),
        ({"code_challenge_methods_supported": ["plain"]}, "pkce"),
        ({"code_challenge_methods_supported": None}, "pkce"),
        ({"authorization_endpoint": "javascript:alert(1)//://"}, "metadata"),
        ({"authorization_endpoint": "http://id.example/authorize"}, "metadata"),
        ({"token_endpoint": None}, "metadata"),
        ({"revocation_endpoint": "/revoke"}, "metadata"),
    ],
)
async def test_metadata_that_do_not_fit_are_refused(
    tab: Tab, provider: Provider, changed: dict[str, Any], reason: str
) -> None:
    """The issuer is the one asked (RFC 8414 §3.3), PKCE is offered, and every endpoint is an https URL."""
    provider.metadata |= changed

    with pytest.raises(AuthorizationError) as caught:
        await discovered(tab)

    assert reason == caught.value.reason


async def test_metadata_are_looked_for_in_both_places(tab: Tab, provider: Provider) -> None:
    """Without OpenID Connect's document there is that of RFC 8414, its path behind the well-known one."""
    routes = provider.server.routes
    routes["https://id.example/.well-known/oauth-authorization-server/realm"] = routes[WELL_KNOWN]
    routes[WELL_KNOWN] = saying(404)

    assert "/orders?page=2" == await come_back(await discovered(tab), tab, provider)


@pytest.mark.parametrize("answer", [saying(404), saying(200, "<html>"), saying(200, [])])
async def test_missing_metadata_say_what_to_do(tab: Tab, provider: Provider, answer: Any) -> None:
    """The error names the way without them."""
    routes = provider.server.routes
    routes[WELL_KNOWN] = routes["https://id.example/.well-known/oauth-authorization-server/realm"] = answer

    with pytest.raises(AuthorizationError, match="name its endpoints") as caught:
        await discovered(tab)

    assert "metadata" == caught.value.reason


@pytest.mark.parametrize("issuer", ["id.example", "http://id.example", ISSUER + "?a=b", "/realm", "ftp://id"])
async def test_an_issuer_is_a_whole_https_url(tab: Tab, issuer: str) -> None:
    """Anything else is refused before it's asked (RFC 8414 §2)."""
    with pytest.raises(ValueError, match="issuer"):
        await RefreshEndpoint.discover(issuer, "my-page", platform=tab.platform)


async def test_a_server_without_a_sign_in_says_so(tab: Tab) -> None:
    """The default endpoint can't be signed in at."""
    auth, _ = tab.sign()

    with pytest.raises(ValueError, match="where to sign in"):
        await auth.authorize()


@pytest.mark.parametrize("redirect_uri", ["https://evil.example/", "/callback#here"])
async def test_the_way_back_is_to_this_origin(auth: SilentRefresh, tab: Tab, redirect_uri: str) -> None:
    """Another origin has none of what this tab remembers."""
    with pytest.raises(ValueError, match="redirect_uri"):
        await auth.authorize(redirect_uri)

    assert [] == tab.gone_to


async def test_what_makes_it_safe_cannot_be_replaced(auth: SilentRefresh, tab: Tab) -> None:
    """Further parameters don't touch state or challenge."""
    with pytest.raises(ValueError, match="code_challenge, state"):
        await auth.authorize(state="mine", code_challenge="mine")

    assert [] == tab.gone_to


async def test_a_tab_that_cannot_remember_does_not_leave(auth: SilentRefresh, tab: Tab) -> None:
    """Where storage is blocked or full, the error comes before the trip, not after it."""

    def refuse(key: str, text: str) -> None:
        raise OSError("SecurityError")

    tab.remember = refuse  # type: ignore[method-assign]

    with pytest.raises(AuthorizationError) as caught:
        await auth.authorize()

    assert "storage" == caught.value.reason
    assert [] == tab.gone_to


RFC_8414 = "https://id.example/.well-known/oauth-authorization-server/realm"


async def test_both_documents_are_read_where_one_lacks_something(tab: Tab, provider: Provider) -> None:
    """django-oauth-toolkit's first one has no revocation_endpoint: a sign-out would leave the token alive."""
    revocation = provider.metadata.pop("revocation_endpoint")
    second = {"issuer": ISSUER, "revocation_endpoint": revocation, "token_endpoint": f"{ISSUER}/other"}
    provider.server.routes[RFC_8414] = saying(200, second)

    endpoint = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)

    assert [revocation, f"{ISSUER}/token"] == [endpoint.revoke, endpoint.url]


@pytest.mark.parametrize("second", [saying(404), saying(200, {"issuer": "https://evil.example"})])
async def test_one_document_will_do(tab: Tab, provider: Provider, second: Handler) -> None:
    """What is of another issuer adds nothing to it."""
    del provider.metadata["revocation_endpoint"]
    provider.server.routes[RFC_8414] = second

    endpoint = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)

    assert endpoint.revoke is None


async def test_a_whole_document_costs_one_call(tab: Tab, provider: Provider) -> None:
    """The second is asked for what is missing."""
    await discovered(tab)

    assert [WELL_KNOWN] == [call.path for call in provider.server.calls]


async def test_a_page_starts_while_its_provider_cannot_be_reached(tab: Tab, provider: Provider) -> None:
    """Signed in as before, by what was read another day; and that is read anew when it can be."""
    auth = await discovered(tab)
    await come_back(auth, tab, provider)
    provider.server.routes[WELL_KNOWN] = saying(503)

    again = await discovered(tab.browser.open("/later"))

    await again.restored()
    assert again.signed_in
    await again.refresh()
    del provider.metadata["end_session_endpoint"]
    provider.server.routes[WELL_KNOWN] = provider._tell
    assert (await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)).end_session is None


@pytest.mark.parametrize(
    "changed",
    [
        {"token_endpoint": "https://evil.example/token"},
        {"revocation_endpoint": "https://evil.example/revoke"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"issuer": "https://evil.example"},
        {"code_challenge_methods_supported": []},
    ],
)
async def test_f85_what_is_kept_leads_to_no_other_origin(
    tab: Tab, provider: Provider, changed: dict[str, Any]
) -> None:
    """Anybody may have written to the store (F85)."""
    await discovered(tab)
    (key,) = [key for key in tab.view if "metadata" in key]
    tab.browser.store(key, json.dumps({**json.loads(tab.view[key]), **changed}))
    provider.server.routes[WELL_KNOWN] = saying(503)

    with pytest.raises(AuthorizationError):
        await discovered(tab.browser.open("/later"))


async def test_whoever_asked_silently_is_told_what_the_provider_said(tab: Tab, provider: Provider) -> None:
    """``prompt="none"`` answered login_required: its code, its words, and what to do."""
    auth = await discovered(tab)

    with pytest.raises(AuthorizationError, match=r'without prompt="none"') as told:
        await come_back(
            auth, tab, provider, code=None, error="login_required", error_description="No session here"
        )
    assert ("login_required", "No session here") == (told.value.reason, told.value.description)


@pytest.mark.parametrize("words", ["", "ö", 'a "quote"', "line\nbreak", "x" * 501])
async def test_words_that_no_provider_may_say_are_not_passed_on(
    tab: Tab, provider: Provider, words: str
) -> None:
    """RFC 6749 §4.1.2.1 says which characters."""
    auth = await discovered(tab)

    with pytest.raises(AuthorizationError) as told:
        await come_back(auth, tab, provider, code=None, error="server_error", error_description=words)
    assert told.value.description is None


@pytest.mark.parametrize(("scope", "is_told"), [("offline_access", True), ("profile", False)])
async def test_a_refresh_token_that_did_not_come_is_told(
    tab: Tab, provider: Provider, caplog: pytest.LogCaptureFixture, scope: str, is_told: bool
) -> None:
    """Who asked for one gets to know why the session is short."""
    auth = await discovered(tab)
    named = provider._named
    provider._named = lambda granted: {**named(granted), "refresh_token": ""}  # type: ignore[method-assign]

    await come_back(auth, tab, provider, scope=scope)

    assert is_told == ('prompt="consent"' in caplog.text)
    assert auth.tokens is not None
    assert auth.tokens.refresh_token is None
