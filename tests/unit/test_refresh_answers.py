"""What the refresh endpoint may answer, and what becomes of the session: F36–F57."""

from __future__ import annotations

import json
from asyncio import gather

import pytest

from silent_refresh import (
    Client,
    Headers,
    NetworkError,
    RefreshEndpoint,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    Request,
    Response,
    SilentRefresh,
    Tokens,
)
from silent_refresh.protocol.result import Unavailable
from tests.world.browser import Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server, saying, silence


async def test_f36_offline_keeps_the_tokens_and_the_next_request_tries_again(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab
) -> None:
    """No answer is no refusal: nobody is sent to the login."""
    server.expire()

    async def gone(call: Call) -> Answer:
        server.reachable = False
        return server.refusal()

    server.routes["/api/me"] = gone
    with pytest.raises(RefreshUnavailable):
        await client.get("me")
    assert auth.signed_in
    assert [] == tab.gone_to

    server.reachable = True
    del server.routes["/api/me"]
    assert 200 == (await client.get("me")).status


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_f37_a_server_in_trouble_is_asked_again(client: Client, server: Server, status: int) -> None:
    """A transient answer is retried, and the request never knows."""
    server.expire()
    server.on_refresh = [saying(status), saying(status)]

    assert 200 == (await client.get("me")).status
    assert 3 == server.refresh_calls


async def test_f37_retries_are_bounded(auth: SilentRefresh, client: Client, server: Server) -> None:
    """After ``retries`` more tries the error is told, and the tokens are kept."""
    server.expire()
    server.on_refresh = [saying(503)] * 10

    with pytest.raises(RefreshUnavailable, match="503"):
        await client.get("me")
    assert 3 == server.refresh_calls
    assert auth.signed_in


async def test_f37_retry_after_is_honoured(client: Client, server: Server) -> None:
    """A pause that the server asks for, and that doesn't fit the deadline, is told to the caller."""
    server.expire()
    server.on_refresh = [saying(429, Retry_After="120")]

    with pytest.raises(RefreshUnavailable) as caught:
        await client.get("me")
    assert 120 == caught.value.retry_after

    with pytest.raises(RefreshUnavailable):
        await client.get("me")
    assert 1 == server.refresh_calls

    await later(121)
    assert 200 == (await client.get("me")).status


@pytest.mark.parametrize("date", ["not a date", "-3", "1e400", "٣"])
async def test_a_retry_after_that_makes_no_sense_is_ignored(
    client: Client, server: Server, date: str
) -> None:
    """Nonsense costs no request."""
    server.expire()
    server.on_refresh = [saying(503, Retry_After=date)]

    assert 200 == (await client.get("me")).status


async def test_f38_a_broken_connection_is_retried_once(client: Client, server: Server) -> None:
    """The server may have rotated already: a late retry would look like a thief's."""
    server.expire()
    attempts = []

    async def broken(call: Call) -> Answer:
        attempts.append(call)
        raise NetworkError("cut", request=Request("POST", "/refresh"))

    server.on_refresh = [broken] * 10
    with pytest.raises(RefreshUnavailable):
        await client.get("me")

    assert 2 == len(attempts)


async def test_f39_a_refresh_that_never_answers_ends_at_its_deadline(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """All waiters get the error, and the tokens are kept."""
    server.expire()
    server.on_refresh = [silence] * 10

    errors = await gather(*(client.get("me") for _ in range(5)), return_exceptions=True)

    assert {RefreshUnavailable} == {type(error) for error in errors}
    assert auth.signed_in


async def test_f40_a_redirect_of_the_refresh_call_is_not_followed(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """Its body holds the refresh token."""
    server.expire()
    server.on_refresh = [saying(307, "", Location="https://elsewhere.example")] * 3

    with pytest.raises(RefreshUnavailable, match="redirect"):
        await client.get("me")
    assert auth.signed_in


async def test_f41_a_401_from_a_foreign_final_url_never_refreshes(client: Client, server: Server) -> None:
    """The API sent the request elsewhere, and elsewhere doesn't know this token."""

    async def moved(call: Call) -> Answer:
        return Answer(401, {}, url="https://elsewhere.example/login")

    server.routes["/api/moved"] = moved

    assert 401 == (await client.get("moved")).status
    assert 0 == server.refresh_calls


TRANSIENT = {
    "F42 captive portal": Answer(200, "<html>Welcome to our hotel</html>"),
    "F42 proxy page": Answer(502, "<html>Bad gateway</html>"),
    "F42 JSON that is too deep": Answer(200, '{"accessToken": "x", "a": ' + "[" * 100_000),
}
GATEKEEPERS = {
    "F42 a firewall's page": Answer(403, "<!DOCTYPE html><title>Just a moment</title>"),
    "F42 a page after white space": Answer(403, "\r\n <html><h1>Blocked by policy</h1>"),
    "F42 a password for all": Answer(401, "<html>", {"WWW-Authenticate": 'Basic realm="staging"'}),
    "F42 a proxy of an office": Answer(401, "", {"WWW-Authenticate": "Negotiate, NTLM"}),
    "F42 a gateway with words": Answer(401, {"message": "no"}, {"WWW-Authenticate": "Digest realm=x"}),
    "F42 a proxy's 407": Answer(407, ""),
}
MISCONFIGURED = {
    "F48 no access token": Answer(200, {"token": "x"}),
    "F48 null access token": Answer(200, {"accessToken": None}),
    "F48 the word undefined": Answer(200, {"accessToken": "undefined"}),
    "F48 a number": Answer(200, {"accessToken": 7}),
    "F50 an error in a 200": Answer(200, {"error": "something_else"}),
    "F50 null": Answer(200, None),
    "F50 a list": Answer(200, []),
    "F52 invalid_client": Answer(401, {"error": "invalid_client"}),
    "F52 invalid_request": Answer(400, {"error": "invalid_request"}),
    "F52 unsupported_grant_type": Answer(400, {"error": "unsupported_grant_type"}),
    "F52 404": Answer(404, "no such page"),
    "F52 405": Answer(405, ""),
    "F52 415": Answer(415, {}),
    "F54 DPoP": Answer(200, {"accessToken": "x", "token_type": "DPoP"}),
}
DEAD = {
    "F51 invalid_grant 400": Answer(400, {"error": "invalid_grant"}),
    "F51 invalid_grant 200": Answer(200, {"error": "invalid_grant"}),
    "F5 bare 401": Answer(401, ""),
    "F5 bare 403": Answer(403, {}),
    "F5 a word": Answer(403, "Forbidden", {"Content-Type": "text/html"}),
    "F5 a framework's page": Answer(401, "<!doctype html><title>401 Unauthorized</title>"),
    "F5 a challenge": Answer(401, "", {"WWW-Authenticate": 'Bearer realm="api", Basic realm="api"'}),
    "F5 a challenge of its own": Answer(401, "", {"WWW-Authenticate": "JWT"}),
    "F51 invalid_grant and Basic": Answer(
        401, {"error": "invalid_grant"}, {"WWW-Authenticate": 'Basic realm="token"'}
    ),
}


@pytest.mark.parametrize("case", TRANSIENT)
async def test_a_transient_answer_keeps_the_session(
    auth: SilentRefresh, client: Client, server: Server, case: str
) -> None:
    """Nothing of it is stored (F42)."""
    before = await _refuse(auth, server, TRANSIENT[case])

    with pytest.raises(RefreshUnavailable):
        await client.get("me")
    assert before == auth.tokens


@pytest.mark.parametrize("case", GATEKEEPERS)
async def test_f42_what_stands_before_the_token_server_ends_no_session(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab, case: str
) -> None:
    """It knows nothing of the refresh token; the error tells who it was, and what if it's a mistake (F42)."""
    before = await _refuse(auth, server, GATEKEEPERS[case])

    with pytest.raises(
        RefreshUnavailable, match=r"in front of the token server\? If it's that server itself"
    ):
        await client.get("me")
    assert before == auth.tokens
    assert [] == tab.gone_to


PRESETS = {
    "article": RefreshEndpoint.article(),
    "oauth2": RefreshEndpoint.oauth2("/token", "page"),
    "simplejwt": RefreshEndpoint.simplejwt(),
    "flask_jwt_extended": RefreshEndpoint.flask_jwt_extended(),
    "supabase": RefreshEndpoint.supabase("https://x.supabase.co", "key"),
    "cookie": RefreshEndpoint.cookie("/session/refresh"),
}


@pytest.mark.parametrize("case", GATEKEEPERS)
@pytest.mark.parametrize("preset", PRESETS)
async def test_f42_whatever_server_stands_behind_it(preset: str, case: str) -> None:
    """No preset takes it for that server's word (F42)."""
    answer = GATEKEEPERS[case]
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    response = Response(
        answer.status, Headers(answer.headers), "/refresh", Request("POST", "/refresh"), text=text
    )

    assert isinstance(await PRESETS[preset].read(response, now=0.0), Unavailable)


@pytest.mark.parametrize("case", MISCONFIGURED)
async def test_an_answer_that_is_not_understood_keeps_the_session_and_is_loud(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A developer's mistake signs nobody out, and says what to change (F48, F50, F52, F54)."""
    before = await _refuse(auth, server, MISCONFIGURED[case])

    with pytest.raises(RefreshMisconfigured):
        await client.get("me")
    assert before == auth.tokens
    assert [] == tab.gone_to
    assert "refresh endpoint" in caplog.text


@pytest.mark.parametrize("case", DEAD)
async def test_a_definite_refusal_ends_the_session(
    auth: SilentRefresh, client: Client, server: Server, tab: Tab, case: str
) -> None:
    """Cleared, and one redirect (F5, F51)."""
    await _refuse(auth, server, DEAD[case])

    with pytest.raises(RefreshRejected):
        await client.get("me")
    assert auth.tokens is None
    assert {} == tab.view
    assert 1 == len(tab.gone_to)


async def _refuse(auth: SilentRefresh, server: Server, answer: Answer) -> Tokens | None:
    server.expire()

    async def handler(call: Call) -> Answer:
        return answer

    server.on_refresh = [handler] * 3
    return auth.tokens


async def test_f49_without_a_new_refresh_token_the_old_one_is_kept(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """RFC 6749 §6: a server need not rotate."""
    server.rotates = False
    assert auth.tokens
    before = auth.tokens.refresh_token

    for _ in range(2):
        server.expire()
        server.on_refresh = [_without_refresh_token(server)]
        assert 200 == (await client.get("me")).status

    assert before == auth.tokens.refresh_token


def _without_refresh_token(server: Server):  # type: ignore[no-untyped-def]
    async def handler(call: Call) -> Answer:
        answer = await server.refresh(call)
        del answer.body["refreshToken"]
        return answer

    return handler


async def test_f59_a_new_token_that_is_expired_already_costs_one_refresh(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """No loop, whether the request was refused or renewed ahead."""
    server.access_ttl = 0.001
    server.expire()

    first, second = await client.get("me"), await client.get("me")

    assert [401, 401] == [first.status, second.status]
    assert server.refreshes <= 2


@pytest.mark.parametrize(
    ("status", "challenge"),
    [
        (403, ""),
        (401, 'Bearer error="insufficient_scope", scope="admin"'),
        (401, 'DPoP algs="ES256", Bearer realm="x", error=insufficient_scope'),
    ],
)
async def test_f56_a_missing_permission_never_refreshes(
    client: Client, server: Server, status: int, challenge: str
) -> None:
    """A new token would have no more scope than the old one."""
    server.routes["/api/admin"] = saying(status, {}, WWW_Authenticate=challenge)

    assert status == (await client.get("admin")).status
    assert 0 == server.refresh_calls


async def test_f57_the_page_may_say_what_refuses_a_token(tab: Tab, server: Server) -> None:
    """A server that says 422 for a dead token is understood when it's told so."""
    auth, client = tab.sign(is_refused=lambda response: response.status == 422)
    await auth.sign_in(server.sign_in())

    async def strange(call: Call) -> Answer:
        return Answer(200 if server.user_of(call.token) else 422, {})

    server.routes["/api/me"] = strange
    server.expire()

    assert 200 == (await client.get("me")).status
    assert 1 == server.refreshes
