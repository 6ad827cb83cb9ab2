"""What a developer can get wrong: loud, with what to change, and nobody is signed out."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest

from silent_refresh import RefreshMisconfigured, RefreshUnavailable
from tests.interop.conftest import OpenPage
from tests.interop.page import Page
from tests.interop.presets import (
    ALLAUTH,
    ARTICLE,
    AUTHX,
    BETTER_AUTH,
    COOKIE,
    DJANGO_OAUTH_TOOLKIT,
    FLASK_JWT_EXTENDED,
    OAUTH2,
    PRESETS,
    SIMPLEJWT,
    SUPABASE,
    Preset,
)

MISTAKES: dict[str, tuple[Preset, dict[str, Any], str]] = {
    "article: another path": (ARTICLE, {"url": "{url}/api/refresh"}, "404: check the URL"),
    "simplejwt: another path": (SIMPLEJWT, {"url": "{url}/api/refresh/"}, "404: check the URL"),
    "simplejwt: a resource": (
        SIMPLEJWT,
        {"url": "{url}/api/me"},
        "check the URL, this one takes access tokens",
    ),
    "flask: another path": (FLASK_JWT_EXTENDED, {"url": "{url}/renew"}, "404: check the URL"),
    "flask: a resource": (FLASK_JWT_EXTENDED, {"url": "{url}/api/me"}, "this one takes access tokens"),
    "oauth2: another path": (OAUTH2, {"url": "{url}/oauth/token"}, "404: check the URL"),
    "oauth2: the authorization endpoint": (OAUTH2, {"url": "{url}/authorize"}, "405: check the URL"),
    "oauth2: an unknown client": (OAUTH2, {"client_id": "nobody"}, "invalid_client: check client_id"),
    "oauth2: a client that may not": (
        OAUTH2,
        {"client_id": "page-without-refresh"},
        "unauthorized_client: let this client use refresh tokens",
    ),
    "oauth2: a wider scope": (OAUTH2, {"scope": "profile admin"}, "invalid_scope: ask for no other scope"),
    "supabase: another apikey": (SUPABASE, {"apikey": "a-wrong-key"}, "check the apikey"),
    "supabase: another path": (SUPABASE, {"url": "{url}/project"}, "404: check the URL"),
    "cookie: another CSRF header": (COOKIE, {"csrf_header": ("X-CSRF", "1")}, "403: check the CSRF header"),
    "cookie: another path": (COOKIE, {"url": "{url}/refresh"}, "404: check the URL"),
    "django-oauth-toolkit: no slash": (DJANGO_OAUTH_TOOLKIT, {"url": "{url}/token"}, "404: check the URL"),
    "django-oauth-toolkit: an unknown client": (
        DJANGO_OAUTH_TOOLKIT,
        {"client_id": "nobody"},
        "invalid_client: check client_id",
    ),
    "allauth: another path": (ALLAUTH, {"url": "{url}/_allauth/app/v1/refresh"}, "404: check the URL"),
    "allauth: a resource": (ALLAUTH, {"url": "{url}/api/me"}, "this one takes access tokens"),
    "authx: another path": (AUTHX, {"url": "{url}/renew"}, "404: check the URL"),
    "authx: a resource": (AUTHX, {"url": "{url}/api/me", "method": "GET"}, "this one takes access tokens"),
    "better-auth: another path": (BETTER_AUTH, {"url": "{url}/api/auth/renew"}, "404: check the URL"),
    "better-auth: another answer": (BETTER_AUTH, {"access_path": "jwt"}, "without 'jwt'"),
}
MIX_UPS = [(right, wrong) for right, wrong in product(PRESETS, PRESETS) if COOKIE is not right is not wrong]


async def assert_loud(page: Page, told: str, caplog: pytest.LogCaptureFixture) -> None:
    """Expect the error, in the log too, and a session that goes on."""
    before = page.tokens

    with pytest.raises(RefreshMisconfigured, match=told):
        await page.auth.refresh()

    assert re.search(told, caplog.text)
    assert before == page.tokens
    assert [] == page.tab.gone_to


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_wrong_argument_is_named(
    open_page: OpenPage, mistake: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The error says which argument of the preset to look at."""
    preset, arguments, told = MISTAKES[mistake]
    page = open_page(preset, **arguments)
    await page.sign_in()

    await assert_loud(page, told, caplog)


@pytest.mark.parametrize(("right", "wrong"), MIX_UPS, ids=str)
async def test_another_servers_preset_signs_nobody_out(
    open_page: OpenPage, right: Preset, wrong: Preset, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever preset is taken for whichever server, the mix-up is told and the tokens are kept."""
    page = open_page(right, taken_for=wrong)
    await page.sign_in()

    await assert_loud(page, "preset|RefreshEndpoint", caplog)


async def test_a_url_without_its_slash_is_told(open_page: OpenPage) -> None:
    """Django redirects to the URL with a slash, and the refresh token doesn't go along."""
    page = open_page(SIMPLEJWT, url="{url}/api/token/refresh")
    before = await page.sign_in()

    with pytest.raises(RefreshUnavailable, match="a missing trailing slash"):
        await page.auth.refresh()

    assert before == page.tokens
