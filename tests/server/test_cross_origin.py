"""CORS: listed origins may call, nobody else, and the page itself is never shared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.server.cross_origin import read_origin
from tests.server.site import CREDENTIALS, Site, bearer

APP = "https://app.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, x-request-id",
}


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Site]:
    """A server that lets one other origin call."""
    async with Site(tmp_path, allow_origins=(APP,)) as site:
        yield site


@pytest.mark.parametrize("path", ["/login", "/refresh", "/logout", "/api/echo"])
async def test_a_listed_origin_may_call(shared: Site, path: str) -> None:
    """Its preflight is granted, with any header, and not counted as a request."""
    response = await shared.http.options(path, headers=PREFLIGHT | {"Origin": APP})

    assert 200 == response.status_code
    assert APP == response.headers["Access-Control-Allow-Origin"]
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert PREFLIGHT["Access-Control-Request-Headers"] == response.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert {0} == set((await shared.counters()).values())


async def test_a_listed_origin_may_read_the_answers(shared: Site) -> None:
    """Refusals and ordered faults too, with the headers that a refresh goes by."""
    await shared.lab("api", status=503, headers={"Retry-After": "1"})
    answers = [
        await shared.http.post("/login", json=CREDENTIALS, headers={"Origin": APP}),
        await shared.http.get("/api/profile", headers={"Origin": APP}),
        await shared.http.get("/api/profile", headers={"Origin": APP}),
    ]

    assert [200, 503, 401] == [answer.status_code for answer in answers]
    for answer in answers:
        assert APP == answer.headers["Access-Control-Allow-Origin"]
        assert (
            "DPoP-Nonce, Date, Retry-After, WWW-Authenticate"
            == answer.headers["Access-Control-Expose-Headers"]
        )
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example", f"{APP}:8443", "null"])
async def test_other_origins_may_not(shared: Site, origin: str) -> None:
    """No preflight is granted, and no answer can be read."""
    refused = await shared.http.options("/refresh", headers=PREFLIGHT | {"Origin": origin})
    answer = await shared.http.post("/login", json=CREDENTIALS, headers={"Origin": origin})

    assert 400 == refused.status_code
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_nobody_may_unless_listed(site: Site) -> None:
    """By default there is no CORS at all."""
    token = (await site.sign_in())["accessToken"]

    preflight = await site.http.options("/refresh", headers=PREFLIGHT | {"Origin": APP})
    answer = await site.http.get("/api/profile", headers=bearer(token) | {"Origin": APP})

    assert 405 == preflight.status_code
    assert not [name for name in (*preflight.headers, *answer.headers) if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/lab/counters", "/apiary"])
async def test_page_and_lab_are_not_shared(shared: Site, path: str) -> None:
    """A listed origin gets the token endpoints and the API, nothing else."""
    answer = await shared.http.get(path, headers={"Origin": APP})

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example", "https://app.example"),
        ("HTTPS://App.Example:443", "https://app.example"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_do(text: str, origin: str) -> None:
    """Otherwise it would never match their header."""
    assert origin == read_origin(text)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "",
        "app.example",
        "https://app.example/",
        "https://user@app.example",
        "file://",
        "https://ä.example",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    """A wildcard or a path is a mistake to hear about at the start."""
    with pytest.raises(ValueError, match="origin"):
        read_origin(text)
