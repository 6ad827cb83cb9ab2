"""``Client``: what page code calls.

    client = Client("/api", auth=SilentRefresh())
    response = await client.get("profile", params={"full": 1})
    profile = await response.raise_for_status().json()

Builds a ``Request``, runs it through the interceptors (the first is the outermost, ``auth`` the innermost)
and the transport. A cancelled task aborts its fetch.
"""

from __future__ import annotations

import json as json_module
import re
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

from .auth import SilentRefresh
from .interceptors import Interceptor, Send, chain
from .messages import Headers, Request, Response
from .ports import Platform, this_browser

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//")
METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
USUAL_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


Answered: TypeAlias = Coroutine[Any, Any, Response]


class _Unset:
    def __repr__(self) -> str:
        return "the client's own"


UNSET: Final = _Unset()


class Client:
    """Sends requests.

    ``base_url`` goes before every URL that isn't absolute. ``auth`` is the interceptor that signs requests,
    normally a ``SilentRefresh``; ``interceptors`` stand outside of it. ``headers`` go with every request.
    ``timeout`` (s) bounds the wait for an answer, ``None`` doesn't; a body read later has as long again.

    Raises ``ValueError`` for a ``base_url`` that is none.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        auth: Interceptor | None = None,
        interceptors: Sequence[Interceptor] = (),
        headers: Mapping[str, str] | None = None,
        timeout: float | None = 30.0,
        platform: Platform | None = None,
    ) -> None:
        if isinstance(auth, SilentRefresh):
            platform = platform or auth.platform
            if base_url:
                auth.trust(base_url)
        self._platform = platform or this_browser()
        self._base_url = base_url.rstrip("/")
        self._headers = Headers(headers or {})
        self._timeout = _checked_timeout(timeout)
        self._interceptors = tuple(interceptors)
        self._bare = chain(self._interceptors, self._platform.transport)
        self._send = self._bare if auth is None else self._with(auth)

    def _with(self, auth: Interceptor) -> Send:
        return chain((*self._interceptors, auth), self._platform.transport)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = UNSET,
        data: Any = None,
        content: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | _Unset | None = UNSET,
        auth: Interceptor | _Unset | None = UNSET,
    ) -> Response:
        """Send one request and return its response, whatever its status.

        ``params`` become the query. The body is one of ``json`` (anything JSON can hold), ``data`` (a dict
        as a form, or a FormData) or ``content`` (str, bytes, Blob). ``auth=None`` sends no token this once.

        Raises ``NetworkError`` (``RequestTimeout`` after ``timeout`` s), what ``auth`` raises
        (``NotSignedIn``, ``SessionChanged``, ``RefreshError``), and ``ValueError`` or ``TypeError`` for
        arguments that make no sense.
        """
        request = self._build(method, url, params, json, data, content, headers, timeout)
        return await (self._send if auth is UNSET else self._sender(auth))(request)

    @asynccontextmanager
    async def stream(self, method: str, url: str, **arguments: Any) -> AsyncIterator[Response]:
        """Send one request whose body isn't held in memory; read it with ``response.chunks()``.

            async with client.stream("GET", "export") as response:
                async for chunk in response.chunks(): ...

        Takes what ``request`` takes. Leaving the block early aborts the rest.
        """
        auth = arguments.pop("auth", UNSET)
        options = dict.fromkeys(("params", "data", "content", "headers"), None) | {
            "json": UNSET,
            "timeout": UNSET,
        }
        unknown = arguments.keys() - options.keys()
        if unknown:
            raise TypeError(f"stream() got unknown arguments: {', '.join(sorted(unknown))}")
        request = self._build(method, url, **(options | arguments))
        request.stream = True
        response = await self._sender(auth)(request)
        try:
            yield response
        finally:
            response.discard()

    def _sender(self, auth: Interceptor | _Unset | None) -> Send:
        if isinstance(auth, _Unset):
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
        headers: Mapping[str, str] | None,
        timeout: float | _Unset | None,
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
        if not (json is UNSET and data is None and content is None):
            body, kind = _body(json, data, content)
            if kind is not None and "content-type" not in fields:
                fields = fields.with_field("Content-Type", kind)
        if headers:
            for name, value in headers.items():
                fields = fields.with_field(name, value)
        seconds = self._timeout if isinstance(timeout, _Unset) else _checked_timeout(timeout)
        return Request(method, url, headers=fields, body=body, timeout=seconds)

    # Plain functions that return request's coroutine: one of their own would be a step more for each answer.

    def get(self, url: str, **arguments: Any) -> Answered:
        """Send a GET; arguments as for ``request``."""
        return self.request("GET", url, **arguments)

    def head(self, url: str, **arguments: Any) -> Answered:
        """Send a HEAD; arguments as for ``request``."""
        return self.request("HEAD", url, **arguments)

    def options(self, url: str, **arguments: Any) -> Answered:
        """Send an OPTIONS; arguments as for ``request``."""
        return self.request("OPTIONS", url, **arguments)

    def post(self, url: str, **arguments: Any) -> Answered:
        """Send a POST; arguments as for ``request``."""
        return self.request("POST", url, **arguments)

    def put(self, url: str, **arguments: Any) -> Answered:
        """Send a PUT; arguments as for ``request``."""
        return self.request("PUT", url, **arguments)

    def patch(self, url: str, **arguments: Any) -> Answered:
        """Send a PATCH; arguments as for ``request``."""
        return self.request("PATCH", url, **arguments)

    def delete(self, url: str, **arguments: Any) -> Answered:
        """Send a DELETE; arguments as for ``request``."""
        return self.request("DELETE", url, **arguments)


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is not None and not 0 < timeout < float("inf"):
        raise ValueError(
            f"timeout must be a number of seconds above 0, or None for no limit, not {timeout!r}"
        )
    return timeout


def _with_query(url: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]]) -> str:
    from urllib.parse import urlencode  # costly to load in a browser, and not every page needs it

    path, mark, fragment = url.partition("#")
    return path + ("&" if "?" in path else "?") + urlencode(params, doseq=True) + mark + fragment


def _body(json: Any, data: Any, content: Any) -> tuple[Any, str | None]:
    """Return the body and the content type that goes with it."""
    given = [name for name, value in (("data", data), ("content", content)) if value is not None]
    if not isinstance(json, _Unset):
        given.insert(0, "json")
    if len(given) > 1:
        raise TypeError(f"a request has one body, not {' and '.join(given)}")
    if not isinstance(json, _Unset):
        return json_module.dumps(json, separators=(",", ":")), "application/json"
    if isinstance(data, Mapping):
        from urllib.parse import urlencode

        return urlencode(data, doseq=True), "application/x-www-form-urlencoded"
    if data is not None:
        return data, None  # a FormData: the browser writes its boundary
    if isinstance(content, bytearray | memoryview):
        content = bytes(content)
    if content is not None and (hasattr(content, "__anext__") or hasattr(content, "__next__")):
        raise TypeError(
            "content can't be an iterator: it could not be sent again after a renewal. Pass bytes."
        )
    return content, None
