"""What a developer can get wrong about an OAuth 2.0 provider: its metadata, its endpoints, the way back."""

from __future__ import annotations

from typing import Any

import pytest

from silent_refresh import AuthorizationError, RefreshEndpoint, SilentRefresh
from tests.world.browser import Tab
from tests.world.provider import ISSUER, WELL_KNOWN, Provider, come_back, discovered
from tests.world.server import saying


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
