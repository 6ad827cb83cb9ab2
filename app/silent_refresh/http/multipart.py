"""Writes fields and files as a form with files has them.

    client.post("photos", data={"title": "Holiday"}, files={"photo": ("holiday.jpg", bytes, "image/jpeg")})

A part may be the browser's own, a ``File`` say: it stays where it is, between pieces of bytes.

RFC 7578 · https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .form import pairs

UNKNOWN = "application/octet-stream"


def multipart(fields: Any, files: Any) -> tuple[list[Any], str]:
    """Return the pieces of the body, bytes or objects of the browser's, and its content type.

    Raises ``TypeError`` and ``ValueError`` for what is no file.
    """
    boundary = os.urandom(16).hex()
    pieces: list[Any] = []
    for name, value in pairs(fields or {}):
        content = value if isinstance(value, bytes) else str(value).encode()
        pieces += [_head(boundary, f'name="{_quoted(name)}"'), content, b"\r\n"]
    for name, file in files.items() if isinstance(files, Mapping) else files:
        for filename, content, kind in _files(name, file):
            told = f'name="{_quoted(name)}"'
            if filename is not None:
                told += f'; filename="{_quoted(filename)}"'
            pieces += [_head(boundary, told, kind), content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return pieces, f"multipart/form-data; boundary={boundary}"


def _head(boundary: str, told: str, kind: str | None = None) -> bytes:
    lines = [f"--{boundary}", f"Content-Disposition: form-data; {told}"]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, "", ""]).encode()


def _quoted(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _files(name: str, given: Any) -> Iterator[tuple[str | None, Any, str]]:
    """Yield the name, content and type of each file that goes by ``name``; ``None`` is none."""
    for file in given if isinstance(given, list) else [given]:
        if file is None:
            continue
        filename, content, kind = _named(name, file)
        if kind is not None and not (kind.isascii() and kind.isprintable()):
            raise ValueError(f"the content type of the file {name!r} can't be {kind!r}")
        yield filename, _settled(name, content), kind or _guessed(filename)


def _named(name: str, file: Any) -> tuple[str | None, Any, str | None]:
    if isinstance(file, tuple):
        if len(file) not in (2, 3):
            raise TypeError(f"the file {name!r} is a tuple of its name, content, and type if that is known")
        own = getattr(file[1], "type", None)
        filename, content, kind = (*file, own or None) if len(file) == 2 else file
        return filename, content, kind
    own_name = getattr(file, "name", None)  # of an opened file, or one of the browser's
    filename = os.path.basename(own_name) if isinstance(own_name, str) and own_name else "upload"
    return filename, file, getattr(file, "type", None) or None


def _guessed(filename: str | None) -> str:
    from mimetypes import guess_type  # costly to load in a browser, and not every page needs it

    return guess_type(filename)[0] or UNKNOWN if filename else UNKNOWN


def _settled(name: str, content: Any) -> Any:
    """Return what can be sent again: a file is read."""
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    read = getattr(content, "read", None)
    if read is not None:
        content = read()
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, bytes):
        return content
    if content is None or isinstance(content, Iterable | Mapping | int | float):
        raise TypeError(
            f"the file {name!r} has to be bytes, text, an opened file, or a File or Blob of the browser's, "
            f"not {type(content).__name__}"
        )
    return content
