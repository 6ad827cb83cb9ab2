"""What single real servers do, beyond what all have to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from silent_refresh import Client, Headers, NotSignedIn, RefreshEndpoint, Request, Tokens
from tests.interop.conftest import ServerOf
from tests.interop.network import Network
from tests.interop.presets import ALLAUTH, CREDENTIALS, DJANGO_OAUTH_TOOLKIT
from tests.world.browser import Browser

IS_JSON = Headers({"Content-Type": "application/json"})


async def fetch(network: Network, method: str, url: str, body: Any = None) -> Any:
    """Return what a server says to somebody who isn't signed in."""
    text = None if body is None else json.dumps(body)
    answer = await network.transport(Request(method, url, headers=IS_JSON, body=text))
    return await answer.raise_for_status().json()


async def test_django_oauth_toolkits_revocation_is_in_its_other_document(
    server_of: ServerOf, network: Network
) -> None:
    """Its OpenID metadata have none: with these alone a sign-out would leave the refresh token alive."""
    url = server_of(DJANGO_OAUTH_TOOLKIT).url
    tab = Browser(network).open("/")  # type: ignore[arg-type]  # it asks for transport() alone
    openid = await fetch(network, "GET", f"{url}/.well-known/openid-configuration")

    endpoint = await RefreshEndpoint.discover(url, "demo-page", platform=tab.platform)

    assert "revocation_endpoint" not in openid
    assert (f"{url}/token/", f"{url}/revoke_token/") == (endpoint.url, endpoint.revoke)


async def test_allauths_session_token_is_sent_and_ended(server_of: ServerOf, network: Network) -> None:
    """In its own field, with nothing to renew; the sign-out's DELETE, which is answered 401, ends it."""
    url = server_of(ALLAUTH).url
    app = f"{url}/_allauth/app/v1"
    granted = await fetch(network, "POST", f"{app}/auth/login", CREDENTIALS)
    endpoint = RefreshEndpoint(
        f"{app}/tokens/refresh",
        header="X-Session-Token",
        revoke=f"{app}/auth/session",
        revoke_method="DELETE",
    )

    for is_good in (True, False):
        tab = Browser(network).open("/")  # type: ignore[arg-type]  # it asks for transport() alone
        auth, _ = tab.sign(refresh=endpoint)
        client = Client(url, auth=auth)
        await auth.sign_in(Tokens(granted["meta"]["session_token"]))
        if is_good:
            assert 200 == (await client.get("/api/me")).status
            await auth.sign_out()
        else:
            with pytest.raises(NotSignedIn):
                await client.get("/api/me")
        assert [False, 1] == [auth.signed_in, len(tab.gone_to)]
