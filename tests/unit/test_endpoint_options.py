"""Every option of ``RefreshEndpoint`` fits every preset, and what the user names counts first."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from silent_refresh import Client, Headers, MemoryStorage, RefreshEndpoint, Request, Response, Tokens
from silent_refresh.protocol.preset_options import EndpointOptions
from silent_refresh.protocol.result import Misconfigured, RefreshResult, Rejected, Rotated, Unavailable
from tests.world.browser import Tab
from tests.world.provider import ISSUER, Provider, come_back
from tests.world.server import Answer, Call, Server, saying

URL = "https://app.example/renew"
PRESETS: dict[str, Callable[..., RefreshEndpoint]] = {
    "by hand": lambda **options: RefreshEndpoint(URL, **options),
    "article": lambda **options: RefreshEndpoint.article(URL, **options),
    "oauth2": lambda **options: RefreshEndpoint.oauth2(URL, "my-page", **options),
    "simplejwt": lambda **options: RefreshEndpoint.simplejwt(URL, **options),
    "flask_jwt_extended": lambda **options: RefreshEndpoint.flask_jwt_extended(URL, **options),
    "supabase": lambda **options: RefreshEndpoint.supabase("https://x.supabase.co", "key", **options),
    "cookie": lambda **options: RefreshEndpoint.cookie(URL, **options),
}
OPTIONS: dict[str, Any] = {
    "method": "PUT",
    "encoding": "json",
    "refresh_field": "a.refresh",
    "access_field": "a.access",
    "fields": {"device": lambda: "d1"},
    "headers": {"X-Device": lambda: "d2"},
    "bearer": False,
    "refresh_header": "X-Refresh",
    "next_token": None,  # excludes others of these: test_answered_tokens.py
    "access_path": "data.access",
    "refresh_path": "data.refresh",
    "expires_path": "data.expires",
    "expires_unit": "ms",
    "expires_in": 60.0,
    "error_path": "data.code",
    "token_types": {"Magic"},
    "rejected": {500},
    "rejected_errors": {"gone", 4711},
    "credentials": "same-origin",
    "header": "X-Session-Token",
    "scheme": "Token",
    "dpop": False,
    "revoke": "https://app.example/end",
    "revoke_method": "DELETE",
    "revoke_signed": True,
}
OLD = Tokens("old-access", "old-refresh")


async def answer(
    endpoint: RefreshEndpoint, status: int, body: Any = None, *, is_proven: bool = False, **headers: str
) -> RefreshResult:
    """Return what the endpoint makes of an answer."""
    text = body if isinstance(body, str) else json.dumps(body)
    fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    response = Response(status, fields, endpoint.url, Request("POST", endpoint.url), text=text)
    return await endpoint.read(response, now=1_764_000_000.0, is_proven=is_proven)


def test_what_a_preset_takes_is_what_there_is() -> None:
    """The list for the type checker, this file's, and the constructor's are one."""
    parameters = inspect.signature(RefreshEndpoint).parameters.keys() - {"url"}

    assert parameters == EndpointOptions.__annotations__.keys() == OPTIONS.keys()


@pytest.mark.parametrize("preset", PRESETS)
async def test_every_option_fits_every_preset(preset: str) -> None:
    """All at once: the call, the answer, the way of the access token, the revocation."""
    endpoint = PRESETS[preset](**OPTIONS)

    request = endpoint.request(OLD)
    body = json.loads(request.sent_body())
    result = await answer(
        endpoint, 200, {"data": {"access": "n", "refresh": "r", "expires": 90_000}, "token_type": "magic"}
    )
    revocation = endpoint.revocation(OLD)

    assert "PUT" == request.method
    assert ("d1", {"refresh": "old-refresh", "access": "old-access"}) == (body["device"], body["a"])
    assert ("d2", "old-refresh") == (request.headers["X-Device"], request.sent_headers()["X-Refresh"])
    assert request.options is not None
    assert "same-origin" == request.options["credentials"]
    assert isinstance(result, Rotated)
    assert (Tokens("n", "r"), 90.0) == (result.tokens, result.tokens.expires_in)
    assert "Token x" == endpoint.auth_scheme.credential("x").value
    assert revocation is not None
    assert ("DELETE", "https://app.example/end") == (revocation.method, revocation.url)
    assert Rejected("gone") == await answer(endpoint, 400, {"data": {"code": "gone"}})
    assert Rejected("4711") == await answer(endpoint, 400, {"data": {"code": 4711}})
    assert Rejected("status 500") == await answer(endpoint, 500, "<h1>Server Error</h1>")


async def test_oauth_keeps_what_it_is_for(provider: Provider, tab: Tab) -> None:
    """Options take neither the sign-in nor the revocation away, and are added to the preset's own."""
    endpoint = RefreshEndpoint.oauth2(
        "/token", "my-page", authorize="/authorize", fields={"audience": "api"}, rejected_errors={"gone"}
    )
    found = await RefreshEndpoint.discover(
        ISSUER, "my-page", platform=tab.platform, rejected={400}, headers={"X-Key": "k"}
    )

    form = parse_qs(endpoint.request(OLD).sent_body())
    assert {"client_id": ["my-page"], "audience": ["api"]}.items() <= form.items()
    assert endpoint.authorization is not None
    assert [Rejected("gone"), Rejected("invalid_grant")] == [
        await answer(endpoint, 400, {"error": error}) for error in ("gone", "invalid_grant")
    ]
    assert (f"{ISSUER}/revoke", "k") == (found.revoke, found.request(OLD).headers["X-Key"])
    assert found.authorization is not None
    assert Rejected("status 400") == await answer(found, 400, {})


@pytest.mark.parametrize("status", [400, 404, 408, 429, 500, 503])
async def test_a_status_that_the_user_named_ends_the_session(status: int) -> None:
    """SimpleJWT answers 500 for a deleted user: who knows that may say so."""
    named = RefreshEndpoint.simplejwt(URL, rejected={401, status})

    assert Rejected(f"status {status}") == await answer(named, status, "<h1>Server Error</h1>")
    assert not isinstance(await answer(RefreshEndpoint.simplejwt(URL), status, "<h1>"), Rejected)


async def test_f42_who_stands_in_front_of_the_server_is_not_the_server() -> None:
    """A proxy's 401 is no word about the refresh token, even where 401 was named (F42)."""
    endpoint = RefreshEndpoint(URL, rejected={401})

    assert isinstance(await answer(endpoint, 401, "", WWW_Authenticate="Negotiate"), Unavailable)


@pytest.mark.parametrize("error", [400, "400"])
async def test_an_error_code_may_be_a_number(error: Any) -> None:
    """Reddit's is the status; a 200 beside a token is no error."""
    endpoint = RefreshEndpoint(URL, rejected_errors={400}, error_path="code")

    assert Rejected("400") == await answer(endpoint, 400, {"code": error})
    assert isinstance(await answer(endpoint, 200, {"code": 200, "accessToken": "n"}), Rotated)
    assert isinstance(await answer(endpoint, 200, {"error": 0, "accessToken": "n"}), Rotated)


@pytest.mark.parametrize(
    ("unit", "told", "life"),
    [
        *(("s", 900, 900.0), ("s", "900", 900.0), ("ms", 900_000, 900.0), ("ms", "900000", 900.0)),
        *(("date", 1_764_000_900, 900.0), ("date", 1_764_000_900_000, 900.0)),
        *(("date", "2025-11-24T16:15:00Z", 900.0), ("date", "2025-11-24T17:15:00+01:00", 900.0)),
        *(
            ("date", "2025-11-24T16:15:00", 900.0),
            ("date", "soon", None),
            ("ms", "soon", None),
            ("s", None, None),
        ),
    ],
)
async def test_a_life_has_a_unit(unit: str, told: Any, life: float | None) -> None:
    """Seconds, milliseconds (Directus), or when it ends."""
    endpoint = RefreshEndpoint(URL, expires_unit=unit)

    result = await answer(endpoint, 200, {"accessToken": "n", "expiresIn": told})

    assert isinstance(result, Rotated)
    assert life == result.tokens.expires_in


async def test_a_life_can_be_stated() -> None:
    """Where the server says nothing of it, and the token isn't a JWT."""
    endpoint = RefreshEndpoint(URL, expires_in=300.0)

    results = [await answer(endpoint, 200, {"accessToken": "n", **more}) for more in ({}, {"expiresIn": 60})]

    assert [300.0, 60.0] == [result.tokens.expires_in for result in results if isinstance(result, Rotated)]


async def test_tokens_may_come_in_header_fields() -> None:
    """As devise_token_auth has them; the body is what it likes."""
    endpoint = RefreshEndpoint(
        URL,
        method="GET",
        refresh_header="access-token",
        access_path="header:access-token",
        refresh_path="header:access-token",
        expires_path="header:expiry",
        expires_unit="date",
    )

    request = endpoint.request(OLD)
    result = await answer(endpoint, 200, "", Access_Token="n", Expiry="1764000060")

    assert ("GET", None, "old-refresh") == (
        request.method,
        request.sent_body(),
        request.sent_headers()["Access-Token"],
    )
    assert Rotated(Tokens("n", "n")) == result
    assert isinstance(await answer(endpoint, 200, "{}"), Misconfigured)


async def test_a_content_type_of_its_own() -> None:
    """Cognito's InitiateAuth, as data: nested, with its own type and target."""
    endpoint = RefreshEndpoint(
        "https://cognito-idp.eu-west-1.amazonaws.com/",
        refresh_field="AuthParameters.REFRESH_TOKEN",
        fields={"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "c", "AuthParameters": {"DEVICE_KEY": "d"}},
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        },
        access_path="AuthenticationResult.AccessToken",
        refresh_path="AuthenticationResult.RefreshToken",
        expires_path="AuthenticationResult.ExpiresIn",
        error_path="__type",
        rejected_errors={"NotAuthorizedException"},
    )

    request = endpoint.request(OLD)

    assert "application/x-amz-json-1.1" == request.headers["Content-Type"]
    assert {"DEVICE_KEY": "d", "REFRESH_TOKEN": "old-refresh"} == json.loads(request.sent_body())[
        "AuthParameters"
    ]
    assert "REFRESH_TOKEN" not in endpoint.fields["AuthParameters"]
    assert Rejected("NotAuthorizedException") == await answer(
        endpoint, 400, {"__type": "NotAuthorizedException"}
    )


async def test_values_are_read_when_they_are_needed(tab: Tab, server: Server) -> None:
    """The double-submit cookie changes with each renewal, and so does the header's value."""
    cookie = ["csrf-1"]
    seen: list[str] = []
    endpoint = RefreshEndpoint.cookie("/session/refresh", ("X-CSRF-TOKEN", lambda: cookie[-1]))
    auth, client = tab.sign(refresh=endpoint, store=MemoryStorage())

    async def renew(call: Call) -> Answer:
        if seen[-1] != cookie[-1]:
            return Answer(401, {})
        cookie.append(f"csrf-{len(cookie) + 1}")
        granted = server.sign_in()
        return Answer(200, {"accessToken": granted["accessToken"]})

    server.routes["/session/refresh"] = renew
    tab.browser.sent = lambda _, request: seen.append(request.headers.get("X-CSRF-TOKEN", "none"))
    await auth.sign_in(Tokens(server.sign_in()["accessToken"]))
    for _ in range(3):
        server.expire()
        assert 200 == (await client.get("me")).status

    assert ["csrf-1", "csrf-2", "csrf-3", "csrf-4"] == cookie


@pytest.mark.parametrize("name", ["headers", "fields"])
def test_an_async_value_is_told_at_once(name: str) -> None:
    """Nobody would await it, and a coroutine on the wire is no CSRF token."""

    async def value() -> str:
        return "x"

    with pytest.raises(TypeError, match="can't be async"):
        RefreshEndpoint(URL, **{name: {"x": value}})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Cookie", "host", "Proxy-Authorization", "Sec-Token", "Origin", "DATE"])
def test_a_field_that_no_page_may_set(name: str) -> None:
    """The browser would drop it in silence, and each request would be nobody's."""
    with pytest.raises(ValueError, match="a browser lets no page set that field"):
        RefreshEndpoint(URL, header=name)


@pytest.mark.parametrize("name", ["token_types", "rejected_errors"])
def test_a_word_is_no_set_of_letters(name: str) -> None:
    """A text can be iterated over, and would name its letters."""
    with pytest.raises(TypeError, match=r"pass \{'gone'\}"):
        RefreshEndpoint(URL, **{name: "gone"})  # type: ignore[arg-type]


async def test_the_word_before_a_token_is_its_type() -> None:
    """Django REST framework's "Token" says so in its answer, too."""
    endpoint = RefreshEndpoint(URL, scheme="Token")

    assert isinstance(await answer(endpoint, 200, {"accessToken": "n", "token_type": "token"}), Rotated)
    assert isinstance(await answer(endpoint, 200, {"accessToken": "n", "token_type": "MAC"}), Misconfigured)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_none_is_not_sent(preset: str) -> None:
    """A cookie that isn't there yet, an optional field: no "None" on the wire, in JSON a null."""
    endpoint = PRESETS[preset](
        fields={"device": None, "remember": True, "audience": lambda: None},
        headers={"X-CSRF": lambda: None, "X-Key": None},
    )

    request = endpoint.request(OLD)

    assert not {"x-csrf", "x-key"} & {name.lower() for name in request.sent_headers()}
    if endpoint.encoding == "form":
        form = parse_qs(request.sent_body(), keep_blank_values=True)
        assert (["true"], False, False) == (form["remember"], "device" in form, "audience" in form)
    elif endpoint.encoding == "json":
        assert {"device": None, "remember": True}.items() <= json.loads(request.sent_body()).items()


async def test_a_graphql_mutation_renews() -> None:
    """As data: the token among the variables, the error in a list."""
    endpoint = RefreshEndpoint(
        URL,
        fields={"query": "mutation ($token: String!) { refresh(token: $token) { access refresh } }"},
        refresh_field="variables.token",
        access_path="data.refresh.access",
        refresh_path="data.refresh.refresh",
        error_path="errors.0.extensions.code",
        rejected_errors={"UNAUTHENTICATED"},
    )

    body = json.loads(endpoint.request(OLD).sent_body())
    granted = {"data": {"refresh": {"access": "n", "refresh": "r"}}}
    dead = {"data": None, "errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}
    other = {"errors": [{"extensions": {"code": "BAD_USER_INPUT"}}]}

    assert {"token": "old-refresh"} == body["variables"]
    assert Rotated(Tokens("n", "r")) == await answer(endpoint, 200, granted)
    assert Rejected("UNAUTHENTICATED") == await answer(endpoint, 200, dead)
    assert isinstance(await answer(endpoint, 200, other), Misconfigured)


@pytest.mark.parametrize("path", ["a.5", "a.-1", "a.x", "a.0.b.c", "a.99999999999999999999", "a.²", "b.0"])
async def test_a_path_that_leads_nowhere(path: str) -> None:
    """It's no error of Python's."""
    result = await answer(RefreshEndpoint(URL, access_path=path), 200, {"a": [{"b": 1}], "b": "text"})

    assert isinstance(result, Misconfigured)


@pytest.mark.parametrize(
    "wrong",
    [{"expires_unit": "h"}, {"encoding": "xml"}, {"header": "X Token"}, {"scheme": "two words"}],
)
def test_an_option_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    """It's told where it was written."""
    with pytest.raises(ValueError, match=r"must be"):
        RefreshEndpoint(URL, **wrong)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "Authorization: Bearer acc-1"),
        ({"scheme": "JWT"}, "Authorization: JWT acc-1"),
        ({"scheme": "Token"}, "Authorization: Token acc-1"),
        ({"scheme": ""}, "Authorization: acc-1"),
        *(
            ({"header": name}, f"{name}: acc-1")
            for name in ("X-Auth-Token", "x-access-token", "X-Session-Token")
        ),
        ({"header": "X-Auth", "scheme": "Bearer"}, "X-Auth: Bearer acc-1"),
    ],
)
async def test_where_the_access_token_goes(
    tab: Tab, server: Server, options: dict[str, str], field: str
) -> None:
    """In which field, behind which word; and a caller's own value there is left alone."""
    sent: list[Request] = []
    auth, client = tab.sign(refresh=RefreshEndpoint("/refresh", **options))  # type: ignore[arg-type]
    server.routes["/api/x"] = saying(200, {})
    tab.browser.sent = lambda _, request: sent.append(request)
    name, _, value = field.partition(": ")

    await auth.sign_in(Tokens("acc-1", "r"))
    await client.get("x")
    await client.get("x", headers={name: "mine"})

    assert [value, "mine"] == [request.sent_headers()[name] for request in sent]
    assert "mine" not in repr(sent[1].sent_headers())
    assert value not in repr(sent[0].sent_headers())


async def test_a_new_refresh_token_is_kept_when_the_rest_cannot_be_read(tab: Tab, server: Server) -> None:
    """The server has rotated: the old one would be a theft (F3's cousin), and is not sent again."""
    auth, client = tab.sign(retries=0)
    await auth.sign_in(server.sign_in())
    before = auth.tokens

    async def strange(call: Call) -> Answer:
        answer = await server.refresh(call)
        return Answer(200, {**answer.body, "token_type": "user"})

    server.on_refresh = [strange]
    server.expire()
    with pytest.raises(Exception, match=r"token_types=\{'user'\}"):
        await client.get("me")
    assert auth.tokens is not None
    assert before is not None
    assert before.access_token == auth.tokens.access_token
    assert before.refresh_token != auth.tokens.refresh_token

    assert 200 == (await client.get("me")).status
    assert 0 == server.reuses


async def test_token_type_can_be_widened(tab: Tab, server: Server) -> None:
    """Slack's are called "bot" and "user", and go as bearers."""
    auth, client = tab.sign(refresh=RefreshEndpoint("/refresh", token_types={"user"}))
    await auth.sign_in(server.sign_in())

    async def renew(call: Call) -> Answer:
        return Answer(200, {**(await server.refresh(call)).body, "token_type": "User"})

    server.on_refresh = [renew]
    server.expire()

    assert 200 == (await client.get("me")).status


@pytest.mark.parametrize("refresh_token", ["", None, 7, "with\nnewline", "undefined"])
async def test_a_refresh_token_that_is_none_leaves_the_old_one(refresh_token: Any) -> None:
    """The access token is good, and is used."""
    result = await answer(RefreshEndpoint(URL), 200, {"accessToken": "n", "refreshToken": refresh_token})

    assert Rotated(Tokens("n")) == result


def test_nothing_that_is_secret_is_shown() -> None:
    """A result that holds a token is told without it."""
    assert "secret" not in repr(Misconfigured("it doesn't fit", "secret-token"))


async def test_what_both_tokens_need_is_sent(tab: Tab, server: Server) -> None:
    """ASP.NET's tutorials want the access token with the refresh token; the client stays what it is."""
    seen: list[Any] = []
    endpoint = RefreshEndpoint("/both", access_field="accessToken")
    auth, _ = tab.sign(refresh=endpoint)

    async def both(call: Call) -> Answer:
        seen.append(call.body)
        return await server.refresh(call)

    server.routes["/both"] = both
    await auth.sign_in(server.sign_in())
    before = auth.tokens
    await auth.refresh()

    assert before is not None
    assert [{"accessToken": before.access_token, "refreshToken": before.refresh_token}] == seen
    assert isinstance(Client("/api", auth=auth), Client)


async def test_the_users_fields_go_with_the_code_as_well(provider: Provider, tab: Tab) -> None:
    """Google wants its client_secret of a page too, for the code and for each renewal."""
    endpoint = await RefreshEndpoint.discover(
        ISSUER, "my-page", platform=tab.platform, fields={"client_secret": "no secret"}
    )
    auth, _ = tab.sign(refresh=endpoint)

    await come_back(auth, tab, provider)

    assert "no secret" == provider.exchanges[0]["client_secret"]
    assert ["no secret"] == parse_qs(endpoint.request(OLD).sent_body())["client_secret"]
