"""What travels: ``Headers``, ``Request`` and ``Response``, with the names of the fetch standard.

    request = Request("GET", "/api/profile").with_header("Accept", "application/json")

A request is a value: every ``with_…`` returns a copy, so an interceptor can send it twice. An interceptor
gets the request and ``send``; it returns the response, and may change the request, send it again, or answer
by itself.

    async def trace(request, send):
        response = await send(request.with_header("X-Request-ID", new_id()))
        log(request.method, request.url, response.status)
        return response

See https://fetch.spec.whatwg.org/.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol, TypeAlias

from ..errors import HTTPStatusError, NotJSON
from .credential import BEARER, NO_KEY, NOTHING, Credential, Secret
from .json import parse_json

# What a field's name has in it when its value may be a secret: X-Session-Token, apikey, Cookie.
SECRET_WORDS = ("auth", "cookie", "token", "key", "secret", "session", "jwt", "csrf", "xsrf", "dpop")


class Headers(Mapping[str, str]):
    """Read-only header fields; names compare without regard to case.

    Requests that are made alike share one object: a transport may know the fields again by its identity.
    """

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
        shown = {name: "…" if _is_secret(key) else value for key, (name, value) in self._fields.items()}
        return f"Headers({shown})"


def _is_secret(name: str) -> bool:
    return any(word in name for word in SECRET_WORDS)


NO_HEADERS = Headers()
BYTE_ORDER_MARK = "\ufeff"  # no part of a text (RFC 3629 §6), but of the body as it came


class Request:
    """One request to send.

    ``body`` is ``None``, ``str``, ``bytes`` or an object of the browser (Blob, FormData, URLSearchParams); a
    refresh call's is a ``Secret``: a transport sends ``sent_body()``.
    ``timeout`` is in seconds, ``None`` for none. ``stream`` asks for a body that isn't read ahead.
    ``options`` are further options of fetch, such as ``{"cache": "no-store"}``. ``credential`` is what the
    request is signed with, and no part of ``headers``: a transport sends ``sent_headers()``. ``target`` is
    ``url`` and the whole URL that it stood for when that was settled: a transport sends to ``sent_url()``.
    """

    __slots__ = ("body", "credential", "headers", "method", "options", "stream", "target", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Headers = NO_HEADERS,
        body: Any = None,
        timeout: float | None = 30.0,
        *,
        stream: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.stream = stream
        self.options = options
        self.credential: Credential | None = None
        self.target: tuple[str, str] | None = None

    def with_headers(self, headers: Headers) -> Request:
        """Return a copy that sends these fields and no others."""
        copy = Request.__new__(Request)
        copy.method, copy.url, copy.headers, copy.body = self.method, self.url, headers, self.body
        copy.timeout, copy.stream, copy.options = self.timeout, self.stream, self.options
        copy.credential, copy.target = self.credential, self.target
        return copy

    def with_header(self, name: str, value: str) -> Request:
        """Return a copy that sends ``name`` with this value."""
        return self.with_headers(self.headers.with_field(name, value))

    def with_credential(self, credential: Credential) -> Request:
        """Return a copy that is signed with it."""
        copy = Request.__new__(Request)  # as in with_headers(), a call for each request less
        copy.method, copy.url, copy.headers, copy.body = self.method, self.url, self.headers, self.body
        copy.timeout, copy.stream, copy.options = self.timeout, self.stream, self.options
        copy.credential, copy.target = credential, self.target
        return copy

    def with_bearer(self, access_token: str) -> Request:
        """Return a copy that sends the token as RFC 6750 §2.1 says."""
        return self.with_credential(BEARER.credential(access_token))

    def with_proof(self, key: str | None) -> Request:
        """Return a copy that is sent with a proof by this key, beside the token that it has, if any."""
        return self.with_credential((self.credential or NOTHING)._replace(key=key or NO_KEY))

    def sent_headers(self) -> Headers:
        """Return the header fields as they travel: the request's own, and its credential."""
        if self.credential is None or not self.credential.is_sent:
            return self.headers
        return self.headers.with_field(self.credential.header, self.credential.value)

    def sent_body(self) -> Any:
        """Return the body as it travels."""
        return self.body.reveal() if isinstance(self.body, Secret) else self.body

    def sent_url(self) -> str:
        """Return the URL as it travels: a whole one, where that is settled."""
        target = self.target
        return target[1] if target is not None and target[0] is self.url else self.url

    def with_target(self, url: str) -> Request:
        """Return a copy that is sent to this whole URL, whatever ``url`` is relative to by then."""
        copy = self.with_headers(self.headers)
        copy.target = self.url, url
        return copy

    def with_url(self, url: str) -> Request:
        """Return a copy that goes to ``url``."""
        copy = self.with_headers(self.headers)
        copy.url = url
        return copy

    def __repr__(self) -> str:
        return f"<Request {self.method} {without_query(self.url)}>"


Send: TypeAlias = "Callable[[Request], Awaitable[Response]]"
Interceptor: TypeAlias = "Callable[[Request, Send], Awaitable[Response]]"


class Body(Protocol):
    """The platform's side of a response's body; whole once, then kept by ``Response``."""

    async def read(self) -> bytes: ...
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
        headers: Headers | str | bytes,
        url: str,
        request: Request,
        redirected: bool = False,
        content: builtins.bytes | None = None,
        body: Body | None = None,
        text: str | None = None,
    ) -> None:
        self.status = status
        self._headers = headers
        self.url = url
        self.request = request
        self.redirected = redirected
        self._text = text
        self._bytes = content
        self._source = body

    @property
    def ok(self) -> bool:
        """Whether the status is in 200–299."""
        return 200 <= self.status <= 299

    @property
    def headers(self) -> Headers:
        """The header fields that the browser lets page code see."""
        headers = self._headers
        if not isinstance(headers, Headers):  # parsed when asked for: most answers never are
            headers = headers if isinstance(headers, str) else headers.decode("latin-1")  # RFC 9110 §5.5
            # Never splitlines(): it splits at 0x85 and 0x1C–0x1E too, which a value may hold.
            fields = (line.partition(":") for line in headers.split("\n") if line)
            headers = self._headers = Headers((name, value.strip(" \t\r")) for name, _, value in fields)
        return headers

    @property
    def links(self) -> dict[str, str]:
        """The ``Link`` field's whole URLs by their relation, such as ``response.links["next"]`` (RFC 8288).

        A client takes them as they are, whatever its base.
        """
        from urllib.parse import urljoin

        from .links import parse_links  # not every page needs it

        return {
            name: urljoin(self.url, url) for name, url in parse_links(self.headers.get("link", "")).items()
        }

    async def text(self) -> str:
        """Read the body as UTF-8 text. Raises ``NetworkError`` if it breaks off."""
        if self._text is None:
            self._text = (await self.bytes()).decode(errors="replace")
        return self._text.removeprefix(BYTE_ORDER_MARK)

    async def bytes(self) -> bytes:
        """Read the body as it came. Raises ``NetworkError`` if it breaks off."""
        if self._bytes is None:
            if self._text is not None:
                self._bytes = self._text.encode()
            else:
                self._bytes = await self._source.read() if self._source else b""
        return self._bytes

    async def json(self) -> Any:
        """Read the body as JSON. Raises ``NotJSON`` when it's something else, or over 500 levels deep."""
        if self._bytes is None:
            text = await self.text()
        else:  # as text() has it, which would cost a call for each answer
            text = self._bytes.decode("utf-8", "replace")
            if text[:1] == BYTE_ORDER_MARK:
                text = text[1:]
        try:
            return parse_json(text)
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
    """Cut query, fragment, and a name and password: what people read shows none, for each may be a secret."""
    shown = url.partition("#")[0].partition("?")[0]
    return _without_user(shown.replace("\\", "/")) if "@" in shown else shown


def _without_user(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    if "/" in scheme or not colon:
        scheme, colon, rest = "", "", url
    behind = rest.lstrip("/")
    slashes = rest[: len(rest) - len(behind)]
    if not colon and len(slashes) < 2:
        return url  # a path
    host, slash, path = behind.partition("/")
    return scheme + colon + slashes + host.rpartition("@")[2] + slash + path
