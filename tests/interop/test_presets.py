"""Each preset against its real server: what renews, what signs out, what keeps the tokens."""

from __future__ import annotations

import json
from asyncio import gather

import jwt
import pytest

from silent_refresh import NetworkError, RefreshRejected, RefreshUnavailable, Response
from silent_refresh.protocol.result import Unavailable
from tests.interop.conftest import OpenPage
from tests.interop.page import Page
from tests.interop.presets import COOKIE, OTHERS, PRESETS, SUPABASE, Preset

FOREIGN_JWT = jwt.encode({"sub": "demo", "exp": 2**32}, "the key of some other server than these are")

SERVERS = [*PRESETS, *OTHERS]


def by_server(preset: Preset) -> str:
    """Name a test by its server: two of them have one preset."""
    return preset.server


each_preset = pytest.mark.parametrize("preset", SERVERS, ids=by_server)
each_that_rotates = pytest.mark.parametrize(
    "preset", [preset for preset in SERVERS if preset.rotates], ids=by_server
)


@pytest.fixture
async def signed_in(preset: Preset, open_page: OpenPage) -> Page:
    """Return a page that has the right preset, the demo user signed in."""
    page = open_page(preset)
    await page.sign_in()
    return page


async def assert_signed_out(page: Page, reason: str) -> None:
    """Expect the next request to end the session for this reason, once and for all."""
    with pytest.raises(RefreshRejected) as caught:
        await page.me()

    assert reason == caught.value.reason
    assert page.auth.tokens is None
    assert {} == page.tab.view
    assert ["/login?next=%2Forders&reason=rejected"] == page.tab.gone_to


@each_preset
async def test_an_expired_access_token_is_renewed_unseen(signed_in: Page) -> None:
    """The server refuses the token, the library renews it, and the caller gets the answer."""
    before = signed_in.tokens
    signed_in.server.lab.expire()

    response = await signed_in.me()

    assert 200 == response.status
    assert "demo" in await response.text()
    assert before.access_token != signed_in.tokens.access_token
    assert {"refresh": 1, "unauthorized": 1} == signed_in.server.lab.counters()


@each_preset
async def test_ten_requests_cost_one_refresh(signed_in: Page) -> None:
    """All are refused, one refresh is sent, and all are sent again."""
    signed_in.server.lab.expire()

    responses = await gather(*(signed_in.me() for _ in range(10)))

    assert {200} == {response.status for response in responses}
    assert {"refresh": 1, "unauthorized": 10} == signed_in.server.lab.counters()


@each_that_rotates
async def test_the_rotated_refresh_token_is_kept_and_renews_again(signed_in: Page) -> None:
    """Each refresh brings the refresh token for the next one."""
    seen = [signed_in.refresh_token]
    for _ in range(3):
        signed_in.server.lab.expire()
        assert 200 == (await signed_in.me()).status
        seen.append(signed_in.refresh_token)

    assert 4 == len(set(seen))
    assert 3 == signed_in.server.lab.counters()["refresh"]


@each_preset
async def test_an_access_token_says_how_long_it_lives(signed_in: Page) -> None:
    """The life is known after the sign-in and after a refresh, so that it can be renewed ahead of time."""
    first = signed_in.tokens.expires_in
    await signed_in.auth.refresh()

    # AuthX writes "iat" in whole seconds, and "exp" not.
    assert [300, 300] == [int(life) for life in (first, signed_in.tokens.expires_in)]


@each_preset
async def test_an_expired_refresh_token_signs_out(signed_in: Page) -> None:
    """The session has lasted as long as it may."""
    signed_in.server.lab.expire_refresh_tokens()

    await assert_signed_out(signed_in, signed_in.preset.refused[0])


@each_that_rotates
async def test_a_reused_refresh_token_signs_out(signed_in: Page) -> None:
    """A refresh token that was rotated, out of a backup say, is refused."""
    old = signed_in.refresh_token
    await signed_in.auth.refresh()
    await signed_in.auth.refresh()
    signed_in.server.lab.expire()
    await signed_in.go_on_with(old)

    await assert_signed_out(signed_in, signed_in.preset.refused[1])


@pytest.mark.parametrize("refresh_token", ["garbage", FOREIGN_JWT], ids=["garbage", "foreign"])
@each_preset
async def test_a_malformed_refresh_token_signs_out(signed_in: Page, refresh_token: str) -> None:
    """A refresh token that this server never issued is refused."""
    signed_in.server.lab.expire()
    await signed_in.go_on_with(refresh_token)

    await assert_signed_out(signed_in, signed_in.preset.refused[2])


@each_preset
async def test_a_server_that_is_down_keeps_the_tokens(signed_in: Page) -> None:
    """No answer is no refusal: the tokens stay, and nobody is sent to the login."""
    before = signed_in.tokens
    signed_in.server.stop()
    try:
        with pytest.raises(NetworkError):
            await signed_in.me()
        with pytest.raises(RefreshUnavailable):
            await signed_in.auth.refresh()
    finally:
        signed_in.server.start()

    assert before == signed_in.tokens
    assert [] == signed_in.tab.gone_to


@pytest.mark.parametrize("preset", [preset for preset in SERVERS if preset is not SUPABASE], ids=by_server)
async def test_a_sign_out_is_told_to_the_server(signed_in: Page, open_page: OpenPage) -> None:
    """The refresh token that was signed out with is dead."""
    tokens, old = signed_in.tokens, signed_in.refresh_token
    await signed_in.auth.sign_out()

    other = open_page(signed_in.preset)
    await other.auth.sign_in(tokens)
    await other.go_on_with(old)
    other.server.lab.expire()
    await assert_signed_out(other, signed_in.preset.refused[1])


async def test_supabase_gives_the_newest_token_to_whoever_lost_it(open_page: OpenPage) -> None:
    """An answer that got lost on its way costs nobody the session: the parent is accepted once more."""
    page = open_page(SUPABASE)
    old = (await page.sign_in()).refresh_token
    await page.auth.refresh()
    newest = page.refresh_token
    page.server.lab.expire()
    await page.go_on_with(old)

    assert 200 == (await page.me()).status
    assert newest == page.refresh_token


async def test_a_page_never_sees_the_refresh_token_of_the_cookie(open_page: OpenPage) -> None:
    """It's in no token and in nothing that is stored."""
    page = open_page(COOKIE)
    await page.sign_in()
    await page.auth.refresh()

    assert page.tokens.refresh_token is None
    assert page.refresh_token is not None
    assert page.refresh_token not in str(page.tab.view)


async def test_a_busy_supabase_is_asked_again() -> None:
    """Auth answers 409 while another request holds the session: no reason to bother anybody."""
    endpoint = SUPABASE.endpoint("https://project.example")
    told = "Too many concurrent token refresh requests on the same session or refresh token"
    answer = json.dumps({"code": 409, "error_code": "conflict", "msg": told})

    outcome = await endpoint.read(Response(409, "", endpoint.url, endpoint.request(None), text=answer), now=0)

    assert Unavailable("it answered 409 conflict") == outcome
