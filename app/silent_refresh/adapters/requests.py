"""``requests`` and ``niquests``, which don't ``await``: with and without pyodide-http.

    session = requests.Session()
    session.auth = RequestsAuth(auth)

A request is signed when it is sent, however long before it was prepared. requests sends, and this sends once
more when it has to: a refused request goes on through the engine like any other, so that renewing and
waiting are the one engine's. Where this caller can't be suspended (``Blocking.can_wait``), the token is
renewed meanwhile, or by a call that blocks the page.

https://requests.readthedocs.io/en/latest/user/authentication/#new-forms-of-authentication
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Coroutine, Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

from ..engine.access import AuthSession, Refused
from ..errors import KeyGone, NotSignedIn, RefreshError, RefreshUnavailable
from ..http.credential import PROOF, PROOF_NONCE, Credential
from ..http.messages import Headers, Request, Response
from ..session.tokens import Tokens

if TYPE_CHECKING:
    from ..platform.ports import Prover

log = logging.getLogger("silent_refresh")
T = TypeVar("T")


class RequestsAuth:
    """See ``silent_refresh.RequestsAuth``."""

    def __init__(self, session: AuthSession, *, may_block: bool) -> None:
        self.session = session
        self._may_block = may_block

    def __call__(self, prepared: Any) -> Any:
        """Let a request have its token when it is sent, and see to its answer."""
        request = Request(prepared.method, prepared.url, headers=Headers(prepared.headers.items()))
        if not self.session.may_carry_token(request):
            return prepared
        self.prover()
        sending = _Sending(self, prepared, request)
        if "pre_request" in prepared.hooks:  # niquests asks at each sending, requests reads the fields then
            prepared.register_hook("pre_request", sending.sign_fields)
        else:
            prepared.headers = _SignedHeaders(prepared.headers, sending)
        prepared.register_hook("response", sending.look_at)
        return prepared

    async def settled(self, answer: Any, refused: Refused, options: dict[str, Any]) -> Any:
        """Return what the caller of a refused request gets; raises what the engine raises."""

        async def send(request: Request) -> Response:
            nonlocal answer
            again = await self._sent_again(answer, request, options)
            if again is None:
                return refused.response
            answer = await self.proved(again, request.with_url(again.request.url), options)
            return _response(answer, request)

        await self.session.send(Request(answer.request.method, answer.request.url), send, refused)
        return answer

    def prover(self) -> Prover | None:
        """Return what signs for tokens that are bound to a key; ``None`` for others.

        Raises ``RuntimeError`` for a caller that can't wait.
        """
        if self.session.access().scheme.key(None) is None:
            return None
        prover = self.session.platform.prover
        if prover is None or not self.can_wait():
            raise RuntimeError(
                "the tokens are bound to a key, and a proof is signed asynchronously: this caller can't be "
                "suspended until then (a browser without JSPI, a synchronous event handler). Use Client"
            )
        return prover()

    async def proof_of(self, signed: Request, prover: Prover) -> str:
        """Return the proof of a request; raises what the engine does when its key is gone."""
        try:
            return await prover.prove(signed)
        except KeyGone:
            await self.session.refresh()  # which raises what comes of it
            raise

    async def proved(self, answer: Any, signed: Request, options: dict[str, Any]) -> Any:
        """Return the answer, or the one to a better proof where the server wants one (RFC 9449 §8, §9)."""
        prover = self.prover()
        if prover is None or signed.credential is None:
            return answer
        if not (answer.status_code == 401 or PROOF_NONCE in answer.headers):
            return answer
        if not await prover.hears(_response(answer, signed)):
            return answer
        again = await self._sent_again(answer, signed, options)
        return answer if again is None else again  # requests' answers are false from 400 on

    async def _sent_again(self, refused: Any, signed: Request, options: dict[str, Any]) -> Any:
        """Send it once more, with the credential of ``signed``; return ``None`` if its body is gone."""
        requests = import_module(type(refused).__module__.partition(".")[0])  # or niquests
        request = refused.request.copy()
        if not isinstance(request.body, str | bytes | None):
            try:
                requests.utils.rewind_body(request)
            except requests.exceptions.UnrewindableBodyError:
                log.warning("silent-refresh: a request was answered 401; its body can't be sent again.")
                return None
        refused.content  # noqa: B018  # read, so that its connection is free
        refused.close()
        assert signed.credential is not None
        prover = self.prover()
        if prover is not None:
            request.headers[PROOF] = await self.proof_of(signed.with_url(request.url), prover)
        if signed.credential.is_sent:
            request.headers[signed.credential.header] = signed.credential.value
        # pyodide-http's answers don't say what they came over.
        connection = getattr(refused, "connection", None) or requests.Session().get_adapter(request.url)
        answer = connection.send(request, **options)
        answer.history.append(refused)
        answer.request = request
        return answer

    def can_wait(self) -> bool:
        blocking = self.session.platform.blocking
        return blocking is not None and blocking.can_wait()

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns, though nobody awaits it."""
        blocking = self.session.platform.blocking
        if blocking is not None and self.can_wait():
            return blocking.wait(coroutine)
        try:
            with self.session.at_once(may_block=self._may_block):
                coroutine.send(None)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            coroutine.close()
        raise RefreshUnavailable(
            "this caller can't wait for a token to be renewed, as in a synchronous handler, or where the "
            "browser has no stack switching (JSPI): try again, or await auth.refresh() before"
        )


class _Sending:
    """What one prepared request was last sent with; it may be kept, and sent again."""

    def __init__(self, auth: RequestsAuth, prepared: Any, request: Request) -> None:
        self._auth = auth
        self._prepared = prepared
        self._request = request
        self._credential: Credential | None = None
        self._given: dict[str, str] = {}  # what niquests' fields were given
        self._session: str | None = None
        self._old: Tokens | None = None
        self._unavailable: RefreshError | None = None
        self.leads_away = False  # whether the next copy is for where a redirect led, and no token goes there

    @property
    def names(self) -> list[str]:
        """The fields that are written when it is sent: the token's, and that of its proof, if it has one."""
        scheme = self._auth.session.access().scheme
        return [scheme.header] if scheme.key(None) is None else [scheme.header, PROOF]

    def fields(self, prepared: Any = None) -> dict[str, str]:
        """Return these fields as they are if it is sent now, to where it goes now; none when nobody signs."""
        credential, prover = self._sign(prepared), self._auth.prover()
        if credential is None:
            return {}
        fields = {credential.header: credential.value}
        if prover is not None:
            to = prepared or self._prepared
            signed = Request(to.method, to.url).with_credential(credential)
            fields[PROOF] = self._auth.now(self._auth.proof_of(signed, prover))
        return fields

    def _sign(self, prepared: Any) -> Credential | None:
        auth, access, prepared = self._auth, self._auth.session.access(), prepared or self._prepared
        self._credential, self._old, self._unavailable = access.credential, None, None
        self._session = access.session
        if not auth.session.may_carry_token(Request(prepared.method, prepared.url)):
            self._credential = None
            return None
        if self._credential is None:
            try:
                token = auth.now(auth.session.access_token())
                self._credential = access.scheme.credential(token, auth.session.access().key)
            except NotSignedIn:
                pass
            except RefreshError as error:
                self._old, self._unavailable = auth.session.tokens, error
                if self._old is None or not auth.can_wait():
                    raise
                # With the old one then: what the server says of the request counts.
                self._credential = access.scheme.credential(self._old.access_token, auth.session.access().key)
            self._session = auth.session.access().session
        return self._credential if self._credential is not None and self._credential.is_sent else None

    def sign_fields(self, prepared: Any) -> Any:
        """Give niquests' request its fields, or take them away when nobody is signed in any more."""
        header = self.names[0]
        if prepared.headers.get(header) not in (None, self._given.get(header)):
            return prepared  # a token of its caller's own
        for name in self._given:
            prepared.headers.pop(name, None)
        self._given = self.fields(prepared)
        prepared.headers.update(self._given)
        return prepared

    def look_at(self, answer: Any, **options: Any) -> Any:
        """Return an answer as it is, or what comes of the request when its token was refused."""
        auth = self._auth
        if answer.is_redirect:  # followed by requests itself, where no browser does
            target = urljoin(answer.url, answer.headers["location"])
            self.leads_away = not auth.session.may_carry_token(Request(answer.request.method, target))
        request = self._request
        if self._credential is not None:
            request = request.with_credential(self._credential)
            signed = request.with_url(answer.request.url)
            if auth.prover() is not None:
                answer = auth.now(auth.proved(answer, signed, options))
        response = _response(answer, request)
        if not (auth.session.may_refuse(response.status) and auth.now(auth.session.refuses(response))):
            return answer
        token = self._credential.token if self._credential is not None else ""
        try:
            if self._unavailable is not None and auth.session.tokens == self._old:
                raise self._unavailable  # nobody has renewed since
            return auth.now(auth.settled(answer, Refused(response, token, self._session), options))
        except BaseException:
            answer.close()  # nobody gets it; its connection would stay taken
            raise


class _SignedHeaders(MutableMapping[str, str]):
    """The header fields of a request of requests, and its token, which is looked up whenever they are read.

    Whoever sets that field by hand has a token of their own.
    """

    def __init__(self, fields: MutableMapping[str, str], sending: _Sending) -> None:
        self._fields = fields
        self._sending: _Sending | None = sending
        self._signed: dict[str, str] = {}  # as they were read last

    def __iter__(self) -> Iterator[str]:
        if self._sending is not None:
            self._signed = self._sending.fields()
        return iter([*self._fields, *self._signed])

    def _is_signed_by(self, name: object) -> bool:
        """Tell whether this field is the token's, or its proof's."""
        if self._sending is None or not isinstance(name, str):
            return False
        return name.lower() in (own.lower() for own in self._sending.names)

    def __contains__(self, name: object) -> bool:
        return self._is_signed_by(name) or name in self._fields

    def __getitem__(self, name: str) -> str:
        if self._sending is None or not self._is_signed_by(name):
            return self._fields[name]
        signed = self._signed or self._sending.fields()
        found = [value for own, value in signed.items() if own.lower() == name.lower()]
        if not found:
            raise KeyError(name)
        return found[0]

    def __setitem__(self, name: str, value: str) -> None:
        if self._is_signed_by(name):
            self._sending, self._signed = None, {}
        self._fields[name] = value

    def __delitem__(self, name: str) -> None:
        if self._is_signed_by(name):  # by requests, say, for where a redirect leads
            self._sending, self._signed = None, {}
        else:
            del self._fields[name]

    def __len__(self) -> int:
        return len(self._fields) + len(self._signed)

    def copy(self) -> MutableMapping[str, str]:
        """Return what a copy of the request has, for where a redirect leads say."""
        fields: MutableMapping[str, str] = self._fields.copy()  # type: ignore[attr-defined]
        sending = self._sending
        if sending is not None and sending.leads_away:
            sending.leads_away = False
            return fields
        return fields if sending is None else _SignedHeaders(fields, sending)

    def __repr__(self) -> str:
        return f"{self._fields!r} and a token"


class _Content:
    """The body of an answer of requests, for a rule that reads it; requests keeps it for the caller."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def read(self) -> bytes:
        return bytes(self._answer.content or b"")

    async def chunks(self) -> AsyncIterator[bytes]:
        yield await self.read()

    def discard(self) -> None:
        """Leave it to ``_sent_again``."""


def _response(answer: Any, request: Request) -> Response:
    """Return an answer of requests as the engine knows answers; its body stays where it is."""
    fields, is_redirected = Headers(answer.headers.items()), bool(answer.history)
    body = _Content(answer)
    return Response(answer.status_code, fields, answer.url, request, redirected=is_redirected, body=body)
