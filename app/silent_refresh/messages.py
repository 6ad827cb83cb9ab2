"""What travels: ``Headers``, ``Request`` and ``Response``, with the names of the fetch standard.

    request = Request("GET", "/api/profile").with_header("Accept", "application/json")

A request is a value: every ``with_…`` returns a copy, so an interceptor can send it twice.
See https://fetch.spec.whatwg.org/.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

from .errors import HTTPStatusError, NotJSON

SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "apikey", "x-api-key"}
)


class Headers(Mapping[str, str]):
    """Read-only header fields; names compare without regard to case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._fields = {name.lower(): (name, value) for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def flat(self) -> Iterator[str]:
        """Yield name, value, name, value, …: what crosses a bridge best."""
        return chain.from_iterable(self._fields.values())

    def with_field(self, name: str, value: str) -> Headers:
        """Return a copy in which ``name`` has this value alone."""
        copy = Headers.__new__(Headers)
        copy._fields = {**self._fields, name.lower(): (name, value)}
        return copy

    def without(self, name: str) -> Headers:
        """Return a copy that lacks ``name``."""
        copy = Headers.__new__(Headers)
        copy._fields = {key: field for key, field in self._fields.items() if key != name.lower()}
        return copy

    def __repr__(self) -> str:
        shown = {name: "…" if key in SECRET_HEADERS else value for key, (name, value) in self._fields.items()}
        return f"Headers({shown})"


NO_HEADERS = Headers()
_decode = json.JSONDecoder().raw_decode


class Request:
    """One request to send.

    ``body`` is ``None``, ``str``, ``bytes`` or an object of the browser (Blob, FormData, URLSearchParams).
    ``timeout`` is in seconds, ``None`` for none. ``stream`` asks for a body that isn't read ahead.
    ``options`` are further options of fetch, such as ``{"cache": "no-store"}``.
    """

    __slots__ = ("body", "headers", "method", "options", "stream", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = NO_HEADERS,
        body: Any = None,
        timeout: float | None = 30.0,
        stream: bool = False,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.stream = stream
        self.options = options

    def with_headers(self, headers: Headers) -> Request:
        """Return a copy that sends these fields and no others."""
        copy = Request.__new__(Request)
        copy.method, copy.url, copy.headers, copy.body = self.method, self.url, headers, self.body
        copy.timeout, copy.stream, copy.options = self.timeout, self.stream, self.options
        return copy

    def with_header(self, name: str, value: str) -> Request:
        """Return a copy that sends ``name`` with this value."""
        return self.with_headers(self.headers.with_field(name, value))

    def with_bearer(self, access_token: str) -> Request:
        """Return a copy that sends the token as RFC 6750 §2.1 says."""
        return self.with_headers(self.headers.with_field("Authorization", "Bearer " + access_token))

    def with_url(self, url: str) -> Request:
        """Return a copy that goes to ``url``."""
        copy = self.with_headers(self.headers)
        copy.url = url
        return copy

    def __repr__(self) -> str:
        return f"<Request {self.method} {without_query(self.url)}>"


class Body(Protocol):
    """The platform's side of a response's body; whole once, then kept by ``Response``."""

    async def read(self) -> bytes: ...
    async def read_text(self) -> str: ...
    def chunks(self) -> AsyncIterator[bytes]: ...
    def discard(self) -> None:
        """Drop the body unread, so that its connection is free."""


class Response:
    """The answer to a request.

    ``url`` is the final one, after redirects. The body can be read as often as wanted, once it was
    read whole; ``chunks()`` reads it once, piece by piece.
    """

    __slots__ = ("_bytes", "_headers", "_source", "_text", "redirected", "request", "status", "url")

    def __init__(
        self,
        status: int,
        headers: Headers | str,
        url: str,
        request: Request,
        *,
        text: str | None = None,
        body: Body | None = None,
        redirected: bool = False,
    ) -> None:
        self.status = status
        self._headers = headers
        self.url = url
        self.request = request
        self.redirected = redirected
        self._text = text
        self._bytes: bytes | None = None
        self._source = body

    @property
    def ok(self) -> bool:
        """Whether the status is in 200–299."""
        return 200 <= self.status <= 299

    @property
    def headers(self) -> Headers:
        """The header fields that the browser lets page code see."""
        headers = self._headers
        if isinstance(headers, str):  # parsed when asked for: most answers never are
            fields = (line.partition(":") for line in headers.splitlines())
            headers = self._headers = Headers((name, value.strip()) for name, _, value in fields)
        return headers

    async def text(self) -> str:
        """Read the body as UTF-8 text. Raises ``NetworkError`` if it breaks off."""
        if self._text is None:
            if self._bytes is not None:
                self._text = self._bytes.decode("utf-8-sig", errors="replace")
            else:
                self._text = await self._source.read_text() if self._source else ""
        return self._text

    async def bytes(self) -> bytes:
        """Read the body as it came. Raises ``NetworkError`` if it breaks off."""
        if self._bytes is None:
            if self._text is not None:
                self._bytes = self._text.encode()
            else:
                self._bytes = await self._source.read() if self._source else b""
        return self._bytes

    async def json(self) -> Any:
        """Read the body as JSON. Raises ``NotJSON`` when it's something else."""
        text = await self.text() if self._text is None else self._text
        try:  # as json.loads does, less its two searches for white space, which cost as much again
            value, end = _decode(text)
            if end == len(text):
                return value
        except ValueError:
            pass  # it is none, or has white space before it
        try:
            return json.loads(text)
        except ValueError as error:
            kind = self.headers.get("content-type", "no content type")
            raise NotJSON(
                f"{self._told()} with a body that is not JSON ({kind}, {len(text)} characters). "
                "Check that the URL is the API's and not a page's, or read it with text().",
                response=self,
            ) from error

    async def chunks(self) -> AsyncIterator[builtins.bytes]:
        """Yield the body piece by piece, as it comes; for ``client.stream(…)``."""
        if self._source is None or self._text is not None or self._bytes is not None:
            yield await self.bytes()
            return
        async for chunk in self._source.chunks():
            yield chunk

    def raise_for_status(self) -> Response:
        """Return the response itself, or raise ``HTTPStatusError`` for 4xx and 5xx."""
        if self.status >= 400:
            raise HTTPStatusError(self._told(), response=self)
        return self

    def discard(self) -> None:
        """Give up a body that nobody will read."""
        if self._source is not None:
            self._source.discard()

    def _told(self) -> str:
        return f"{self.request.method} {without_query(self.request.url)} was answered {self.status}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.request.method} {without_query(self.url)}>"


def without_query(url: str) -> str:
    """Cut query and fragment: what people read shows neither, for either may hold a secret."""
    return url.partition("#")[0].partition("?")[0]
