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
from ..messages import Request, Response

T = TypeVar("T")


class Blocking:
    """How a synchronous caller waits in this browser."""

    def can_wait(self) -> bool:
        """Tell whether this caller can be suspended while the page goes on."""
        return bool(can_run_sync())

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, once it does."""
        result: T = run_sync(coroutine)
        return result

    async def send(self, request: Request) -> Response:
        """Send while the page stands still. Raises ``NetworkError``."""
        call = js.XMLHttpRequest.new()
        call.open(request.method, request.url, False)
        for name, value in request.headers.items():
            call.setRequestHeader(name, value)
        call.withCredentials = (request.options or {}).get("credentials") == "include"
        body = request.body
        try:
            call.send(to_js(body) if isinstance(body, bytes) else body)
        except JsException:
            raise NetworkError(f"{request!r} got no answer", request=request) from None
        fields, text = call.getAllResponseHeaders(), call.responseText
        return Response(call.status, fields, call.responseURL, request, text=text)
