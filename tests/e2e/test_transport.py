"""What goes out and what comes back through the browser's fetch: bodies, headers, streams."""

from __future__ import annotations

import hashlib
import socket
import threading
from contextlib import contextmanager
from urllib.parse import unquote_plus

import pytest

from silent_refresh import NotJSON
from tests.e2e.patience import PATIENCE
from tests.e2e.running_server import ROOT

(WASM,) = ROOT.glob("static/vendor/pyodide-*/*.wasm")  # the largest file there is, about 9 MB
LARGEST = 1024 * 1024  # bytes that /api/echo takes


async def echo(kind, text, bytes_wanted):
    import js
    from opened import client
    from pyodide.ffi import to_js

    form = js.FormData.new()
    form.append("text", text)
    form.append("file", js.Blob.new(to_js([text])), "notes.txt")
    search = js.URLSearchParams.new()
    search.append("text", text)
    body = {
        "json": {"json": {"text": text, "none": None}},
        "json null": {"json": None},
        "form": {"data": {"text": text, "many": [1, 2]}},
        "FormData": {"data": form},
        "URLSearchParams": {"content": search},
        "str": {"content": text},
        "bytes": {"content": bytes(range(256)) * (bytes_wanted // 256)},
        "memoryview": {"content": memoryview(text.encode())},
        "Blob": {"content": js.Blob.new(to_js([text]), type="text/markdown")},
        "own type": {"content": text, "headers": {"content-type": "text/css"}},
        "empty": {"content": b""},
        "none": {},
    }[kind]
    return await (await client.post("echo", **body)).json()


TEXT = "Grüße, 世界 & 100 % 🐍"
JSON = '{"text":"Gr\\u00fc\\u00dfe, \\u4e16\\u754c & 100 % \\ud83d\\udc0d","none":null}'
BODIES = {
    "json": ("application/json", JSON),
    "json null": ("application/json", "null"),
    "form": ("application/x-www-form-urlencoded", f"text={TEXT}&many=1&many=2"),
    "URLSearchParams": ("application/x-www-form-urlencoded;charset=UTF-8", f"text={TEXT}"),
    "str": ("text/plain;charset=UTF-8", TEXT),
    "memoryview": (None, TEXT),
    "Blob": ("text/markdown", TEXT),
    "own type": ("text/css", TEXT),
    "empty": (None, ""),
    "none": (None, ""),
}


@pytest.mark.every_engine("fetch")
@pytest.mark.parametrize("kind", BODIES)
def test_a_body_arrives_whole_and_again_after_a_renewal(session, lab, kind):
    """Any body that `Client` takes can be replayed (F43)."""
    content_type, body = BODIES[kind]
    lab.expire()
    echoed = session.python(echo, kind, TEXT, 0)

    assert content_type == echoed["headers"].get("content-type")
    arrived = unquote_plus(echoed["body"]) if "urlencoded" in (content_type or "") else echoed["body"]
    assert body == arrived
    assert {"refresh": 1, "reuse": 0, "api": 2, "unauthorized": 1} == lab.counters()


def test_a_form_with_a_file_is_replayed(session, lab):
    """The browser writes the boundary, and the same form goes out twice (F43)."""
    lab.expire()
    echoed = session.python(echo, "FormData", TEXT, 0)

    kind, _, boundary = echoed["headers"]["content-type"].partition("; boundary=")
    assert "multipart/form-data" == kind
    assert 3 == echoed["body"].count(f"--{boundary}")
    assert 'name="file"; filename="notes.txt"' in echoed["body"]
    assert 2 == echoed["body"].count(TEXT)
    assert 1 == lab.counters()["refresh"]


def test_a_large_body_arrives_whole_and_again_after_a_renewal(session, lab):
    """A mebibyte of every byte there is."""
    lab.expire()
    echoed = session.python(echo, "bytes", "", LARGEST)

    assert LARGEST == echoed["bytes"]
    assert hashlib.sha256(bytes(range(256)) * (LARGEST // 256)).hexdigest() == echoed["sha256"]
    assert 1 == lab.counters()["refresh"]


async def echo_with(method, url, arguments):
    from opened import client

    return await (await client.request(method, url, **arguments)).json()


def test_parameters_join_the_query(session):
    """Lists repeat the name, text of any script is encoded, and the URL's own query stays."""
    params = {"params": {"q": TEXT, "id": [1, 2], "empty": ""}}
    echoed = session.python(echo_with, "GET", "echo?a=b#fragment", params)

    assert f"a=b&q={TEXT}&id=1&id=2&empty=" == unquote_plus(echoed["query"])


NAME_BY_FETCH = """async ([name, token]) => {
    const headers = { "X-Name": name, Authorization: `Bearer ${token}` };
    return (await (await fetch("/api/echo", { headers })).json()).headers["x-name"];
}"""


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "query"])
def test_every_method_arrives_with_its_headers(session, method):
    """Methods go out in capitals, header values as fetch's: in Latin-1, by WebKitGTK alone in UTF-8."""
    wanted = {"headers": {"X-Name": "Grüße", "accept-language": "de"}}
    by_fetch = session.page.evaluate(NAME_BY_FETCH, ["Grüße", session.record()["access_token"]])
    echoed = session.python(echo_with, method, "echo", wanted)

    assert method.upper() == echoed["method"]
    assert by_fetch == echoed["headers"]["x-name"]
    assert by_fetch in ("Grüße", "Grüße".encode().decode("latin-1"))
    assert "de" == echoed["headers"]["accept-language"]


async def read_in_all_ways(url):
    import hashlib

    from opened import client

    data = await (await client.get(url)).bytes()
    pieces = []
    async with client.stream("GET", url) as response:
        async for chunk in response.chunks():
            pieces.append(chunk)
    return [len(pieces), *(hashlib.sha256(whole).hexdigest() for whole in (data, b"".join(pieces)))]


@pytest.mark.every_engine("streams")
def test_a_large_answer_is_read_whole_and_in_pieces(session):
    """Nine megabytes, byte for byte."""
    url = "/" + str(WASM.relative_to(ROOT))
    session.open(base_url="")
    count, *digests = session.python(read_in_all_ways, url)

    assert count > 1
    assert [hashlib.sha256(WASM.read_bytes()).hexdigest()] * 2 == digests


async def leave_after_the_first_chunk(url):
    from opened import client

    async with client.stream("GET", url) as response:
        async for _ in response.chunks():
            break
    return response.status


@contextmanager
def answering_without_end():
    """Answer one request with a body that never ends; give the URL, and what is set once nobody takes it."""
    gone = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\n"

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(head)
                while True:
                    connection.sendall(b"x" * 65536)
            except OSError:
                gone.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", gone


@pytest.mark.every_engine("streams")
def test_leaving_a_stream_early_aborts_the_rest(session):
    """Nobody downloads what nobody reads: the server is told."""
    with answering_without_end() as (url, gone):
        assert 200 == session.python(leave_after_the_first_chunk, url)

        assert gone.wait(PATIENCE)


async def read_empty(method):
    from opened import client

    response = await client.request(method, "profile")
    pieces = []
    async with client.stream(method, "profile") as streamed:
        async for chunk in streamed.chunks():
            pieces.append(chunk)
    try:
        await response.json()
    except NotJSON as error:
        told = str(error)
    return [response.status, await response.text(), len(await response.bytes()), pieces, told]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 205), ("GET", 304)])
def test_an_answer_without_a_body_reads_as_empty(session, lab, method, status):
    """A null body is legal, and no JSON."""
    if status != 200:
        lab.api(status=status, times=2)
    *read, told = session.python(read_empty, method)

    assert [status, "", 0, []] == read
    assert f"{method} /api/profile was answered {status} with a body that is not JSON" in told


async def read_again():
    from opened import client

    response = await client.get("/api/profile")
    first = [await response.json(), await response.text(), (await response.bytes()).decode()]
    page = await client.get("/static/icon.svg", auth=None)
    markup = [(await page.bytes()).decode(), await page.text(), await page.text()]
    async with client.stream("GET", "/api/profile") as streamed:
        _ = [chunk async for chunk in streamed.chunks()]
        try:
            await streamed.text()
        except RuntimeError as error:
            return [first, markup, str(error)]


def test_a_body_can_be_read_again(session):
    """As often as wanted once it was read whole; what went by in pieces is told to be gone."""
    session.open(base_url="")
    (profile, text, data), markup, told = session.python(read_again)

    assert "demo" == profile["username"]
    assert text == data
    assert 1 == len(set(markup))
    assert "the body of <Request GET" in told
    assert "was read already" in told
