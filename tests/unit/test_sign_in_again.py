"""What a server says for "sign in again" ends the session; what is a developer's mistake doesn't."""

from __future__ import annotations

from typing import Any

import pytest

from silent_refresh import NotSignedIn, RefreshEndpoint, RefreshMisconfigured, RefreshRejected, SilentRefresh
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.provider import Provider, come_back, discovered
from tests.world.server import Answer, Call, Server, saying

DAY = 86_400.0  # s
AGAIN = {
    "GitHub": (200, {"error": "bad_refresh_token"}),
    "Slack": (200, {"ok": False, "error": "invalid_refresh_token"}),
    "Entra ID, MFA": (400, {"error": "interaction_required"}),
    "OpenID Connect, login": (400, {"error": "login_required"}),
    "OpenID Connect, consent": (400, {"error": "consent_required"}),
    "Auth0, MFA": (403, {"error": "mfa_required"}),
    "Okta, policy": (403, {"error": "access_denied"}),
    "Hydra": (401, {"error": "token_inactive"}),
    "RFC 6749": (400, {"error": "invalid_grant"}),
}


async def signed_in(tab: Tab, server: Server) -> SilentRefresh:
    endpoint = RefreshEndpoint.oauth2("/token", "my-page")
    auth, _ = tab.sign(refresh=endpoint, retries=0)
    granted = server.sign_in()
    await auth.sign_in({"access_token": granted["accessToken"], "refresh_token": "r1"})
    return auth


@pytest.mark.parametrize("who", AGAIN)
async def test_the_login_is_shown(tab: Tab, server: Server, who: str) -> None:
    """Once, and nobody asks again."""
    status, body = AGAIN[who]
    auth = await signed_in(tab, server)
    server.routes["/token"] = saying(status, body)

    with pytest.raises(RefreshRejected) as told:
        await auth.refresh()
    with pytest.raises(NotSignedIn):
        await auth.refresh()

    assert body["error"] == told.value.reason
    assert (False, 1) == (auth.signed_in, len(tab.gone_to))
    assert 1 == sum(call.path == "/token" for call in server.calls)


REFUSED = saying(400, {"error": "invalid_request"})


async def test_a_client_that_has_renewed_before_is_not_misconfigured(tab: Tab, server: Server) -> None:
    """Discord, X and Passport say invalid_request for a dead token."""
    auth = await signed_in(tab, server)
    server.routes["/token"] = saying(200, {"access_token": "a2", "refresh_token": "r2"})
    await auth.refresh()
    server.routes["/token"] = REFUSED

    with pytest.raises(RefreshRejected, match="invalid_request"):
        await auth.refresh()
    assert 1 == len(tab.gone_to)


async def test_that_outlives_the_page(tab: Tab, server: Server) -> None:
    """The record tells it to the next page."""
    auth = await signed_in(tab, server)
    server.routes["/token"] = saying(200, {"access_token": "a2", "refresh_token": "r2"})
    await auth.refresh()
    again, _ = tab.browser.open("/later").sign(refresh=RefreshEndpoint.oauth2("/token", "my-page"), retries=0)
    server.routes["/token"] = REFUSED

    with pytest.raises(RefreshRejected):
        await again.refresh()


DEAD = {
    "Discord": (400, {"error_description": 'Invalid "refresh_token" in request.'}),
    "X": (400, {"error_description": "Value passed for the token was invalid."}),
    "Passport": (401, {"message": "The refresh token is invalid.", "hint": "Token has been revoked"}),
    "Passport, of another key": (
        401,
        {"message": "The refresh token is invalid.", "hint": "Cannot decrypt the refresh token"},
    ),
}
LEAGUE = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a parameter "
    "more than once, or is otherwise malformed."
)
MISTAKES = {
    "Google": {"error_description": "client_secret is missing."},
    "Google, form": {"error_description": "Missing required parameter: refresh_token"},
    "oauthlib": {"error_description": "Missing refresh token parameter."},
    "Passport": {"message": LEAGUE, "hint": "Check the `refresh_token` parameter"},
    "a field too many": {"error_description": "Duplicate refresh_token parameter: it is invalid"},
    "none of it": {"error_description": "Invalid Host header"},
    "no text": {"error_description": {"token": "invalid"}, "message": "Unsupported"},
}


@pytest.mark.parametrize("who", DEAD)
@pytest.mark.parametrize("endpoint", [RefreshEndpoint.oauth2("/token", "p"), RefreshEndpoint("/token")])
async def test_words_about_the_token_are_a_refusal(
    tab: Tab, server: Server, who: str, endpoint: RefreshEndpoint
) -> None:
    """At the first renewal too: whoever has read the token has understood the call."""
    status, words = DEAD[who]
    auth, _ = tab.sign(refresh=endpoint, retries=0)
    await auth.sign_in(server.sign_in())
    server.routes["/token"] = saying(status, {"error": "invalid_request", **words})

    with pytest.raises(RefreshRejected, match="invalid_request"):
        await auth.refresh()
    assert 1 == len(tab.gone_to)


@pytest.mark.parametrize("who", MISTAKES)
async def test_words_about_the_call_keep_the_session(tab: Tab, server: Server, who: str) -> None:
    """It is loud, and names the option for a server that means a dead token all the same."""
    auth = await signed_in(tab, server)
    server.routes["/token"] = saying(400, {"error": "invalid_request", **MISTAKES[who]})

    with pytest.raises(RefreshMisconfigured, match=r'rejected_errors=\{"invalid_request"\}'):
        await auth.refresh()
    assert auth.signed_in


async def test_without_a_word_a_complete_call_was_refused(
    tab: Tab, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is stuck at an error that only a developer could mend; and they hear of it, loud."""
    auth = await signed_in(tab, server)
    server.routes["/token"] = REFUSED

    with pytest.raises(RefreshRejected, match="invalid_request"):
        await auth.refresh()
    assert (False, 1) == (auth.signed_in, len(tab.gone_to))
    assert "check what else the server wants" in caplog.text


async def test_without_a_word_another_call_was_not_understood(tab: Tab, server: Server) -> None:
    """One that isn't RFC 6749's: likely the wrong preset."""
    auth, _ = tab.sign(refresh=RefreshEndpoint("/token"), retries=0)
    await auth.sign_in(server.sign_in())
    server.routes["/token"] = REFUSED

    with pytest.raises(RefreshMisconfigured, match="check the encoding"):
        await auth.refresh()
    assert auth.signed_in


async def test_nobody_is_stuck_for_ever(tab: Tab, server: Server) -> None:
    """A mistake would have been found on the first day: later it's the user who has to sign in."""
    auth = await signed_in(tab, server)
    server.routes["/token"] = REFUSED
    await later(DAY + 1)

    with pytest.raises(RefreshRejected):
        await auth.refresh()


async def test_a_sign_in_at_the_very_endpoint_is_a_proof(
    tab: Tab, server: Server, provider: Provider
) -> None:
    """It has taken the client's code, so it understands the client."""
    auth = await discovered(tab)
    await come_back(auth, tab, provider)
    endpoint = "https://id.example/realm/token"
    server.routes[endpoint] = REFUSED

    with pytest.raises(RefreshRejected):
        await auth.refresh()


@pytest.mark.parametrize("body", [{}, {"message": "Invalid refresh token", "status": 400}])
async def test_a_400_of_an_endpoint_that_has_renewed_names_the_option(
    tab: Tab, server: Server, body: dict[str, Any]
) -> None:
    """Twitch has no error code; who reads the message knows what to write."""
    auth = await signed_in(tab, server)
    server.routes["/token"] = saying(200, {"access_token": "a2", "refresh_token": "r2"})
    await auth.refresh()
    server.routes["/token"] = saying(400, body)

    with pytest.raises(RefreshMisconfigured, match=r"has renewed this session before.*rejected=\{400\}"):
        await auth.refresh()
    assert auth.signed_in


async def test_an_explicit_word_is_the_users(tab: Tab, server: Server) -> None:
    """Before any renewal, too."""
    endpoint = RefreshEndpoint.oauth2("/token", "my-page", rejected_errors={"invalid_request"})
    auth, _ = tab.sign(refresh=endpoint)

    async def refuse(call: Call) -> Answer:
        return Answer(400, {"error": "invalid_request"})

    server.routes["/token"] = refuse
    await auth.sign_in({"access_token": "a", "refresh_token": "r"})

    with pytest.raises(RefreshRejected):
        await auth.refresh()
