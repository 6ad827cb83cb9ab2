"""``files=``: what a form with files looks like on its way, as a server reads it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from werkzeug.formparser import parse_form_data

from silent_refresh import Client, Request, Response
from silent_refresh.http.multipart import UNKNOWN
from tests.world.browser import Tab
from tests.world.server import Server


class Sent:
    """A client whose requests come here; ``fields`` and ``files`` are what a server makes of the last."""

    def __init__(self, tab: Tab, **options: Any) -> None:
        self.client = Client("/api", platform=tab.platform, interceptors=[self._keep], **options)

    async def _keep(self, request: Request, send: Any) -> Response:
        self.request = request
        return Response(200, "", request.url, request)

    async def __call__(self, **options: Any) -> tuple[list[Any], list[Any]]:
        """Post, and return both."""
        await self.client.post("photos", **options)
        body = self.request.body
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": self.request.headers["content-type"],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        _, fields, files = parse_form_data(environ, stream_factory=lambda *_, **__: io.BytesIO())
        told = [
            (name, file.filename, file.content_type, file.read()) for name, file in files.items(multi=True)
        ]
        return list(fields.items(multi=True)), told


@pytest.fixture
def sent(tab: Tab) -> Sent:
    """Return what sends."""
    return Sent(tab)


FILES: dict[str, tuple[Any, list[Any]]] = {
    "bytes": ({"photo": b"\x00\xff"}, [("photo", "upload", UNKNOWN, b"\x00\xff")]),
    "a bytearray": ({"photo": bytearray(b"x")}, [("photo", "upload", UNKNOWN, b"x")]),
    "text": ({"photo": "Köln"}, [("photo", "upload", UNKNOWN, "Köln".encode())]),
    "nothing in it": ({"photo": b""}, [("photo", "upload", UNKNOWN, b"")]),
    "named": ({"photo": ("a.png", b"x")}, [("photo", "a.png", "image/png", b"x")]),
    "named and typed": ({"photo": ("a", b"x", "image/webp")}, [("photo", "a", "image/webp", b"x")]),
    "a type that is guessed": ({"t": ("a.csv", "1,2")}, [("t", "a.csv", "text/csv", b"1,2")]),
    "two by one name": (
        [("p", ("a.txt", "1")), ("p", ("b.txt", "2"))],
        [("p", "a.txt", "text/plain", b"1"), ("p", "b.txt", "text/plain", b"2")],
    ),
    "a list": (
        {"p": [("a.txt", "1"), None, b"2"]},
        [("p", "a.txt", "text/plain", b"1"), ("p", "upload", UNKNOWN, b"2")],
    ),
    "a file in memory": ({"p": io.BytesIO(b"123")}, [("p", "upload", UNKNOWN, b"123")]),
    "text in memory": ({"p": ("a.txt", io.StringIO("é"))}, [("p", "a.txt", "text/plain", "é".encode())]),
    "a name of another script": ({"fé": ("中.txt", b"x")}, [("fé", "中.txt", "text/plain", b"x")]),
    "None": ({"photo": None, "other": b"x"}, [("other", "upload", UNKNOWN, b"x")]),
    "None alone": ({"photo": None}, []),
}


@pytest.mark.parametrize("kind", FILES)
async def test_a_server_reads_what_was_given(sent: Sent, kind: str) -> None:
    """Names, types and contents, of whatever kind."""
    files, expected = FILES[kind]

    assert ([], expected) == await sent(files=files)


async def test_an_opened_file_has_its_own_name(sent: Sent, tmp_path: Path) -> None:
    """Without its folder; read from where it stands."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"bread, milk")
    with path.open("rb") as file:
        _, files = await sent(files={"notes": file})

    assert [("notes", "notes.txt", "text/plain", b"bread, milk")] == files


async def test_fields_go_along_as_in_a_form(sent: Sent) -> None:
    """``None`` isn't sent, a list is several, a truth is JSON's word for it."""
    data = {"title": "Köln", "tag": ["a", "b"], "none": None, "shared": True, "n": 7, "raw": b"x"}
    fields, files = await sent(data=data, files={"photo": b"x"})

    assert [
        *(("title", "Köln"), ("tag", "a"), ("tag", "b"), ("shared", "true"), ("n", "7"), ("raw", "x"))
    ] == fields
    assert ["photo"] == [name for name, *_ in files]


@pytest.mark.parametrize("name", ['a"; filename="evil', "a\r\nX-Evil: 1", "a\nb", "a\rb"])
async def test_a_name_ends_no_line_and_no_quotation(sent: Sent, name: str) -> None:
    """Whoever names a field or a file adds nothing to the body (RFC 7578 §4.2)."""
    await sent(data={name: "1"}, files={name: (name, b"x")})
    head = sent.request.body.split(b"\r\n\r\n")

    assert 2 == sent.request.body.count(b"form-data; name=")
    assert b"X-Evil: 1\r\n" not in sent.request.body
    assert 3 == len(head)


async def test_no_files_are_a_plain_form(sent: Sent) -> None:
    """An empty dict, or none."""
    for files in ({}, [], None):
        await sent.client.post("photos", data={"title": "x"}, files=files)
        assert "application/x-www-form-urlencoded" == sent.request.headers["content-type"]


async def test_the_boundary_is_this_bodys(tab: Tab) -> None:
    """Whatever the client's own fields say, and another one for each body."""
    sent = Sent(tab, headers={"Content-Type": "application/json"})
    kinds = set()
    for _ in range(2):
        await sent(files={"photo": b"x"})
        kinds.add(sent.request.headers["content-type"])

    assert 2 == len(kinds)
    assert all(kind.startswith("multipart/form-data; boundary=") for kind in kinds)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"json": {}}, "json and files"),
        ({"content": b"x"}, "content and files"),
        ({"data": object()}, "FormData"),
        ({"files": {"photo": 7}}, "'photo' has to be bytes"),
        ({"files": {"photo": {"a": 1}}}, "'photo' has to be bytes"),
        ({"files": {"photo": (part for part in "ab")}}, "'photo' has to be bytes"),
        ({"files": {"photo": ("a", None)}}, "'photo' has to be bytes"),
        ({"files": {"photo": ("a", b"x", "text/plain", {})}}, "a tuple of its name"),
        ({"files": {"photo": object()}}, "expected a bytes-like object"),
    ],
)
async def test_what_is_no_file_is_told(sent: Sent, options: dict[str, Any], told: str) -> None:
    """Before anything leaves."""
    with pytest.raises(TypeError, match=told):
        await sent(**{"files": {"photo": b"x"}, **options})


async def test_a_type_adds_no_line(sent: Sent) -> None:
    """It is one line of visible characters."""
    with pytest.raises(ValueError, match="content type of the file 'photo'"):
        await sent(files={"photo": ("a", b"x", "text/plain\r\nX-Evil: 1")})


async def test_f44_a_file_is_sent_again(tab: Tab, server: Server) -> None:
    """All of it, though its file was read to the end (F44)."""
    auth, client = tab.sign()
    await auth.sign_in(server.sign_in())
    server.expire()
    file = io.BytesIO(b"bread, milk")

    assert 200 == (await client.post("photos", files={"photo": file})).status
    bodies = [call.body for call in server.calls if call.path == "/api/photos"]
    assert 2 == len(bodies)
    assert bodies[0] == bodies[1]
    assert b"bread, milk" in bodies[0]
