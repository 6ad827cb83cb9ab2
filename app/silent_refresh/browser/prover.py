"""The session's keys and their proofs, as a ``Prover``: the Python side of dpop.js (RFC 9449).

Loaded when tokens are bound to a key. A request that the library sends is signed on the other side, between
its URL and fetch; what crosses here is a key's name.
"""

from __future__ import annotations

from typing import Any

from pyodide.ffi import JsException, to_js

from ..errors import KeyGone, NetworkError
from ..http.credential import proven_by
from ..http.messages import Request, Response
from .bridge import named_bridge, run_text


def _own_text() -> Any:
    """Return what dpop.js exports; a bridge.js that was loaded as a file finds the file beside itself."""
    try:
        return run_text("dpop.js")
    except (OSError, JsException) as error:
        raise RuntimeError(
            "dpop=True needs silent-refresh's dpop.js beside its bridge.js: let your [files] have both, or "
            "name bridge.js under [js_modules.main] and [js_modules.worker]"
        ) from error


class PageProver:
    """A ``Prover`` by the browser's WebCrypto."""

    def __init__(self, bridge: Any) -> None:
        self._ask = bridge.withProver
        bridge.useProver(_own_text() if named_bridge() is None else None)

    def look_in(self, journal: str | None) -> None:
        """See ``Prover``, as for all of these."""
        if journal is not None:
            self._ask("lookIn", journal)

    async def make_key(self) -> str:
        return str(await self._ask("makeKey"))

    async def keep(self, key: str, journal: str) -> None:
        try:
            await self._ask("keep", key, journal)
        except JsException as error:
            raise OSError(error.name) from None

    async def hold(self, key: str) -> None:
        try:
            await self._ask("find", key)
        except JsException:
            return  # whoever needs it is told

    def let_go(self, key: str) -> None:
        self._ask("letGo", key)

    async def sweep(self, journal: str, *, has_session: bool) -> None:
        try:
            await self._ask("sweep", journal, has_session)
        except JsException:
            return  # IndexedDB can't be used: then there's nothing in it

    async def prove(self, request: Request) -> str:
        key, token = proven_by(request.credential)
        try:
            return str(await self._ask("prove", key, request.method, request.sent_url(), token))
        except JsException as error:
            kind = KeyGone if getattr(error, "problem", None) == "key" else NetworkError
            raise kind(f"{request!r} was not sent: {error.message}", request=request) from None

    async def hears(self, response: Response) -> bool:
        request = response.request
        fields = to_js([list(field) for field in response.headers.items()])
        text = await response.text() if response.status == 400 else ""
        token = proven_by(request.credential)[1]
        try:
            return bool(await self._ask("hears", request.sent_url(), token, response.status, fields, text))
        except JsException:
            return False  # it wants what its answer hides: then that answer is all there is

    async def share(self, key: str, port: Any) -> None:
        """Hand a key to the other end of a port, a worker's say."""
        try:
            await self._ask("share", key, port)
        except JsException:
            return  # gone: the worker finds that out as the page does

    def accept(self, value: Any) -> None:
        """Take a key from there."""
        self._ask("accept", value)
