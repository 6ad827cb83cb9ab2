"""What ``Client`` sends is settled when it's called: what changes before the replay changes nothing."""

from __future__ import annotations

import pytest

from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab


async def change_before_the_replay(kind):
    import js
    from opened import auth, client
    from pyodide.ffi import to_js

    form = js.FormData.new()
    form.set("a", "1")
    array = js.Uint8Array.new(to_js([49, 50]))
    bodies = {
        "FormData": (form, lambda: form.set("a", "9")),
        "URLSearchParams": (params := js.URLSearchParams.new("a=1"), lambda: params.set("a", "9")),
        "bytes of JavaScript": (array, lambda: array.fill(57)),
        "an ArrayBuffer": (array.buffer, lambda: array.fill(57)),
        "a bytearray": (content := bytearray(b"12"), lambda: content.__setitem__(0, 57)),
        "a dict": (fields := {"a": "1"}, lambda: fields.update(a="9")),
    }
    body, change = bodies[kind]
    auth.listen(lambda event: change() if event.name == "refused" else None)
    argument = "data" if kind in ("FormData", "a dict") else "content"
    echo = await (await client.post("/echo", **{argument: body})).json()
    return echo["body"], echo["headers"].get("content-type", "")


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("FormData", "\r\n\r\n1\r\n"),
        ("URLSearchParams", "a=1"),
        ("bytes of JavaScript", "12"),
        ("an ArrayBuffer", "12"),
        ("a bytearray", "12"),
        ("a dict", "a=1"),
    ],
)
def test_a_body_that_changes_is_sent_as_it_was(session: PageSession, lab: Lab, kind: str, sent: str) -> None:
    """After a renewal too; a form's boundary is that of its header field."""
    lab.expire()

    body, content_type = session.python(change_before_the_replay, kind)

    assert sent in body
    assert 1 == lab.counters()["refresh"]
    if kind == "FormData":
        assert content_type.partition("boundary=")[2] in body
