"""Two providers of one page, one of them hostile: it gets neither code nor verifier (RFC 9700 §4.4)."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from silent_refresh import AuthorizationError, MemoryStorage, RefreshEndpoint, SilentRefresh
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.provider import ISSUER, Provider, discovered
from tests.world.server import Answer, Call, Server, silence

EVIL = "https://evil.example"


def auth_at(tab: Tab, url: str, client_id: str = "my-page", **options: Any) -> SilentRefresh:
    """Return an auth whose provider's endpoints are named in code, and not who it is."""
    endpoint = RefreshEndpoint.oauth2(
        f"{url}/token", client_id, authorize=f"{url}/authorize?tenant=1", **options
    )
    return tab.sign(refresh=endpoint, store=MemoryStorage(), login=None)[0]


@pytest.fixture
def stolen(server: Server) -> list[Any]:
    """Return what the hostile token endpoint was sent."""
    got: list[Any] = []

    async def take(call: Call) -> Answer:
        got.append(call.body)
        return Answer(200, {"access_token": "evils", "token_type": "Bearer"})

    server.routes[f"{EVIL}/token"] = take
    return got


async def test_a_code_goes_to_the_provider_that_was_asked(
    tab: Tab, provider: Provider, stolen: list[Any]
) -> None:
    """A page may ask each of its providers whether the answer is its own: the others get nothing."""
    honest, evil = auth_at(tab, ISSUER), auth_at(tab, EVIL)
    other_client = auth_at(tab, ISSUER, "another-page")
    await honest.authorize()
    tab.url = provider.authorize(tab.gone_to[-1])

    await evil.authorize()
    assert 1 == len(tab.gone_to)
    assert [None, None] == [await auth.complete_authorization() for auth in (evil, other_client)]
    assert "/orders?page=2" == await honest.complete_authorization()
    assert ([], [False, True]) == (stolen, [evil.signed_in, honest.signed_in])


def sent_on(tab: Tab, provider: Provider, redirect_uri: str | None = None) -> str:
    """Do as a hostile provider: send the browser on to the honest one, with what the page sent along."""
    asked = dict(parse_qsl(urlsplit(tab.gone_to[-1]).query))
    assert tab.gone_to[-1].startswith(EVIL)
    return f"{ISSUER}/authorize?" + urlencode(
        {**asked, "redirect_uri": redirect_uri or asked["redirect_uri"]}
    )


async def test_a_code_of_the_other_provider_is_not_sent_to_the_hostile_one(
    tab: Tab, provider: Provider, stolen: list[Any]
) -> None:
    """The answer names who gave it: that isn't of the origin where the user was sent (RFC 9207 §2.4)."""
    evil = auth_at(tab, EVIL)
    await evil.authorize()
    tab.url = provider.authorize(sent_on(tab, provider))

    with pytest.raises(AuthorizationError, match=f"does not come from {EVIL}") as caught:
        await evil.complete_authorization()

    assert ("issuer", []) == (caught.value.reason, stolen)


async def test_where_nobody_is_named_an_address_of_ones_own_tells_them_apart(
    tab: Tab, provider: Provider, stolen: list[Any]
) -> None:
    """Each provider has a redirect URI of its own, and sends codes there alone (RFC 9700 §4.4.2.2)."""
    evil = auth_at(tab, EVIL)
    await evil.authorize("/callback/evil")
    tab.url = provider.authorize(sent_on(tab, provider, "https://app.example/callback/honest"), iss=None)

    with pytest.raises(AuthorizationError) as caught:
        await evil.complete_authorization()

    assert ("redirect_uri", []) == (caught.value.reason, stolen)


@pytest.mark.parametrize("named", ["", "no URL", "//", "https://evil.example.id.example"])
async def test_what_names_no_issuer_is_no_issuer(tab: Tab, provider: Provider, named: str) -> None:
    """A provider that isn't known by name may name itself by its origin, and not by anything else."""
    auth = auth_at(tab, ISSUER)
    await auth.authorize()
    tab.url = provider.authorize(tab.gone_to[-1], iss=named)

    with pytest.raises(AuthorizationError) as caught:
        await auth.complete_authorization()

    assert ("issuer", []) == (caught.value.reason, provider.exchanges)


# Several parts of one page


async def test_two_parts_that_complete_it_share_one_exchange(tab: Tab, provider: Provider) -> None:
    """Both are told the path, and neither is left with nothing; whoever is cancelled strands nobody."""
    auth = await discovered(tab)
    await auth.authorize()
    tab.url = provider.authorize(tab.gone_to[-1])
    parts = [asyncio.ensure_future(auth.complete_authorization()) for _ in range(3)]
    await later(0.01)
    parts[0].cancel()

    assert ["/orders?page=2"] * 2 == list(await asyncio.gather(*parts[1:]))
    assert 1 == len(provider.exchanges)
    assert await auth.complete_authorization() is None


async def test_several_of_a_page_share_one_exchange(tab: Tab, provider: Provider) -> None:
    """A part that makes an auth of its own, after a hot reload say, doesn't find nothing and leave."""
    first, second = await discovered(tab), await discovered(tab)
    await first.authorize(scope="openid")
    tab.url = provider.authorize(tab.gone_to[-1])
    completing = asyncio.ensure_future(first.complete_authorization())
    await later(0.01)

    await second.authorize()
    assert (1, [True, True]) == (len(tab.gone_to), [auth.signed_in for auth in (first, second)])
    assert "ada" == (second.claims or {})["sub"]
    assert "/orders?page=2" == await completing
    assert 1 == len(provider.exchanges)


async def test_both_are_told_that_it_failed(tab: Tab, provider: Provider) -> None:
    """Each by an exception of its own."""
    auth = await discovered(tab)
    await auth.authorize()
    tab.url = provider.authorize(tab.gone_to[-1], error="access_denied", code=None)

    errors = await asyncio.gather(*(auth.complete_authorization() for _ in range(2)), return_exceptions=True)

    assert ["access_denied"] * 2 == [getattr(error, "reason", None) for error in errors]
    assert errors[0] is not errors[1]


async def test_a_page_that_has_the_answer_is_not_left(
    tab: Tab, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """One part completes the sign-in, another would begin one: it waits, or is told what to call first."""
    auth = await discovered(tab)
    await auth.authorize()
    tab.url = provider.authorize(tab.gone_to[-1])

    await auth.authorize()
    assert "call complete_authorization() first" in caplog.text
    completing = asyncio.ensure_future(auth.complete_authorization())
    await later(0.001)
    await auth.authorize()

    assert completing.done()
    assert (1, True) == (len(tab.gone_to), auth.signed_in)
    await auth.authorize()
    assert 2 == len(tab.gone_to)


async def test_what_only_looks_like_an_answer_keeps_nobody_here(tab: Tab, provider: Provider) -> None:
    """A link that somebody made doesn't take the sign-in button away."""
    auth = await discovered(tab)
    tab.url = f"https://app.example/?code=c&state=s&iss={ISSUER}"

    await auth.authorize()

    assert 1 == len(tab.gone_to)


async def test_a_sign_in_that_is_closed_ends(tab: Tab, server: Server, provider: Provider) -> None:
    """Whoever waits for it is told, and nobody is signed in afterwards."""
    auth = await discovered(tab)
    await auth.authorize()
    tab.url = provider.authorize(tab.gone_to[-1])
    server.routes[f"{ISSUER}/token"] = silence
    completing = asyncio.ensure_future(auth.complete_authorization())
    await later(1)

    auth.close()

    with pytest.raises(Exception, match="given up"):
        await completing
    assert not auth.signed_in
