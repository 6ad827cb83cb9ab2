"""What can't be sent and what doesn't come back: each told as an error of its own, without secrets."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from silent_refresh import NetworkError


async def read_and_fail(method, url, arguments):
    from opened import client

    try:
        await (await client.request(method, url, **arguments)).json()
    except Exception as error:
        return [type(error).__name__, str(error)]


MISTAKES = {
    "a line break in a header": (
        "GET",
        "me",
        {"headers": {"X-A": "a\r\nCookie: secret"}},
        "ValueError",
        "GET /api/me",
    ),
    "a header outside Latin-1": (
        "GET",
        "me",
        {"headers": {"X-A": "secret 世界"}},
        "ValueError",
        "GET /api/me",
    ),
    "a header name with a space": ("GET", "me", {"headers": {"X A": "secret"}}, "ValueError", "GET /api/me"),
    "a GET with a body": ("GET", "me", {"json": {"a": "secret"}}, "ValueError", "GET /api/me"),
    "a forbidden method": ("CONNECT", "me", {}, "ValueError", "CONNECT /api/me"),
    "no method": ("GET /", "me", {}, "ValueError", "is not an HTTP method"),
    "no host": ("GET", "http://", {}, "ValueError", "is not a URL"),
    "a port that is none": ("GET", "http://127.0.0.1:x/?secret", {}, "ValueError", "is not a URL"),
    "no time at all": ("GET", "me", {"timeout": 0}, "ValueError", "timeout must be"),
    "two bodies": ("POST", "me", {"json": 1, "content": "2"}, "TypeError", "one body, not json and content"),
}


@pytest.mark.every_engine("fetch's errors")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_anything_is_sent(session, lab, mistake):
    """In words of its own, without the values, which may be secrets."""
    method, url, arguments, kind, words = MISTAKES[mistake]
    error, told = session.python(read_and_fail, method, url, arguments)

    assert kind == error
    assert words in told
    assert "secret" not in told
    assert 0 == lab.counters()["api"]


def test_a_page_instead_of_json_is_told(session, lab):
    """The error names the URL, the status and what came; it quotes neither query nor body."""
    lab.api(status=200, body="<h1>secret</h1>", headers={"content-type": "text/html"})
    error, told = session.python(read_and_fail, "GET", "notes?secret", {})

    assert "NotJSON" == error
    assert told.startswith("GET /api/notes was answered 200 with a body that is not JSON (text/html, 15 char")
    assert "secret" not in told


def test_json_that_is_too_deep_is_told(session, lab):
    """The page's Python would not outlive it, and no ``except`` would see it."""
    lab.api(status=200, body="[" * 20_000, headers={"content-type": "application/json"})
    error, told = session.python(read_and_fail, "GET", "notes", {})

    assert "NotJSON" == error
    assert "20000 characters" in told
    assert [200] == session.get("profile")


@pytest.mark.needs("a way to take the network away")
def test_offline_is_a_network_error_until_the_network_is_back(session):
    """It is told as such, not as an abort, and the session doesn't suffer."""
    session.page.context.set_offline(True)
    error, told = session.python(read_and_fail, "GET", "profile", {})
    session.page.context.set_offline(False)

    assert "NetworkError" == error
    assert "GET /api/profile got no answer" in told
    assert [200] == session.get("profile")


@contextmanager
def answering(answer):
    """Answer every connection with these bytes and close it; give the URL."""

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


SHARED = b"Access-Control-Allow-Origin: *\r\n"
BROKEN_OFF = b"HTTP/1.1 200 OK\r\n" + SHARED + b"Content-Type: %s\r\nContent-Length: 100\r\n\r\n{"
BROKEN = {
    "no answer": b"",
    "no HTTP": b"dropped\r\n",
    "broken off JSON": BROKEN_OFF % b"application/json",
    "broken off text": BROKEN_OFF % b"text/plain",
    "F45 a 401 without CORS headers": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.every_engine("fetch's errors")
@pytest.mark.parametrize("case", BROKEN)
def test_an_answer_that_breaks_off_is_a_network_error(session, lab, case):
    """Whether its head is missing, its body, or the permission to read it (F45)."""
    with answering(BROKEN[case]) as url:
        error, told = session.python(read_and_fail, "GET", url + "?secret", {})

    assert "NetworkError" == error
    assert f"GET {url} got no answer" in told
    assert "secret" not in told
    assert 0 == lab.counters()["refresh"]


async def fields_of(url):
    from opened import client

    return dict((await client.get(url)).headers)


NOTE_BY_FETCH = "async (url) => (await fetch(url)).headers.get('x-note')"


def test_no_byte_of_a_value_makes_a_field(session):
    """Python takes more bytes for the end of a line than HTTP does, and UTF-8 is full of one of them."""
    note = b"\x85x-made: 1\x85" + "… ł".encode()
    head = b"HTTP/1.1 200 OK\r\n" + SHARED + b"Access-Control-Expose-Headers: X-Note\r\nX-Note: %s\r\n"
    with answering(head % note + b"Content-Length: 0\r\n\r\n") as url:
        by_fetch = session.page.evaluate(NOTE_BY_FETCH, url)
        fields = session.python(fields_of, url)

    assert "x-made" not in fields
    assert by_fetch == fields["x-note"]
    assert "made" in by_fetch


async def stream_and_fail(url):
    from opened import client

    try:
        async with client.stream("GET", url) as response:
            async for _ in response.chunks():
                pass
    except NetworkError as error:
        return [response.status, repr(error.request)]


@pytest.mark.every_engine("streams")
def test_a_stream_that_breaks_off_is_a_network_error(session):
    """A body that stops in its middle is never taken for a whole one."""
    with answering(BROKEN["broken off text"]) as url:
        assert [200, f"<Request GET {url}>"] == session.python(stream_and_fail, url)
