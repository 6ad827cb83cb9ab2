"""``files=`` with what a browser has: a ``File`` stays there, and is sent again after a renewal."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug.formparser import parse_form_data

from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab


async def post_file(kind):
    """Return what the server saw, or the name of the error."""
    import io

    import js
    from opened import client
    from pyodide.ffi import to_js

    made = {
        "a File": lambda: js.File.new(to_js(["breád"]), "note.txt", type="text/x-note"),
        "a File with another name": lambda: ("other.txt", js.File.new(to_js(["breád"]), "note.txt")),
        "a Blob": lambda: js.Blob.new(to_js(["breád"])),
        "bytes": lambda: "breád".encode(),
        "an opened file": lambda: io.StringIO("breád"),
        "a File and bytes": lambda: [js.File.new(to_js(["br"]), "note.txt"), ("b", "eád".encode())],
        "an array": lambda: js.Uint8Array.new(3),
        "an element": lambda: js.document.body,
        "a FormData": lambda: js.FormData.new(),
    }
    try:
        answer = await client.post("echo", data={"title": "x"}, files={"file": made[kind]()})
    except Exception as error:
        return type(error).__name__
    return await answer.json()


def read(echo: dict[str, Any]) -> list[tuple[str | None, str | None, str]]:
    """Return the files as a server reads them."""
    body = echo["body"].encode()
    assert echo["bytes"] == len(body)
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": echo["headers"]["content-type"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    _, fields, files = parse_form_data(environ, stream_factory=lambda *_, **__: io.BytesIO())
    assert ["x"] == fields.getlist("title"), json.dumps(echo)
    return [(file.filename, file.content_type, file.read().decode()) for file in files.getlist("file")]


UNKNOWN = "application/octet-stream"


@pytest.mark.every_engine("fetch")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("a File", [("note.txt", "text/x-note", "breád")]),
        ("a File with another name", [("other.txt", "text/plain", "breád")]),
        ("a Blob", [("upload", UNKNOWN, "breád")]),
        ("bytes", [("upload", UNKNOWN, "breád")]),
        ("an opened file", [("upload", UNKNOWN, "breád")]),
        ("a File and bytes", [("note.txt", "text/plain", "br"), ("b", UNKNOWN, "eád")]),
    ],
)
def test_f44_a_file_is_sent_again(
    session: PageSession, lab: Lab, kind: str, expected: list[tuple[str, str, str]]
) -> None:
    """The server reads all of it after a renewal (F44)."""
    lab.expire()
    echo = session.python(post_file, kind)

    assert expected == read(echo)
    assert {"refresh": 1, "reuse": 0, "api": 2, "unauthorized": 1} == lab.counters()


@pytest.mark.parametrize("kind", ["an array", "an element", "a FormData"])
def test_what_is_no_file_is_told(session: PageSession, lab: Lab, kind: str) -> None:
    """Before anything leaves."""
    assert "TypeError" == session.python(post_file, kind)
    assert 0 == lab.counters()["api"]
