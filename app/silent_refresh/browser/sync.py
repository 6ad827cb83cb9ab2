"""For callers that can't ``await``: ``requests``, a synchronous event handler.

Where the browser can suspend WebAssembly (JSPI), and Python was entered in a way that allows it, a caller
waits while the page goes on. Where it can't, a synchronous XMLHttpRequest is what is left: it stops the whole
page, has no time limit, and follows redirects by itself.

https://github.com/WebAssembly/js-promise-integration · https://xhr.spec.whatwg.org/#sync-flag
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import js
from pyodide.ffi import JsException, can_run_sync, run_sync, to_js

from ..errors import NetworkError
from ..http.messages import Request, Response

T = TypeVar("T")


async def _end_of(coroutine: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """Return what comes of it: when several fail together, ``run_sync`` mistakes their errors for its own."""
    try:
        return await coroutine, None
    except BaseException as error:
        return None, error


class SyncCalls:
    """What this browser has for a caller that can't ``await``: a ``Blocking``."""

    def can_wait(self) -> bool:
        """Tell whether this caller can be suspended while the page goes on."""
        return bool(can_run_sync())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, once it does."""
        result: T
        result, error = run_sync(_end_of(coroutine))
        if error is not None:
            raise error
        return result

    async def send(self, request: Request) -> Response:
        """Send while the page stands still. Raises ``NetworkError``."""
        call = js.XMLHttpRequest.new()
        url = js.URL.new(request.sent_url(), js.location.href).href.partition("#")[0]
        call.open(request.method, url, False)
        _sign(call, request)
        call.withCredentials = (request.options or {}).get("credentials") == "include"
        try:
            call.send(to_js(request.body) if isinstance(request.body, bytes) else request.sent_body())
        except JsException:
            raise NetworkError(f"{request!r} got no answer", request=request) from None
        if call.responseURL != url:
            return Response(0, "", call.responseURL, request, redirected=True)  # as if it weren't followed
        fields, text = call.getAllResponseHeaders(), call.responseText
        return Response(call.status, fields, call.responseURL, request, text=text)


def _sign(call: Any, request: Request) -> None:
    """Set the header fields, a token among them, which so is in no variable of whoever fails to send."""
    for name, value in request.sent_headers().items():
        call.setRequestHeader(name, value)
