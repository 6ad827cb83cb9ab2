"""Signing in at an OAuth 2.0 provider: the way there, the way back, and whom to believe."""

from __future__ import annotations

import json
import traceback
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from silent_refresh import AuthorizationError, Client, RefreshEndpoint, SilentRefresh
from tests.unit.frames import locals_of
from tests.world.browser import Browser, Tab
from tests.world.provider import ISSUER, Provider, come_back, discovered
from tests.world.server import Server, saying


@pytest.fixture
async def auth(provider: Provider, tab: Tab) -> SilentRefresh:
    """Return a page's auth that found its provider out."""
    return await discovered(tab)


def all_of(error: BaseException) -> str:
    """Return everything that a log could hold of an error."""
    return (
        "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(vars(error.__cause__ or error))
    )


# The way there and back


async def test_a_code_becomes_a_session(auth: SilentRefresh, tab: Tab, provider: Provider) -> None:
    """Whoever agrees is signed in and can call the API, and knows where the page was."""
    path = await come_back(auth, tab, provider)

    assert "/orders?page=2" == path
    assert auth.signed_in
    assert 200 == (await Client("/api", auth=auth).get("profile")).status


async def test_the_request_holds_a_challenge_and_not_the_verifier(auth: SilentRefresh, tab: Tab) -> None:
    """The provider sees the hash of a secret of 256 bits, and a state of as many (RFC 7636 §4.2, §7.1)."""
    await auth.authorize("/callback", scope="profile offline_access", prompt="login")

    asked = {name: value[0] for name, value in parse_qs(urlsplit(tab.gone_to[-1]).query).items()}
    kept = json.loads(tab.memory["silent-refresh:authorization"])
    assert ("https://app.example/callback", "profile offline_access", "login", "my-page") == (
        asked["redirect_uri"],
        asked["scope"],
        asked["prompt"],
        asked["client_id"],
    )
    assert {43} == {len(asked["state"]), len(asked["code_challenge"]), len(kept["verifier"])}
    assert kept["verifier"] not in tab.gone_to[-1]


async def test_each_sign_in_has_secrets_of_its_own(auth: SilentRefresh, tab: Tab) -> None:
    """Neither state nor challenge is used twice."""
    await auth.authorize()
    await auth.authorize()

    first, second = (parse_qs(urlsplit(url).query) for url in tab.gone_to)
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


async def test_the_address_loses_the_answer_and_keeps_the_rest(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """Code and state are out of the address line, the page's own query and fragment stay."""
    await auth.authorize("/callback?tab=a%20b")
    tab.url = provider.authorize(tab.gone_to[-1], session_state="s").replace("code=", "c%6fde=") + "#top"

    await auth.complete_authorization()

    assert "https://app.example/callback?tab=a%20b#top" == tab.url
    assert {} == tab.memory


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/?code=SPRING",
        "/?state=open",
        "/?error=1",
        "/?code=a&code=b",
        "/#/orders?page=2&state=a&code=b",
        "/#!/orders?page=2&state=a&code=b",
        "/#state=open",
    ],
)
async def test_a_page_without_an_answer_is_left_alone(
    auth: SilentRefresh, tab: Tab, provider: Provider, url: str
) -> None:
    """The call may stand at the start of every page: what isn't an answer is neither taken nor changed."""
    await auth.authorize()
    before = dict(tab.memory)
    tab.url = "https://app.example" + url

    assert await auth.complete_authorization() is None
    assert "https://app.example" + url == tab.url
    assert before == tab.memory


@pytest.mark.parametrize(
    ("login", "path"),
    [
        ("/login?next=%2Forders%3Fpage%3D3", "/orders?page=3"),
        ("/login?next=https%3A%2F%2Fevil.example%2F", "/"),
        ("/login", "/"),
    ],
)
async def test_f78_the_login_page_hands_on_where_to_go(
    server: Server, provider: Provider, browser: Browser, login: str, path: str
) -> None:
    """After a sign-in from ``/login?next=…`` the path is that one, when it's of this origin (F78)."""
    tab = browser.open(login)

    assert path == await come_back(await discovered(tab), tab, provider)


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "javascript:alert(1)", 7, None])
async def test_f78_a_path_that_was_tampered_with_is_not_followed(
    auth: SilentRefresh, tab: Tab, provider: Provider, next: Any
) -> None:
    """What this tab remembered could be changed by others: no URL of another origin comes out of it (F78)."""
    await auth.authorize()
    key, text = next_of(tab, next)
    tab.memory[key] = text
    tab.url = provider.authorize(tab.gone_to[-1])

    path = await auth.complete_authorization()

    assert path is not None
    assert path.startswith("/")
    assert "evil" not in path


def next_of(tab: Tab, next: Any) -> tuple[str, str]:
    [(key, text)] = tab.memory.items()
    return key, json.dumps({**json.loads(text), "next": next})


async def test_f85_what_is_remembered_names_no_endpoint(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """Endpoints that somebody writes into the storage are not called (F85)."""
    await auth.authorize()
    [(key, text)] = tab.memory.items()
    tab.memory[key] = json.dumps({**json.loads(text), "token_endpoint": "https://evil.example/token"})
    tab.url = provider.authorize(tab.gone_to[-1])

    await auth.complete_authorization()

    assert not [call for call in provider.server.calls if "evil" in call.path]


async def test_a_sign_out_revokes_at_the_endpoint_of_the_metadata(
    auth: SilentRefresh, tab: Tab, provider: Provider
) -> None:
    """The provider hears of the refresh token that is to die (RFC 7009)."""
    await come_back(auth, tab, provider)
    assert auth.tokens is not None
    refresh_token = auth.tokens.refresh_token

    await auth.sign_out()

    assert [refresh_token] == provider.revoked


async def test_endpoints_can_be_named_in_code(tab: Tab, provider: Provider) -> None:
    """A provider whose metadata can't be read is signed in at all the same."""
    endpoint = RefreshEndpoint.oauth2(
        f"{ISSUER}/token", "my-page", authorize=f"{ISSUER}/authorize?tenant=1", issuer=ISSUER
    )
    auth, _ = tab.sign(refresh=endpoint)

    assert "/orders?page=2" == await come_back(auth, tab, provider, iss=None)
    assert not [call for call in provider.server.calls if ".well-known" in call.path]


# Whom to believe


async def refused(auth: SilentRefresh, tab: Tab, provider: Provider, **changed: str | None) -> str:
    """Expect an answer not to be believed; return the reason."""
    with pytest.raises(AuthorizationError) as caught:
        await come_back(auth, tab, provider, **changed)
    assert not auth.signed_in
    assert {} == tab.memory
    assert "?" not in tab.url
    return caught.value.reason


@pytest.mark.parametrize("doubled", ["code", "state", "iss", "session_state"])
async def test_a_parameter_that_is_there_twice_is_not_believed(
    auth: SilentRefresh, tab: Tab, provider: Provider, doubled: str
) -> None:
    """Nobody can say which of them counts, so none does (RFC 6749 §3.1); all are out of the address line."""
    await auth.authorize("/callback?tab=1")
    answer = provider.authorize(tab.gone_to[-1], session_state="s")
    tab.url = answer + f"&{doubled}=" + parse_qs(urlsplit(answer).query)[doubled][0] + "#top"

    with pytest.raises(AuthorizationError, match=f"has {doubled} twice") as caught:
        await auth.complete_authorization()

    assert ("malformed", "https://app.example/callback?tab=1#top") == (caught.value.reason, tab.url)
    assert ([], {}) == (provider.exchanges, tab.memory)


@pytest.mark.parametrize(
    "answer", ["code=c&state={state}", "access_token=t&state={state}", "error=e&state=x"]
)
async def test_an_answer_in_the_fragment_is_not_believed(
    auth: SilentRefresh, tab: Tab, provider: Provider, answer: str
) -> None:
    """Nobody asked for one there; tokens and codes are out of the address line all the same."""
    await auth.authorize()
    [state] = parse_qs(urlsplit(tab.gone_to[-1]).query)["state"]
    tab.url = "https://app.example/orders?page=2#" + answer.format(state=state)

    with pytest.raises(AuthorizationError, match="in the fragment") as caught:
        await auth.complete_authorization()

    assert ("malformed", "https://app.example/orders?page=2") == (caught.value.reason, tab.url)
    assert ([], {}, False) == (provider.exchanges, tab.memory, auth.signed_in)


@pytest.mark.parametrize(
    ("asked", "at"), [("/callback", "/other"), ("/callback", "/"), ("/a/callback", "/callback")]
)
async def test_an_answer_at_another_address_is_refused(
    auth: SilentRefresh, tab: Tab, provider: Provider, asked: str, at: str
) -> None:
    """It was asked for at ``redirect_uri``; one that comes elsewhere is astray (RFC 9700 §4.4.2.2)."""
    await auth.authorize(asked)
    tab.url = provider.authorize(tab.gone_to[-1]).replace(asked, at)

    with pytest.raises(AuthorizationError, match=f"arrived at {at}, .* asked for, {asked}:") as caught:
        await auth.complete_authorization()

    assert ("redirect_uri", f"https://app.example{at}") == (caught.value.reason, tab.url)
    assert [] == provider.exchanges


async def test_a_slash_makes_no_other_address(auth: SilentRefresh, tab: Tab, provider: Provider) -> None:
    """Hosts add one to a folder's."""
    await auth.authorize("/callback?tab=1")
    tab.url = provider.authorize(tab.gone_to[-1]).replace("/callback?", "/callback/?")

    assert "/orders?page=2" == await auth.complete_authorization()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": "another"}, "state"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": "https://evil.example", "error": "access_denied", "code": None}, "issuer"),
        ({"error": "access_denied", "code": None}, "access_denied"),
        ({"error": "invalid_scope", "code": None}, "invalid_scope"),
        ({"error": "<script>", "code": None}, "unknown"),
    ],
)
async def test_an_answer_that_does_not_fit_signs_nobody_in(
    auth: SilentRefresh, tab: Tab, provider: Provider, changed: dict[str, str | None], reason: str
) -> None:
    """State and issuer are checked before anything else is believed, and no code is sent (RFC 9207 §2.4)."""
    assert reason == await refused(auth, tab, provider, **changed)
    assert [] == provider.exchanges


async def test_an_answer_to_no_question_is_refused(auth: SilentRefresh, tab: Tab) -> None:
    """A link with somebody else's code signs nobody in (RFC 9700 §4.7)."""
    tab.url = f"https://app.example/?code=c&state=s&iss={ISSUER}"

    with pytest.raises(AuthorizationError, match="belongs to no sign-in") as caught:
        await auth.complete_authorization()

    assert "state" == caught.value.reason


async def test_an_answer_is_good_once(auth: SilentRefresh, tab: Tab, provider: Provider) -> None:
    """The same address again, from the history say, is the answer to no question any more."""
    await auth.authorize()
    answer = tab.url = provider.authorize(tab.gone_to[-1])
    await auth.complete_authorization()
    tab.url = answer

    with pytest.raises(AuthorizationError) as caught:
        await auth.complete_authorization()

    assert "state" == caught.value.reason
    assert 1 == len(provider.exchanges)
    assert auth.signed_in


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (saying(400, {"error": "invalid_grant"}), "invalid_grant", "begin a new sign-in"),
        (saying(401, {"error": "invalid_client"}), "exchange", "check client_id"),
        (saying(503), "exchange", "503"),
        (saying(200, {"token_type": "DPoP", "access_token": "x"}), "exchange", "only Bearer"),
    ],
)
async def test_an_exchange_that_fails_says_why(
    auth: SilentRefresh, tab: Tab, provider: Provider, answer: Any, reason: str, told: str
) -> None:
    """The error says what to do, and whoever was signed in still is."""
    provider.server.routes[f"{ISSUER}/token"] = answer

    with pytest.raises(AuthorizationError, match=told) as caught:
        await come_back(auth, tab, provider)

    assert reason == caught.value.reason


async def test_f80_no_error_holds_a_secret(auth: SilentRefresh, tab: Tab, provider: Provider) -> None:
    """Neither code nor verifier is in what a log could hold, network errors included (F80)."""
    await auth.authorize()
    verifier = json.loads(tab.memory["silent-refresh:authorization"])["verifier"]
    tab.url = provider.authorize(tab.gone_to[-1])
    provider.server.reachable = False

    with pytest.raises(AuthorizationError) as caught:
        await auth.complete_authorization()

    assert "unavailable" == caught.value.reason
    told = all_of(caught.value) + locals_of(caught.value)
    assert "<Transaction>" in told
    assert "code-1" not in told
    assert verifier not in told
