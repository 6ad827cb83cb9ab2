"""The network for the engine in CPython: real sockets, and fetch's rules for cookies and redirects."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from silent_refresh import Headers, NetworkError, Request, RequestTimeout, Response
from silent_refresh.http.credential import cookies_with
from tests.world.browser import ORIGIN


class Network:
    """Sends the engine's requests with httpx; stands where ``tests/world`` has its server.

    A request gets and sets cookies only with ``{"credentials": "include"}``, as one to another origin does.
    """

    def __init__(self) -> None:
        self.cookies = CookieJar()
        nothing = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        # Without TLS; to load the certificates would take longer than most tests.
        self._http = {
            credentials: httpx.AsyncClient(cookies=jar, trust_env=False, verify=False)
            for credentials, jar in (("include", self.cookies), ("omit", nothing))
        }

    async def transport(self, request: Request) -> Response:
        """Send one request. Raises ``NetworkError`` or ``RequestTimeout``."""
        options: dict[str, Any] = dict(request.options or {})
        named = options.get("credentials") or cookies_with(request.credential)
        http = self._http[
            "include" if named == "include" else "omit"
        ]  # another origin is none of "same-origin"
        follows = options.get("redirect", "follow") == "follow"
        try:
            answer = await http.request(
                request.method,
                request.sent_url(),
                headers=[("Origin", ORIGIN), *request.sent_headers().items()],
                content=request.sent_body(),
                timeout=request.timeout,
                follow_redirects=follows,
            )
        except httpx.TimeoutException as error:
            raise RequestTimeout("no answer in time", request=request) from error
        except httpx.TransportError as error:
            raise NetworkError("no answer", request=request) from error
        # fetch shows nothing of a redirect that it doesn't follow (an "opaqueredirect").
        status = 0 if answer.is_redirect else answer.status_code
        headers = Headers(answer.headers.items())
        redirected = bool(answer.history)
        return Response(status, headers, str(answer.url), request, text=answer.text, redirected=redirected)

    async def close(self) -> None:
        """Close the connections."""
        for http in self._http.values():
            await http.aclose()
