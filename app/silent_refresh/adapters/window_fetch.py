"""The page's ``fetch``, for JavaScript, ``pyscript.fetch`` and ``pyodide.http.pyfetch``.

    undo = install(auth)

``wrapFetch`` in bridge.js sends a request by itself while the token is good. It asks for help here when
there is none to send, when it is about to end, or when it was refused; then the request runs through
``auth`` like any other, only that sending it is left to JavaScript, which has the page's arguments and
keeps fetch's semantics.

https://fetch.spec.whatwg.org/#fetch-method
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy, to_js

from ..auth import SilentRefresh
from ..browser.bridge import load_bridge
from ..errors import SilentRefreshError
from ..messages import Request, Response


def install(auth: SilentRefresh) -> Callable[[], None]:
    """Wrap the page's fetch: see ``silent_refresh.install``."""
    helper = _Helper(auth)
    proxy = create_proxy(helper.help)
    wrapped = load_bridge().wrapFetch(proxy)
    if wrapped is None:
        proxy.destroy()
        raise RuntimeError(
            "install() was called before: call what it returned to undo it first, or keep that"
        )

    def tell() -> None:
        standing = auth.standing()
        wrapped.set(
            standing.access_token,
            standing.valid_for,
            to_js(list(standing.origins)),
            to_js(list(standing.exempt)),
            standing.session,
        )

    unwatch = auth.watch(tell)
    tell()
    restore_pyfetch = _wrap_pyfetch()

    def undo() -> None:
        unwatch()
        wrapped.undo()
        restore_pyfetch()
        helper.close()
        proxy.destroy()

    return undo


def _wrap_pyfetch() -> Callable[[], None]:
    """Give pyfetch the new fetch: it keeps the one that it finds when it is imported."""
    from pyodide.http import _pyfetch

    before = _pyfetch._jsfetch
    _pyfetch._jsfetch = js.fetch

    def restore() -> None:
        _pyfetch._jsfetch = before

    return restore


class _Helper:
    """Runs the requests of the page that need Python."""

    def __init__(self, auth: SilentRefresh) -> None:
        self._auth = auth
        self._tasks: set[asyncio.Task[None]] = set()

    def help(
        self, url: str, method: str, refusal: Any, session: str | None, send: Any, resolve: Any, reject: Any
    ) -> None:
        """Answer one of them, later."""
        task = asyncio.ensure_future(
            self._answer(Request(method, url), refusal, session, send, resolve, reject)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, request: Request, last: Any, session: str | None, send: Any, resolve: Any, reject: Any
    ) -> None:
        async def transport(request: Request) -> Response:
            nonlocal last
            last = await send(request.headers.get("authorization", "").removeprefix("Bearer "))
            challenge = last.headers.get("www-authenticate")
            headers = f"www-authenticate: {challenge}" if isinstance(challenge, str) else ""
            return Response(last.status, headers, last.url, request, redirected=last.redirected)

        try:
            # What was refused for a session that is over is its caller's, and never sent for another.
            if session is None or not await self._auth.is_over(session):
                await self._auth(request, transport)
        except JsException as error:
            reject(error)
        except SilentRefreshError as error:
            if last is not None:
                resolve(last)  # the server's own 401: what its caller expects of a fetch
            else:
                reject(js.TypeError.new(str(error)))
        except BaseException as error:
            reject(js.TypeError.new(f"silent-refresh: {type(error).__name__}"))
            raise
        else:
            resolve(last)

    def close(self) -> None:
        """End what is under way: its callers get a TypeError, as when the network fails."""
        for task in self._tasks:
            task.cancel()
