"""A body is what came: ``bytes()`` gives each byte, ``text()`` reads it as UTF-8."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from silent_refresh import NotJSON, Request, Response

REQUEST = Request("GET", "/api/city")


class Source:
    """A body that is still somewhere else."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        """Give it, once."""
        body, self._body = self._body, b""
        return body

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give it."""
        yield await self.read()

    def discard(self) -> None:
        """Drop it."""


@pytest.mark.parametrize("text_first", [True, False])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"city": "K\xf6ln"}', '{"city": "K�ln"}'),
        (b"\xef\xbb\xbf{}", "{}"),
        ("Köln".encode(), "Köln"),
        (b"", ""),
    ],
)
async def test_reading_it_as_text_loses_nothing(body: bytes, text: str, text_first: bool) -> None:
    """In whichever order, as often as wanted."""
    response = Response(200, "", REQUEST.url, REQUEST, body=Source(body))

    for is_text in [text_first, not text_first] * 2:
        assert (text if is_text else body) == await (response.text() if is_text else response.bytes())


async def test_what_was_read_ahead_keeps_its_mark() -> None:
    """A transport hands on the text with its byte order mark, which is no part of the JSON."""
    response = Response(200, "", REQUEST.url, REQUEST, text="\ufeff{}")

    assert {} == await response.json()
    assert b"\xef\xbb\xbf{}" == await response.bytes()
    assert {} == await response.json()


@pytest.mark.parametrize("kind", ["text", "content"])
async def test_only_one_mark_is_none_of_the_text(kind: str) -> None:
    """A second one is, and no JSON begins with it."""
    text = "\ufeff\ufeff{}"
    read = {"text": text} if kind == "text" else {"content": text.encode()}
    response = Response(200, "", REQUEST.url, REQUEST, **read)  # type: ignore[arg-type]

    with pytest.raises(NotJSON):
        await response.json()
