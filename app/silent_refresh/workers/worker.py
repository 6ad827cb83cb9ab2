"""The session of a worker: the page's, from afar.

    auth = SilentRefresh()              # in the worker; the page called serve_workers(auth)
    client = Client("/api", auth=auth)

The page's engine decides what becomes of a request. While the token is good, the worker sends it without a
word to the page, even when that is busy. How it finds the page is in ``page_link.py``, what crosses in
``channel.py``.

https://html.spec.whatwg.org/multipage/workers.html
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from ..browser.bridge import load_bridge
from ..engine.access import Access, AuthSession, Refused
from ..engine.origins import WHOLE, Origins
from ..errors import KeyGone, NetworkError, NotSignedIn, RefreshUnavailable, SessionChanged, StepUpRequired
from ..events import Event, EventName, Events, Listener
from ..http.credential import BEARER, AuthScheme, Credential
from ..http.messages import Request, Response, Send
from ..platform.platform import Platform
from ..session.tokens import Tokens, claims_of
from .channel import Port, pack, pack_answer, unpack
from .page_link import PageLink
from .remote_request import Known, RemoteRequest

if TYPE_CHECKING:
    from ..platform.ports import Stop


class RemoteSession:
    """An ``AuthSession`` whose engine is the page's; the options are those that the page's was made with.

    ``resource`` are the fields of one more API of the same sign-in, as for ``for_resource``.
    """

    def __init__(self, platform: Platform, resource: Mapping[str, str] | None = None) -> None:
        self.platform = platform
        self._resources: dict[tuple[tuple[str, str], ...], RemoteSession] = {}  # one connection for each
        self._events = Events(time.monotonic, self._listeners_changed)
        self._watchers: list[Callable[[], None]] = []
        self._numbers = itertools.count(1)
        self._requests: dict[int, RemoteRequest] = {}
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._may_wait = True
        self._hear({})
        self._link = PageLink(
            {
                "access": self._hear,
                "send": self._send_again,
                "read": self._read,
                "take": self._settle,
                "done": self._settle,
                "fail": self._fail,
                "event": lambda fields: self._events.pass_on(Event(*fields)),
                "key": self._take_key,
                "closed": self._lose_page,
            },
            resource,
        )

    # The page

    async def _page(self) -> Port:
        """Return the port to the page, once it has answered."""
        if not self._may_wait:
            self._turn_away_who_cannot_wait()
        return await self._link.port()

    def _hear(self, told: Mapping[str, Any]) -> None:
        """Take note of what the worker may do by itself; nothing at all is nobody's."""
        tokens, valid_for = told.get("tokens"), told.get("valid_for")
        life = -math.inf if not told.get("sendable") else math.inf if valid_for is None else valid_for
        self._known = known = Known(
            told.get("session"),
            Tokens(tokens[0], expires_in=tokens[1]) if tokens else None,
            time.monotonic() + life,
            time.time() + life,
            frozenset(told.get("origins", ())),
            frozenset(told.get("exempt", ())),
            AuthScheme(*told.get("scheme", BEARER)),
            bool(told.get("judged")),
            told.get("key"),
            bool(told.get("renewing")),
        )
        navigation = self.platform.navigation
        self._origins = Origins(navigation, known.scheme.header)  # what the page lets have tokens
        self._origins.allow(known.origins, known.exempt)
        if told and not self._link.has_met:
            load_bridge().setBase(told["base"])
            self._link.meet()
            self._link.tell("listen", self._events.wanted)
        self._tell_watchers()

    def _take_key(self, handle: Any) -> None:
        """Have a key of the page's at hand: what its tokens are bound to, or will be."""
        prover: Any = self.platform.prover() if self.platform.prover is not None else None
        if prover is not None:
            prover.accept(handle)

    def _settle(self, number: int, result: Any = None) -> None:
        waiter = self._waiter(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(result)

    def _fail(self, number: int, error: dict[str, Any]) -> None:
        waiter = self._waiter(number)
        if waiter is not None and not waiter.done():
            waiter.set_exception(unpack(error))

    def _waiter(self, number: int) -> asyncio.Future[Any] | None:
        return self._requests[number].outcome if number in self._requests else self._calls.get(number)

    def _lose_page(self, reason: dict[str, Any] | None = None) -> None:
        self._link.forget()
        if reason is not None:
            self._link.refuse(unpack(reason))
        self._leave("the page stopped sharing its session with workers")
        self._link.look_again()

    def _leave(self, why: str) -> None:
        """Forget the page, and end what waits for it."""
        self._hear({})
        for waiter in [*(remote.outcome for remote in self._requests.values()), *self._calls.values()]:
            if not waiter.done():
                waiter.set_exception(SessionChanged(why))

    # Requests

    async def send(self, request: Request, send: Send, refused: Refused | None = None) -> Response:
        """Send a request with the page's access token; what is refused is the page's engine's."""
        await self._page()
        if not request.sent_url().startswith(WHOLE):
            request = self._origins.resolved(request)
        if not self._origins.may_carry_token(request):
            return await send(request) if refused is None else refused.response
        try:
            if refused is None:
                credential, session = self._known.credential(), self._known.session
                if credential is not None:
                    try:
                        response = await send(request.with_credential(credential))
                    except KeyGone:
                        return await self._through_page(request, send, None)
                    if await self.refuses(response):
                        refused = Refused(response, credential.token, session)
                        response = await self._through_page(request, send, refused)
                else:
                    response = await self._through_page(request, send, None)
            else:
                response = await self._through_page(request, send, refused)
        except NetworkError as error:
            error.request = request  # not the copy that has the token
            raise
        except StepUpRequired as error:
            error.response.request = request
            raise
        response.request = request
        return response

    async def _through_page(self, request: Request, send: Send, refused: Refused | None) -> Response:
        port, number = await self._page(), next(self._numbers)
        response = refused.response if refused is not None else None
        remote = self._requests[number] = RemoteRequest(request, send, response)
        what = request.method, request.url, request.sent_url()
        port.post("request", number, *what, None if refused is None else _packed(refused))
        try:
            await remote.outcome
        except asyncio.CancelledError:
            self._link.tell("cancel", number)
            raise
        except StepUpRequired as error:
            # It is raised there, with the response.
            if remote.response is None or not await self._origins.refuses(remote.response):
                raise error from None
        except Exception as error:
            raise remote.error or error from None
        finally:
            del self._requests[number]
            if remote.task is not None:
                remote.task.cancel()
        assert remote.response is not None
        return remote.response

    def _send_again(self, number: int, token: str, key: str | None) -> None:
        remote = self._requests.get(number)
        if remote is not None:
            credential = self._known.scheme.credential(token, key) if token else None
            remote.task = asyncio.ensure_future(self._send_remote(number, remote, credential))

    def _read(self, number: int) -> None:
        remote = self._requests.get(number)
        if remote is not None:
            remote.task = asyncio.ensure_future(self._send_body(number, remote))

    async def _send_body(self, number: int, remote: RemoteRequest) -> None:
        try:
            body = await remote.response.bytes() if remote.response is not None else b""
        except NetworkError:
            self._link.tell("body", number, None)
        else:
            self._link.tell("body", number, body.decode("latin-1"))

    async def _send_remote(self, number: int, remote: RemoteRequest, credential: Credential | None) -> None:
        before = remote.response
        try:
            answer = await remote.send(credential)
        except BaseException as error:
            remote.error = error if isinstance(error, Exception) else None
            self._link.tell("broke", number, pack(error))  # else the page would wait for ever
            if remote.error is None:
                raise
        else:
            # Nothing for the same as before: it could not be sent again.
            self._link.tell("sent", number, pack_answer(answer) if answer is not before else None)

    def may_carry_token(self, request: Request) -> bool:
        """See ``AuthSession``, as for all of these."""
        return self._origins.may_carry_token(request)

    def may_refuse(self, status: int) -> bool:
        return self._known.judged or self._origins.may_refuse(status)

    async def refuses(self, response: Response) -> bool:
        # The page's rule has the last word.
        return self._known.judged or await self._origins.refuses(response)

    def access(self) -> Access:
        known = self._known
        return Access(
            known.credential(),
            None if known.valid_until == math.inf else known.valid_until - time.monotonic(),
            known.origins,
            known.exempt,
            known.session,
            known.scheme,
            known.key,
        )

    def watch(self, changed: Callable[[], None]) -> Stop:
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()

    @contextmanager
    def at_once(self, *, may_block: bool) -> Iterator[None]:
        """Wait for nothing while this lasts; what only the page can do raises ``RefreshUnavailable``."""
        self._may_wait = False
        try:
            yield
        finally:
            self._may_wait = True

    def _turn_away_who_cannot_wait(self) -> NoReturn:
        """Raise what tells a caller that can't be suspended what to do: the page answers when it has gone."""
        if self._link.has_met and self._known.session is None:
            raise NotSignedIn("nobody is signed in")
        self._link.tell("call", 0, "refresh")  # so that the next try finds a good token
        raise RefreshUnavailable(
            "in a worker the page renews the token, and this caller can't wait for it: try again, or call "
            "from an async function"
        )

    # What the user does

    @property
    def tokens(self) -> Tokens | None:
        """The access token that the page told last, without the refresh token, which stays there."""
        return self._known.tokens

    @property
    def signed_in(self) -> bool:
        return self._known.session is not None

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        if isinstance(tokens, Tokens):
            await self._call("sign_in", [tokens.access_token, tokens.refresh_token, tokens.expires_in])
        else:
            await self._call("sign_in", dict(tokens))

    async def proving_key(self) -> str | None:
        key = await self._call("proving_key")
        return str(key) if key is not None else None

    @property
    def renewing(self) -> bool:
        return self._known.renewing

    @property
    def claims(self) -> Mapping[str, Any] | None:
        """What the access token says, where it's a JWT; the ID token stays in the page."""
        tokens = self._known.tokens
        return claims_of(tokens.access_token) or None if tokens is not None else None

    async def sign_out(self, *, provider: bool, redirect_uri: str | None) -> None:
        if provider:
            raise RuntimeError(
                "a worker can't leave for another site: call sign_out(provider=True) in the page"
            )
        await self._call("sign_out")

    async def restored(self) -> None:
        await self._page()

    async def ensure_signed_in(self) -> bool:
        return bool(await self._call("ensure_signed_in"))

    async def access_token(self) -> str:
        await self._page()
        credential = self._known.credential()
        return credential.token if credential is not None else str(await self._call("access_token"))

    async def refresh(self) -> None:
        await self._call("refresh")

    async def _call(self, name: str, *arguments: Any) -> Any:
        port, number = await self._page(), next(self._numbers)
        done = self._calls[number] = asyncio.get_running_loop().create_future()
        port.post("call", number, name, *arguments)
        try:
            return await done
        except asyncio.CancelledError:
            self._link.tell("cancel", number)
            raise
        finally:
            del self._calls[number]

    async def authorize(
        self, redirect_uri: str | None, scope: str | None, parameters: Mapping[str, str]
    ) -> None:
        raise RuntimeError("a worker can't leave for another site: call authorize() in the page")

    async def complete_authorization(self) -> str | None:
        raise RuntimeError("a worker has no address of its own: call complete_authorization() in the page")

    def next_path(self) -> str:
        raise RuntimeError("a worker has no address of its own: call next_path() in the page")

    def trust(self, url: str) -> None:
        """Change nothing: where tokens may go is the page's to say. Raises ``ValueError`` for no URL."""
        self.platform.navigation.parse(url)

    def listen(self, callback: Listener, *names: EventName) -> Stop:
        return self._events.listen(callback, *names)

    def for_resource(self, fields: Mapping[str, str]) -> AuthSession:
        key = tuple(sorted(fields.items()))
        if key not in self._resources:
            self._resources[key] = RemoteSession(self.platform, fields)
        return self._resources[key]

    def _listeners_changed(self) -> None:
        self._link.tell("listen", self._events.wanted)
        self._tell_watchers()

    def close(self) -> None:
        """Let go of the page; what waits for it gets ``SessionChanged``."""
        for resource in self._resources.values():
            resource.close()
        if self._link.close():
            self._leave("this SilentRefresh was closed")


def _packed(refused: Refused) -> list[Any]:
    return [pack_answer(refused.response), refused.access_token, refused.session]
