"""Whatever is sent, the server answers, and never with a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.site import CREDENTIALS, Site, bearer

PATHS = [
    *("/", "/login", "/refresh", "/logout", "/pyscript.toml", "/static/style.css", "/app/demo/main.py"),
    *("/api/profile", "/api/notes", "/api/items/1", "/api/echo", "/api/admin", "/api/"),
    *("/lab/expire", "/lab/revoke", "/lab/counters", "/lab/requests", "/lab/unauthorized"),
    *("/lab/refresh", "/lab/api", "/lab/ttl", "/lab/grace", "/lab/nonces", "/lab/reset"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "BREW", ""]
HEADERS = [
    *(b"accept-encoding", b"access-control-request-headers", b"access-control-request-method"),
    *(b"authorization", b"content-length", b"content-type", b"cookie", b"dpop", b"host"),
    b"if-modified-since",
    *(b"if-none-match", b"if-range", b"origin", b"range", b"x-request-id", b"transfer-encoding"),
]
VALUES = [
    *(b"", b"*", b"*/*", b"null", b"application/json", b"application/json; charset=\xff", b"text/plain"),
    *(b"Bearer", b"Bearer a.b.c", b"Bearer \xe4", b"DPoP a.b.c", b"Basic eA==", b"bytes=0-0,1-"),
    *(b"-1", b"9" * 400, b"https://app.example", b"POST", b"gzip;q=nan", b'W/"'),
    b"Thu, 99 Foo 0000 99:99:99 GMT",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    *("username", "password", "refreshToken", "text", "delay", "status", "body", "headers", "times"),
    *("after", "access", "seconds", "required"),
]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all examples, with the lab and CORS, so that every part of it is reached."""
    site = Site(tmp_path_factory.mktemp("fuzzed"), allow_origins=("https://app.example",))
    yield site
    site.app.close()


@settings(max_examples=200, deadline=None)
@given(
    method=st.sampled_from(METHODS) | st.text(st.characters(codec="ascii"), max_size=9),
    path=st.sampled_from(PATHS)
    | st.text(max_size=30)
    | st.builds("{}/{}".format, st.sampled_from(PATHS), st.text(max_size=9)),
    query=st.binary(max_size=20),
    headers=st.lists(
        st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | st.binary(max_size=20)), max_size=5
    ),
    body=st.lists(st.binary(max_size=40), min_size=1, max_size=3),
    signed_in=st.booleans(),
    cut_off=st.booleans(),
)
async def test_no_request_makes_the_server_fail(
    fuzzed: Site,
    method: str,
    path: str,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    body: list[bytes],
    signed_in: bool,
    cut_off: bool,
) -> None:
    """Any method, path, query, headers and body, complete or cut off, get an answer below 500."""
    if signed_in:
        token = await access_token(fuzzed)
        headers = [*headers, (b"authorization", f"Bearer {token}".encode())]

    status = await fuzzed.hand_over(path, method, query, headers, body, cut_off=cut_off)

    assert status < 500


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from(
        [
            *("/login", "/refresh", "/logout", "/api/notes", "/lab/refresh", "/lab/api", "/lab/ttl"),
            *("/lab/grace", "/lab/nonces"),
        ]
    ),
    content=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4),
)
async def test_no_json_makes_the_server_fail(fuzzed: Site, path: str, content: object) -> None:
    """Any JSON gets an answer below 500, and what the lab took in can be taken back."""
    response = await fuzzed.post_json(path, content, bearer(await access_token(fuzzed)))

    assert response.status_code < 500
    await fuzzed.lab("reset")


async def access_token(site: Site) -> str:
    """Sign in straight at the app, whatever the examples before did to the brake and to the tokens."""
    await site.lab("reset")
    return str((await site.http.post("/login", json=CREDENTIALS)).json()["accessToken"])
