"""Tokens that are bound to a key: what is proved, with which key, and what becomes of it (RFC 9449)."""

from __future__ import annotations

import json
from asyncio import gather
from urllib.parse import parse_qs, urlsplit

import pytest

from silent_refresh import (
    AuthorizationError,
    Client,
    MemoryStorage,
    NotSignedIn,
    RefreshEndpoint,
    RefreshError,
    RefreshMisconfigured,
    RefreshRejected,
    Request,
    SilentRefresh,
    Tokens,
)
from tests.world.browser import Browser, Tab
from tests.world.loop import later
from tests.world.provider import ISSUER, Provider
from tests.world.server import Answer, Call, Server, saying

BOUND = RefreshEndpoint.article(dpop=True, revoke="/logout")


async def signed_in(tab: Tab, server: Server, **options: object) -> tuple[SilentRefresh, Client]:
    """Sign ada in, by a call of the page's own."""
    auth, client = tab.sign(refresh=BOUND, **options)

    async def login(call: Call) -> Answer:
        assert call.proof is not None
        return Answer(200, server.sign_in(key=call.proof["key"]))

    server.routes["/login"] = login
    answer = await Client(platform=tab.platform).post("/login", auth=auth.proving)
    await auth.sign_in(await answer.json())
    return auth, client


def record(browser: Browser) -> dict[str, object]:
    """Return what is stored of the session."""
    return json.loads(browser.stored["silent-refresh"])


async def test_each_call_has_its_proof(tab: Tab, server: Server) -> None:
    """The sign-in, a request, the renewal, the replay and the revocation: all by one key."""
    auth, client = await signed_in(tab, server)
    server.expire()
    assert [200] * 5 == [answer.status for answer in await gather(*(client.get(f"{n}") for n in range(5)))]
    await auth.sign_out()

    assert 1 == server.refreshes
    assert {"/login", "/refresh", "/logout"} <= {call.path for call in server.calls}
    assert 1 == len({(call.proof or {}).get("key") for call in server.calls})
    for call in server.calls:
        assert ({"DPoP"} if call.token else {""}) == {call.scheme}
        assert call.proof is not None
        assert (call.method, call.url, call.token) == tuple(
            call.proof[name] for name in ("htm", "htu", "ath")
        )


async def test_without_the_key_the_tokens_are_worthless(tab: Tab, server: Server, browser: Browser) -> None:
    """A thief has all that the storage holds, and another browser."""
    await signed_in(tab, server)
    stolen = record(browser)
    calls = len(server.calls)
    thief = Browser(server).open()
    bearer = Request("GET", "/api/me").with_bearer(str(stolen["access_token"]))
    refresh = BOUND.request(Tokens(str(stolen["access_token"]), str(stolen["refresh_token"])))

    assert 401 == (await thief.send(bearer)).status
    assert 400 == (await thief.send(refresh)).status
    assert [None, None] == [call.proof for call in server.calls[calls:]]
    own = await thief.prover.make_key()
    assert 400 == (await thief.send(refresh.with_proof(own))).status


async def test_a_reload_and_a_second_tab_have_the_key(tab: Tab, server: Server, browser: Browser) -> None:
    """It is kept beside the journal, and another tab may have signed in."""
    second = browser.open()
    _, client = second.sign(refresh=BOUND)
    await signed_in(tab, server)
    await later(1)

    assert 200 == (await client.get("me")).status
    third = browser.open()
    assert 200 == (await third.sign(refresh=BOUND)[1].get("me")).status


async def test_it_goes_with_the_session(tab: Tab, server: Server, browser: Browser) -> None:
    """A sign-out, a refused renewal, another sign-in: each takes its key along."""
    auth, client = await signed_in(tab, server)
    first = set(browser.keys.values())
    assert (1, set()) == (len(first), browser.pending_keys)
    await auth.sign_out()
    assert ({}, set()) == (browser.keys, browser.pending_keys)
    assert first.isdisjoint(tab.prover.held)

    await signed_in(tab, server)
    second = set(browser.keys.values())
    await signed_in(tab, server)
    assert second.isdisjoint(browser.keys.values())
    server.revoke()
    server.expire()
    with pytest.raises(RefreshRejected):
        await client.get("me")
    assert ({}, set()) == (browser.keys, browser.pending_keys)


async def test_killed_after_the_sign_out_it_is_gone(tab: Tab, server: Server, browser: Browser) -> None:
    """The key goes in the very commit that ends the session (F91)."""
    auth, _ = await signed_in(tab, server)
    browser.write_down()
    await auth.sign_out()
    browser.die()

    assert {} == browser.keys
    again, client = browser.open().sign(refresh=BOUND)
    with pytest.raises(NotSignedIn):
        await client.get("me")
    assert not again.signed_in


async def test_a_key_that_nobody_needs_is_removed_at_the_start(server: Server, browser: Browser) -> None:
    """A version that knows of none has ended its session, say."""
    auth, _ = browser.open().sign(refresh=BOUND)
    await auth.restored()
    await later(1)
    browser.keys["silent-refresh https://app.example/refresh"] = "left behind"
    browser.die()

    again, _ = browser.open().sign(refresh=BOUND)
    await again.restored()
    await later(1)
    assert {} == browser.keys


@pytest.mark.parametrize("is_expired", [False, True])
async def test_without_its_key_a_session_ends(
    tab: Tab, server: Server, browser: Browser, is_expired: bool
) -> None:
    """IndexedDB was evicted: nothing is sent with the tokens, they are cleared, the page is at the login."""
    await signed_in(tab, server)
    await later(1)
    browser.write_down()
    browser.die()
    browser.keys.clear()
    if is_expired:
        server.expire()
    calls = len(server.calls)
    page = browser.open("/orders")
    auth, client = page.sign(refresh=BOUND)

    ends = await gather(*(client.get("me") for _ in range(5)), return_exceptions=True)
    assert {"key_gone"} == {getattr(end, "reason", end) for end in ends}
    assert "not in this browser" in str(ends[0])
    assert calls == len(server.calls)
    assert not auth.signed_in
    assert "silent-refresh" not in browser.stored
    assert ["/login?next=%2Forders&reason=rejected"] == page.gone_to


async def test_a_record_without_a_key_is_sent_by_no_page_that_wants_one(
    tab: Tab, server: Server, browser: Browser
) -> None:
    """Bearer tokens of before dpop was switched on: they are cleared."""
    auth, _ = tab.sign()
    await auth.sign_in(server.sign_in())
    page = browser.open("/orders")
    _, client = page.sign(refresh=RefreshEndpoint.article(dpop=True))

    with pytest.raises(RefreshRejected):
        await client.get("me")
    assert [] == [call for call in server.calls if call.token]
    assert 1 == len(page.gone_to)


async def test_a_server_that_binds_nothing_is_told(tab: Tab, server: Server) -> None:
    """Bearer tokens in answer to a proof are an error, at the sign-in and at a renewal: no downgrade."""
    auth, client = await signed_in(tab, server)
    server.on_refresh = [saying(200, {"accessToken": "x", "tokenType": "Bearer"})]
    with pytest.raises(RefreshMisconfigured, match=r"Bearer.* in answer to a proof"):
        await auth.refresh()
    for kind in ({"tokenType": "Bearer"}, {}):
        with pytest.raises(ValueError, match="in answer to a proof"):
            await auth.sign_in({"accessToken": "x", "refreshToken": "y", **kind})
    assert 200 == (await client.get("me")).status


async def test_a_sign_in_without_a_proof_is_told(tab: Tab, server: Server) -> None:
    """Tokens that no key of this page's can be bound to can't begin a session."""
    auth, _ = tab.sign(refresh=BOUND)
    with pytest.raises(ValueError, match=r"auth=auth\.proving"):
        await auth.sign_in(server.sign_in(key="somebody's"))


async def test_elsewhere_proving_does_nothing(tab: Tab, server: Server) -> None:
    """So that a page can switch dpop on and off."""
    auth, client = tab.sign()
    server.routes["/api/login"] = saying(200, {})
    await client.post("/login", auth=auth.proving)
    assert [None] == [call.proof for call in server.calls]


async def test_a_wrong_password_and_a_second_click_keep_the_key(tab: Tab, server: Server) -> None:
    """One key a sign-in, however often its call is sent."""
    auth, client = tab.sign(refresh=BOUND)
    server.routes["/api/login"] = saying(401)
    await gather(*(client.post("/login", auth=auth.proving) for _ in range(3)))
    assert 1 == len({(call.proof or {}).get("key") for call in server.calls})


async def test_in_this_pages_memory_it_needs_no_journal(tab: Tab, server: Server, browser: Browser) -> None:
    """A session that is nowhere else has its key nowhere else."""
    auth, client = await signed_in(tab, server, store=MemoryStorage())
    assert 200 == (await client.get("me")).status
    assert ({}, set()) == (browser.keys, browser.pending_keys)
    await auth.sign_out()
    assert "/logout" in {call.path for call in server.calls}


async def test_a_function_of_ones_own_proves_by_send(tab: Tab, server: Server) -> None:
    """What it sends has the session's proof."""

    async def renew(tokens: Tokens, send):  # type: ignore[no-untyped-def]
        body = json.dumps({"refreshToken": tokens.refresh_token})
        return await send(Request("POST", "/refresh", body=body))

    auth, client = tab.sign(refresh=RefreshEndpoint(renew, dpop=True))
    key = await auth._session.proving_key()
    await auth.sign_in(server.sign_in(key=key))
    server.expire()
    assert 200 == (await client.get("me")).status
    with pytest.raises(ValueError, match="takes send"):
        tab.sign(refresh=RefreshEndpoint(lambda tokens: tokens, dpop=True))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"header": "X-Token"}, "leave header and scheme out"),
        ({"scheme": "Token"}, "leave header and scheme out"),
        ({"refresh_field": None, "credentials": "include"}, "cookie"),
    ],
)
def test_what_makes_no_sense_is_told(options: dict[str, object], told: str) -> None:
    """At once, and not by a server's refusal."""
    with pytest.raises(ValueError, match=told):
        RefreshEndpoint("/refresh", dpop=True, **options)
    with pytest.raises(ValueError, match="dpop=True"):
        RefreshEndpoint("/refresh", scheme="DPoP")


async def test_the_code_flow_binds_the_code_and_the_tokens(tab: Tab, provider: Provider) -> None:
    """``dpop_jkt`` in the request, a proof by that key at the exchange and at each renewal (RFC 9449 §10)."""
    provider.metadata["dpop_signing_alg_values_supported"] = ["ES256", "RS256"]
    endpoint = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)
    auth, client = tab.sign(refresh=endpoint)
    await auth.authorize(scope="profile")
    asked = parse_qs(urlsplit(tab.gone_to[-1]).query)
    tab.url = provider.authorize(tab.gone_to[-1])

    reloaded = tab.browser.open()
    reloaded.url, reloaded.memory = tab.url, tab.memory
    auth, client = reloaded.sign(refresh=endpoint)
    await auth.complete_authorization()

    exchange = provider.server.calls[-1]
    assert exchange.proof is not None
    assert asked["dpop_jkt"] == [exchange.proof["key"]] == [record(tab.browser)["key"]]
    provider.server.expire()
    assert 200 == (await client.get("me")).status
    assert {exchange.proof["key"]} == {call.proof["key"] for call in provider.server.calls if call.proof}
    assert set() == tab.browser.pending_keys


async def test_a_sign_in_whose_key_is_gone_begins_anew(tab: Tab, provider: Provider) -> None:
    """The site's data were cleared while the user was at the provider."""
    provider.metadata["dpop_signing_alg_values_supported"] = ["ES256"]
    endpoint = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)
    await tab.sign(refresh=endpoint)[0].authorize()
    reloaded = tab.browser.open()
    reloaded.url, reloaded.memory = provider.authorize(tab.gone_to[-1]), tab.memory
    tab.browser.pending_keys.clear()

    with pytest.raises(AuthorizationError, match="key") as caught:
        await reloaded.sign(refresh=endpoint)[0].complete_authorization()
    assert "key" == caught.value.reason


@pytest.mark.parametrize("algorithms", [None, ["RS256"], "ES256", {}])
async def test_discovery_switches_it_on_where_it_is_offered(
    tab: Tab, provider: Provider, algorithms: object
) -> None:
    """ES256 is what a browser's key can sign; whoever knows better says so."""
    provider.metadata["dpop_signing_alg_values_supported"] = algorithms
    assert not (await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)).dpop
    provider.metadata["dpop_signing_alg_values_supported"] = ["ES256"]
    assert (await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)).dpop
    own = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform, dpop=False)
    assert not own.dpop


async def test_one_more_api_is_proved_with_the_same_key(tab: Tab, server: Server) -> None:
    """``for_resource`` has a token of its own, bound to the session's key."""
    auth, _ = await signed_in(tab, server)
    reports = auth.for_resource("https://app.example/reports")
    assert 200 == (await Client("/reports", auth=reports).get("1")).status
    assert 1 == len({(call.proof or {}).get("key") for call in server.calls})


@pytest.mark.parametrize(
    "preset",
    [
        RefreshEndpoint.article(dpop=True),
        RefreshEndpoint.oauth2("/token", "my-page", dpop=True),
        RefreshEndpoint.simplejwt(dpop=True),
        RefreshEndpoint.flask_jwt_extended(dpop=True),
        RefreshEndpoint.supabase("https://app.example", "key", dpop=True),
    ],
)
async def test_it_fits_every_preset_that_has_tokens(
    tab: Tab, server: Server, preset: RefreshEndpoint
) -> None:
    """However the refresh token travels, a proof goes along, and names no access token."""
    auth, _ = tab.sign(refresh=preset)
    key = await auth._session.proving_key()
    assert key is not None
    await auth.sign_in(
        {"access_token": "access-ada-x", "refresh_token": "refresh-ada-x", "token_type": "DPoP"}
    )
    with pytest.raises(RefreshError):
        await auth.refresh()
    proof = server.calls[-1].proof
    assert proof is not None
    assert (key, None) == (proof["key"], proof["ath"])
