"""The head of a request: for this server, and of one length; sent over sockets, as an attacker would."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.server.running import Running
from tests.server.site import CREDENTIALS, Site

PATHS = ["/", "/static/style.css", "/lab/counters", "/api/profile", "/missing"]
HERE = ["127.0.0.1", "localhost", "LocalHost", "[::1]", "localhost:1", "[0:0:0:0:0:0:0:1]:8000"]
ELSEWHERE = [
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "evil.example#localhost",
    "evil.example@localhost",
    "localhost@evil.example",
    "127.0.0.2",
    "[::2]",
    "localhost:80:80",
    "localhost, evil.example",
    "",
]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that has two more names, and listens at all addresses of this machine."""
    options = ["--host", "0.0.0.0", "--allow-host", "demo.example", "--allow-host", "[2001:db8::1]"]
    running = Running(tmp_path_factory.mktemp("named"), *options)
    yield running
    assert (0, "", "") == running.stop()


def get(path: str, host: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_name_that_leads_here_and_is_not_ours_gets_nothing(
    server: Running, http: httpx.AsyncClient, host: str
) -> None:
    """A page whose own name now means this machine reads no file, no token and no counter."""
    token = (await http.post("/login", json=CREDENTIALS)).json()["accessToken"]
    with_token = get("/api/profile", host)[:-2] + f"Authorization: Bearer {token}\r\n\r\n".encode()

    assert {421} == {status for path in PATHS for status in server.send(get(path, host))}
    assert [421] == server.send(with_token)


async def test_who_asks_by_another_name_is_told_what_to_do(http: httpx.AsyncClient) -> None:
    """In the shape of every refusal, with the security headers."""
    answer = await http.get("/", headers={"Host": "evil.example"})

    assert "misdirected_request" == answer.json()["error"]
    assert "--allow-host" in answer.json()["error_description"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("host", HERE)
def test_this_machine_has_several_names(server: Running, host: str) -> None:
    """Whatever the port: another may be forwarded to this one."""
    assert [200] == server.send(get("/lab/counters", host))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("demo.example", 200),
        ("Demo.Example:8000", 200),
        ("[2001:db8:0::1]", 200),
        ("0.0.0.0", 200),
        ("localhost", 200),
        ("other.example", 421),
        ("www.demo.example", 421),
    ],
)
def test_more_names_can_be_allowed(named: Running, host: str, status: int) -> None:
    """Those of the command line, that of --host among them, and no others."""
    assert [status] == named.send(get("/", host))


@pytest.mark.parametrize(
    ("server", "host", "status"),
    [
        ("192.0.2.7", b"192.0.2.7:8000", 200),
        ("::ffff:192.0.2.7", b"192.0.2.7", 200),
        ("2001:db8::7", b"[2001:db8::7]", 200),
        ("192.0.2.7", b"192.0.2.8", 421),
        (None, b"evil.example", 421),
        (None, b"localhost", 200),
    ],
)
async def test_the_address_that_was_called_is_ours(
    site: Site, server: str | None, host: bytes, status: int
) -> None:
    """With --host 0.0.0.0 or :: each address of this machine is; a socket without addresses has none."""
    assert status == await site.hand_over("/lab/counters", headers=[(b"host", host)], server=server)


SMUGGLED = get("/lab/counters", "localhost")
LOGIN = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(b"0\r\n\r\n" + SMUGGLED),
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding:\tCHUNKED\r\nContent-Length: 0\r\n",
        b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Content-Length: 5\r\nContent-Length: 0\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length\0: 5\r\n",
    ],
)
def test_a_request_of_unclear_length_ends_its_connection(server: Running, lengths: bytes) -> None:
    """What follows it is answered by nobody: to a proxy it may have been this request's body."""
    assert [400] == server.send(LOGIN + lengths + b"\r\n0\r\n\r\n" + SMUGGLED)


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
)
def test_a_request_of_clear_length_is_followed_by_the_next(server: Running, lengths: bytes) -> None:
    """Both are answered, in their order."""
    assert [400, 200] == server.send(LOGIN + lengths + SMUGGLED)
