"""The page's ``fetch``, for JavaScript, ``pyscript.fetch`` and ``pyodide.http.pyfetch``.

    undo = install(auth)

``wrapFetch`` in bridge.js sends a request by itself while the token is good. It asks for help here when
there is none to send, when it is about to end, or when it was refused; then the request runs through the
engine like any other, only that sending it is left to JavaScript, which has the page's arguments and keeps
fetch's semantics.

https://fetch.spec.whatwg.org/#fetch-method
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy, to_js

from ..browser.bridge import load_bridge
from ..engine.access import AuthSession, Refused
from ..errors import KeyGone, RefreshRejected, SilentRefreshError
from ..http.credential import NOTHING
from ..http.messages import Request, Response


def install(session: AuthSession) -> Callable[[], None]:
    """Wrap the page's fetch: see ``silent_refresh.install``."""
    with ExitStack() as undoing:  # what fails on the way leaves the page as it was
        proxy = create_proxy(_Helper(session).help)
        undoing.callback(proxy.destroy)  # last: what asked before goes on to its own answer
        try:
            wrapped = load_bridge().wrapFetch(proxy)
        except JsException as error:
            raise RuntimeError(
                "install() can't put its fetch in the place of the page's: some script has made window.fetch "
                "read-only. Let install() come first, or use Client."
            ) from error
        if wrapped is None:
            raise RuntimeError(
                "install() was called before: call what it returned to undo it first, or keep that"
            )
        undoing.callback(wrapped.undo)

        def tell() -> None:
            access = session.access()
            wrapped.set(
                *access.scheme,
                access.credential.token if access.credential is not None else None,
                access.valid_for,
                to_js(list(access.origins)),
                to_js(list(access.exempt)),
                access.session,
                access.credential.key if access.credential is not None else None,
            )

        undoing.callback(session.watch(tell))
        tell()
        undoing.callback(_wrap_pyfetch())
        return undoing.pop_all().close


def _wrap_pyfetch() -> Callable[[], None]:
    """Give pyfetch the new fetch: it keeps the one that it finds when it is imported."""
    try:
        from pyodide.http import _pyfetch as module
    except ImportError:
        from pyodide import http as module  # before Pyodide 0.29
    before, wrapped = module._jsfetch, js.fetch
    module._jsfetch = wrapped

    def restore() -> None:
        if module._jsfetch == wrapped:  # else another wrapper stands there
            module._jsfetch = before

    return restore


class _Helper:
    """Runs the requests of the page that need Python."""

    def __init__(self, session: AuthSession) -> None:
        self._session = session
        self._tasks: set[asyncio.Task[None]] = set()

    def _response(self, answer: Any, request: Request) -> Response:
        """Return a response of the browser as the engine knows answers; its body stays where it is."""
        fields, body = "", None
        if self._session.may_refuse(answer.status):  # else nobody will look
            fields = "\n".join(f"{name}: {value}" for name, value in answer.headers.entries())
            body = _Copy(answer)
        return Response(answer.status, fields, answer.url, request, body=body, redirected=answer.redirected)

    def help(
        self,
        url: str,
        method: str,
        keepalive: bool,
        refusal: Any,
        access_token: str | None,
        session: str | None,
        send: Any,
        resolve: Any,
        reject: Any,
    ) -> None:
        """Answer one of them, later; ``refusal`` and the two after it tell what came of it so far."""
        request = Request(method, url, timeout=None, options={"keepalive": True} if keepalive else None)
        refused = Refused(self._response(refusal, request), access_token or "", session) if refusal else None
        task = asyncio.ensure_future(self._answer(request, refusal, refused, send, resolve, reject))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, request: Request, last: Any, refused: Refused | None, send: Any, resolve: Any, reject: Any
    ) -> None:
        response = refused.response if refused is not None else None

        async def transport(request: Request) -> Response:
            nonlocal last, response
            before = last
            credential = request.credential or NOTHING
            try:
                last = await send(credential.token, credential.key)
            except JsException as error:
                if getattr(error, "problem", None) == "key":
                    raise KeyGone(f"{request!r} was not sent", request=request) from None
                raise
            if response is None or last != before:
                response = self._response(last, request)
            return response  # the same as before: the engine knows by it that nothing could be sent again

        try:
            try:
                await self._session.send(request, transport, refused)
            except RefreshRejected:
                if last is None:  # nobody is signed in now: what the server says to that is the answer
                    last = await send("")
            except SilentRefreshError:
                if last is None:
                    raise
            # With an answer, that is it: the server's own 401 is what its caller expects of a fetch.
        except JsException:
            reject("")  # the other side has fetch's own reason
        except SilentRefreshError as error:
            reject(str(error))
        except BaseException as error:
            reject(f"silent-refresh: {type(error).__name__}")
            raise
        else:
            resolve(last)


class _Copy:
    """The body of a response of the browser, for a rule that reads it: the caller gets it unread."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def read(self) -> bytes:
        return bytes((await load_bridge().readCopy(self._answer)).to_bytes())

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self.read()

    def discard(self) -> None:
        """Leave it: nobody else will have read it."""
