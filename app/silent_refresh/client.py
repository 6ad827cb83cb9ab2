"""``Client``: what page code calls.

    client = Client("/api", auth=SilentRefresh())
    response = await client.get("profile", params={"full": 1})
    profile = await response.raise_for_status().json()

Builds a ``Request``, runs it through the interceptors (the first is the outermost, ``auth`` the innermost)
and the transport. A cancelled task aborts its fetch.
"""

from __future__ import annotations

import re
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from .auth import SilentRefresh, session_of
from .engine.origins import WHOLE
from .http.body import UNSET, Unset, body_of
from .http.form import encoded
from .http.messages import Headers, Interceptor, Request, Response, Send
from .platform.current import current_platform
from .platform.platform import ABSOLUTE, Platform, place_named
from .protocol.options import Value, checked

NOT_A_PATH = tuple("/\\\t\r\n")  # behind a first slash these make it another host's URL
METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
USUAL_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


FETCH = {"referrer_policy": "referrerPolicy"} | {
    name: name for name in ("redirect", "credentials", "cache", "mode", "priority", "keepalive")
}


class FetchOptions(TypedDict, total=False):
    """Options of fetch, with its values; what it doesn't take is a ``ValueError``.

    See https://fetch.spec.whatwg.org/#requestinit.
    """

    redirect: Literal["follow", "error", "manual"]
    credentials: Literal["omit", "same-origin", "include"]
    cache: Literal["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"]
    mode: Literal["cors", "same-origin", "no-cors"]
    priority: Literal["high", "low", "auto"]
    keepalive: bool
    referrer_policy: str


class RequestOptions(FetchOptions, total=False):
    """What ``Client.request`` takes beside method and URL; see there."""

    params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None
    json: Any
    data: Any
    content: Any
    files: Any
    headers: Mapping[str, str | None] | None
    timeout: float | None
    auth: Interceptor | None


Answered: TypeAlias = Coroutine[Any, Any, Response]


class Client:
    """Sends requests.

    ``base_url`` goes before every URL that isn't absolute. ``auth`` is the interceptor that signs requests,
    normally a ``SilentRefresh``; ``interceptors`` stand outside of it. ``headers`` go with every request; a
    value may be a function that returns it, for a CSRF cookie say. A request that carries a token sends no
    cookies: it needs none, and the browser then asks nobody for a password.
    ``timeout`` (s) bounds the wait for an answer, ``None`` doesn't; a body read later has as long again.

    Raises ``ValueError`` for a ``base_url`` that is none.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        auth: Interceptor | None = None,
        interceptors: Sequence[Interceptor] = (),
        headers: Mapping[str, Value] | None = None,
        timeout: float | None = 30.0,
        platform: Platform | None = None,
    ) -> None:
        if isinstance(auth, SilentRefresh):
            platform = platform or session_of(auth).platform
        self._platform = platform or current_platform()
        self._origin, self._base_url = _resolved(base_url, self._platform)
        if isinstance(auth, SilentRefresh) and ABSOLUTE.match(base_url):
            auth.trust(base_url)
        given = checked(headers or {}, "headers")
        self._called = {name: value for name, value in given.items() if callable(value)}
        self._headers = Headers({name: value for name, value in given.items() if name not in self._called})
        self._timeout = _checked_timeout(timeout)
        self._interceptors = tuple(interceptors)
        self._transport = self._late if self._called else self._platform.transport
        self._bare: Send = self._transport
        if self._interceptors:
            self._bare = _chain(self._interceptors, _by_coroutine(self._transport))
        self._send = self._bare if auth is None else self._with(auth)

    def _with(self, auth: Interceptor) -> Send:
        if isinstance(auth, SilentRefresh):  # the session itself, by nothing between: a step costs 1 µs
            return _chain((*self._interceptors, session_of(auth).send), self._transport)
        return _chain((*self._interceptors, auth), _by_coroutine(self._transport))

    def _late(self, request: Request) -> Awaitable[Response]:
        """Send with the values of this moment: after a renewal a CSRF cookie's is another one."""
        fields = request.headers
        for name, value in self._called.items():
            if name not in fields:
                fields = fields.with_field(name, value())
        return self._platform.transport(request.with_headers(fields))

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = UNSET,
        data: Any = None,
        content: Any = None,
        files: Any = None,
        headers: Mapping[str, str | None] | None = None,
        timeout: float | Unset | None = UNSET,
        auth: Interceptor | Unset | None = UNSET,
        **options: Unpack[FetchOptions],
    ) -> Response:
        """Send one request and return its response, whatever its status.

        ``params`` become the query; what is ``None`` there, in a form or in ``headers`` isn't sent. The body
        is one of ``json`` (anything JSON can hold), ``data`` (a dict as a form, or a FormData) or ``content``
        (str, bytes, Blob). ``files`` go with ``data``, or alone: ``{"photo": file}``, where a file is bytes,
        text, an opened file, or a File of the browser's, which stays there; ``("holiday.jpg", file,
        "image/jpeg")`` names it and its type; a list is several. ``auth=None`` sends no token this once.
        ``options`` are fetch's: ``redirect``, ``credentials``, ``cache``, ``mode``, ``priority``,
        ``keepalive``, ``referrer_policy``.

        Raises ``NetworkError`` (``RequestTimeout`` after ``timeout`` s), what ``auth`` raises
        (``NotSignedIn``, ``SessionChanged``, ``RefreshError``), and ``ValueError`` or ``TypeError`` for
        arguments that make no sense.
        """
        request = self._build(method, url, params, json, data, content, files, headers, timeout)
        if options:
            request.options = _as_of_fetch("request", options)
        return await (self._send if auth is UNSET else self._sender(auth))(request)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = UNSET,
        data: Any = None,
        content: Any = None,
        files: Any = None,
        headers: Mapping[str, str | None] | None = None,
        timeout: float | Unset | None = UNSET,
        auth: Interceptor | Unset | None = UNSET,
        **options: Unpack[FetchOptions],
    ) -> AsyncIterator[Response]:
        """Send one request whose body isn't held in memory; read it with ``response.chunks()``.

            async with client.stream("GET", "export") as response:
                async for chunk in response.chunks(): ...

        Takes what ``request`` takes. Leaving the block early aborts the rest.
        """
        request = self._build(method, url, params, json, data, content, files, headers, timeout)
        request.options = _as_of_fetch("stream", options) if options else None
        request.stream = True
        response = await self._sender(auth)(request)
        try:
            yield response
        finally:
            response.discard()

    def _sender(self, auth: Interceptor | Unset | None) -> Send:
        if isinstance(auth, Unset):
            return self._send
        return self._bare if auth is None else self._with(auth)

    def _build(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None,
        json: Any,
        data: Any,
        content: Any,
        files: Any,
        headers: Mapping[str, str | None] | None,
        timeout: float | Unset | None,
    ) -> Request:
        if method not in USUAL_METHODS:
            if not METHOD.fullmatch(method):
                raise ValueError(f"{method!r} is not an HTTP method")
            method = method.upper()
        if self._base_url and not ABSOLUTE.match(url):
            url = f"{self._base_url}/{url.lstrip('/')}" if url else self._base_url
        if params:
            url = _with_query(url, params)
        fields, body = self._headers, None
        if not (json is UNSET and data is None and content is None and not files):
            body, kind = body_of(json, data, content, files, self._platform)
            if kind is not None and (files or "content-type" not in fields):  # a boundary is this body's own
                fields = fields.with_field("Content-Type", kind)
        if headers:
            for name, value in headers.items():
                fields = fields.without(name) if value is None else fields.with_field(name, value)
        seconds = self._timeout if isinstance(timeout, Unset) else _checked_timeout(timeout)
        request = Request(method, url, fields, body, seconds)  # by name it would cost as much again
        if url[:1] == "/" and url[1:2] not in NOT_A_PATH:
            request.target = url, self._origin + url
        return request

    # Plain functions that return request's coroutine: one of their own would be a step more for each answer.

    def get(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send a GET; arguments as for ``request``."""
        return self.request("GET", url, **arguments)

    def head(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send a HEAD; arguments as for ``request``."""
        return self.request("HEAD", url, **arguments)

    def options(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send an OPTIONS; arguments as for ``request``."""
        return self.request("OPTIONS", url, **arguments)

    def post(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send a POST; arguments as for ``request``."""
        return self.request("POST", url, **arguments)

    def put(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send a PUT; arguments as for ``request``."""
        return self.request("PUT", url, **arguments)

    def patch(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send a PATCH; arguments as for ``request``."""
        return self.request("PATCH", url, **arguments)

    def delete(self, url: str, **arguments: Unpack[RequestOptions]) -> Answered:
        """Send a DELETE; arguments as for ``request``."""
        return self.request("DELETE", url, **arguments)


def _as_of_fetch(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options under fetch's own names. Raises ``TypeError`` for one that it hasn't."""
    unknown = options.keys() - FETCH.keys()
    if unknown:
        raise TypeError(f"{method}() got unknown arguments: {', '.join(sorted(unknown))}")
    return {FETCH[name]: value for name, value in options.items()}


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is not None and not 0 < timeout < float("inf"):
        raise ValueError(
            f"timeout must be a number of seconds above 0, or None for no limit, not {timeout!r}"
        )
    return timeout


def _resolved(base_url: str, platform: Platform) -> tuple[str, str]:
    """Return the origin of the page's paths, and the base as such a path or as a whole URL.

    Whatever ``<base>`` comes into the page later, both stay where they are.
    """
    try:
        root = platform.navigation.parse("/")
    except ValueError:
        return "", base_url.rstrip("/")  # about:blank
    if not root.url.startswith(WHOLE):
        return "", base_url.rstrip("/")  # a page of no server's, a file say
    if not base_url:
        return root.origin, ""
    place = place_named(base_url, platform.navigation)
    if platform.is_worker and not base_url.startswith(("/", *WHOLE)):
        return root.origin, base_url.rstrip("/")  # of the page's folder, which a worker learns later
    is_path = place.origin == root.origin and not place.path.startswith("//")
    return root.origin, (place.path if is_path else place.url).rstrip("/")


def _with_query(url: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> str:
    path, mark, fragment = url.partition("#")
    query = encoded(params)
    return path + (("&" if "?" in path else "?") + query if query else "") + mark + fragment


def _chain(interceptors: Sequence[Interceptor], send: Send) -> Send:
    """Return a ``send`` that goes through all of them, first to last, before ``send`` itself."""
    for interceptor in reversed(interceptors):
        send = _link(interceptor, send)
    return send


def _by_coroutine(transport: Send) -> Send:
    """Return a ``send`` for interceptors of others: what it returns may be awaited by a task of its own."""

    async def send(request: Request) -> Response:
        return await transport(request)

    return send


def _link(interceptor: Interceptor, send: Send) -> Send:
    return lambda request: interceptor(request, send)
