"""``requests``, which doesn't ``await``: with and without pyodide-http.

    session = requests.Session()
    session.auth = RequestsAuth(auth)

requests sends, and this sends once more when it has to: a refused request runs through ``auth`` like any
other, so that renewing and waiting are the one engine's. Where this caller can't be suspended
(``Blocking.can_wait``), the token is renewed by a call that blocks the page.

https://requests.readthedocs.io/en/latest/user/authentication/#new-forms-of-authentication
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..auth import SilentRefresh
from ..errors import NotSignedIn, RefreshUnavailable
from ..messages import Headers, Request, Response

log = logging.getLogger("silent_refresh")
T = TypeVar("T")


class RequestsAuth:
    """See ``silent_refresh.RequestsAuth``."""

    def __init__(self, auth: SilentRefresh) -> None:
        self._auth = auth

    def __call__(self, prepared: Any) -> Any:
        """Give a request its token, and see to its answer."""
        request = Request(prepared.method, prepared.url, headers=Headers(prepared.headers.items()))
        if not self._auth.may_carry_token(request):
            return prepared
        try:
            token = self._auth.standing().access_token or self._now(self._auth.access_token())
        except NotSignedIn:
            token = ""
        session = self._auth.standing().session
        if token:
            prepared.headers["Authorization"] = f"Bearer {token}"

        def look_at(answer: Any, **options: Any) -> Any:
            sending = _Sending(answer, token, options)
            if not self._auth.refuses(sending.response(request)):
                return answer
            return self._now(self._settled(sending, session))

        prepared.register_hook("response", look_at)
        return prepared

    async def _settled(self, sending: _Sending, session: str | None) -> Any:
        """Return what the caller of a refused request gets; raises what ``auth`` raises."""
        # It belongs to the session that it was sent for, and is never sent for another.
        is_over = self._auth.signed_in if session is None else await self._auth.is_over(session)
        if not is_over:
            refused = sending.answer.request
            await self._auth(Request(refused.method, refused.url), sending)
        return sending.answer

    def _now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns, though nobody awaits it."""
        blocking = self._auth.platform.blocking
        if blocking is not None and blocking.can_wait():
            return blocking.wait(coroutine)
        with self._auth.at_once():
            try:
                coroutine.send(None)
            except StopIteration as end:
                result: T = end.value
                return result
        coroutine.close()
        raise RefreshUnavailable("this caller can't wait for a token to be renewed: await auth.refresh()")


class _Sending:
    """What ``auth`` sends a request with that came back already: it is sent once more for another token."""

    def __init__(self, answer: Any, token: str, options: dict[str, Any]) -> None:
        self.answer = answer
        self._token = token
        self._options = options
        self._sent_again = False

    async def __call__(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != self._token and not self._sent_again:
            self._sent_again = True
            self._send_again(token)
        return self.response(request)

    def response(self, request: Request) -> Response:
        """Return the answer as ``auth`` knows answers; its body stays where it is."""
        fields = Headers(self.answer.headers.items())
        return Response(self.answer.status_code, fields, self.answer.url, request)

    def _send_again(self, token: str) -> None:
        import requests

        refused, request = self.answer, self.answer.request.copy()
        if not isinstance(request.body, str | bytes | None):
            try:
                requests.utils.rewind_body(request)
            except requests.exceptions.UnrewindableBodyError:
                log.warning("silent-refresh: a request was answered 401; its body can't be sent again.")
                return
        refused.content  # noqa: B018  # read, so that its connection is free
        refused.close()
        request.headers["Authorization"] = f"Bearer {token}"
        # pyodide-http's answers don't say what they came over.
        connection = getattr(refused, "connection", None) or requests.Session().get_adapter(request.url)
        self.answer = connection.send(request, **self._options)
        self.answer.history.append(refused)
