"""Wrong arguments get a sentence that says what to do, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from silent_refresh import Client, RefreshEndpoint, SilentRefresh, Tokens
from silent_refresh.http.challenges import parse_challenges, token_error
from tests.world.browser import Tab
from tests.world.server import Server


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"json": {}, "data": {}}, "one body"),
        ({"content": iter([b"x"])}, "iterator"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"json": object()}, "JSON serializable"),
    ],
)
async def test_a_request_that_makes_no_sense(
    client: Client, server: Server, arguments: dict[str, Any], message: str
) -> None:
    """Nothing is sent."""
    with pytest.raises((TypeError, ValueError), match=message):
        await client.post("me", **arguments)
    assert [] == server.calls


async def test_a_method_that_is_none(client: Client) -> None:
    """Methods are tokens of RFC 9110."""
    with pytest.raises(ValueError, match="HTTP method"):
        await client.request("GET /", "me")


def test_one_origin_is_no_list_of_letters(tab: Tab) -> None:
    """A text can be iterated over, and "h" is a URL of this page."""
    with pytest.raises(TypeError, match="origins is a list"):
        tab.sign(origins="https://api.example.com")


async def test_a_wrong_url_is_named(client: Client, server: Server) -> None:
    """And nothing is sent."""
    with pytest.raises(ValueError, match="javascript"):
        await client.get("javascript:alert(1)")
    assert [] == server.calls


NAN = float("nan")


@pytest.mark.parametrize(
    "options",
    [{"leeway": -1}, {"leeway": NAN}, {"timeout": 0}, {"timeout": NAN}, {"retries": -1}, {"login": "ftp:x"}],
)
async def test_options_that_make_no_sense(tab: Tab, options: dict[str, Any]) -> None:
    """Told when the page starts, not when the first token expires."""
    with pytest.raises(ValueError, match=r"\w+"):
        tab.sign(**options)


@pytest.mark.parametrize("answer", [{}, {"detail": "wrong"}, {"access": 7}, {"error": "x"}])
async def test_a_sign_in_without_tokens_names_the_fields(auth: SilentRefresh, answer: dict[str, Any]) -> None:
    """A failed sign-in that nobody checked ends here, not in ``Bearer undefined``."""
    with pytest.raises(ValueError, match="sign-in"):
        await auth.sign_in(answer)
    assert not auth.signed_in


@pytest.mark.parametrize("name", ["accessToken", "access_token"])
async def test_sign_in_takes_the_servers_answer(auth: SilentRefresh, name: str) -> None:
    """In the article's shape or in OAuth's."""
    await auth.sign_in({name: "a.b.c", "expires_in": "60"})

    assert Tokens("a.b.c") == auth.tokens


def test_an_encoding_that_does_not_exist() -> None:
    """The three that do are named."""
    with pytest.raises(ValueError, match="json"):
        RefreshEndpoint("/refresh", encoding="xml")


@pytest.mark.parametrize(
    ("field", "schemes", "error"),
    [
        ("Bearer", ["bearer"], None),
        ('Bearer realm="a, b", error="invalid_token"', ["bearer"], "invalid_token"),
        (
            'DPoP algs="ES256 PS256", Bearer error=insufficient_scope',
            ["dpop", "bearer"],
            "insufficient_scope",
        ),
        ('Basic realm="x", Bearer', ["basic", "bearer"], None),
        ('Negotiate YWJj==, Bearer error="invalid_token"', ["negotiate", "bearer"], "invalid_token"),
        (r'Bearer error_description="a \"quoted\" word", error="x"', ["bearer"], "x"),
        ("", [], None),
        (',,;="', [], None),
    ],
)
def test_f55_challenges_that_share_a_field_are_told_apart(
    field: str, schemes: list[str], error: str | None
) -> None:
    """RFC 9110 §11.6.1."""
    assert schemes == [challenge.scheme for challenge in parse_challenges(field)]
    assert error == token_error(field)
