"""The session of this page: its tokens, its engine, and what the user does with it.

Puts the parts of ``engine/`` together; ``SilentRefresh`` is the door to it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ..errors import NotSignedIn, RefreshError, SessionChanged, copy_of
from ..events import Event, EventName, Events, Listener, is_async
from ..http.challenges import refuses_token
from ..http.messages import Request, Response, Send
from ..platform.platform import Platform
from ..protocol.endpoint import OwnRefresh, RefreshEndpoint, read_sign_in
from ..protocol.token_request import blocking_refresh_by, refresh_by
from ..session.manager import SessionManager, manager_of
from ..session.memory import coordinator_of
from ..session.tokens import Session, Tokens, claims_of
from .limiter import MOST, MOST_OVER_HTTP1, Limiter
from .login import Login, LoginPage
from .origins import Origins, Rule
from .pipeline import RequestPipeline
from .renewal import Renewal

if TYPE_CHECKING:
    from ..platform.ports import Navigation, SessionStore, Stop
    from .access import Access, AuthSession, Refused
    from .cookie_session import CookieSignIn
    from .provider_sign_in import ProviderSignIn
    from .session_end import SessionEnd
    from .session_keys import SessionKeys

REVOCATION_WAIT = 2.0  # s that a sign-out waits for the server's word before the page is left

ENDED = {
    "sign_out": "signed out",
    "replaced": "another sign-in took the place of this session",
    "elsewhere": "the session ended in another tab, or its storage was cleared",
    "max_age": "the session reached the age at which it ends (max_age)",
    "idle": "the session was not used for so long that it ended (idle)",
}

REVOKED = ("sign_out", "max_age", "idle")  # the server is told of these ends, and that is signed


class LocalSession:
    """An ``AuthSession`` whose engine runs here; its options are those of ``SilentRefresh``."""

    def __init__(
        self,
        refresh: RefreshEndpoint | OwnRefresh,
        login: Login,
        platform: Platform,
        *,
        store: SessionStore | None,
        origins: Iterable[str] | None,
        leeway: float,
        timeout: float,
        retries: int,
        is_refused: Rule | None,
        max_age: float | None,
        idle: float | None,
    ) -> None:
        self.platform = platform
        endpoint = refresh if isinstance(refresh, RefreshEndpoint) else RefreshEndpoint(refresh)
        self._endpoint = endpoint = endpoint.resolved(platform.navigation)
        self._scheme = endpoint.auth_scheme
        self._watchers: list[Callable[[], None]] = []
        self._end: SessionEnd | None = None
        self._events = Events(platform.clock.monotonic, self._tell_watchers)
        self._login = LoginPage(login, platform)
        self._origins_are_fixed = origins is not None
        self._origins = self._origins_for(origins, login, is_refused or refuses_token)
        self._limiter = Limiter(platform.future)
        self._fit()
        store = store or platform.default_store()
        for name in ("get", "set", "remove", "listen"):
            if is_async(getattr(store, name, None)):
                raise TypeError(f"{name}() of a store can't be async: whoever reads the session can't wait")
        shares_cookie = endpoint.credentials != "omit"
        owner = owner_of(endpoint, platform.navigation)
        self._manager = manager_of(
            store,
            owner,
            platform.clock,
            lambda: coordinator_of(store, owner, platform.coordinator, shares_cookie=shares_cookie),
        )
        self._keys = keys_of(self._manager, platform) if endpoint.dpop else None
        refresh_call = refresh_by(endpoint, platform)
        self._renewal = Renewal(
            self._manager,
            refresh_call,
            platform.clock,
            self._events,
            needs_refresh_token=endpoint.needs_refresh_token,
            begin=self._begin_by_itself if endpoint.begins_by_itself else None,
            leeway=leeway,
            timeout=timeout,
            retries=retries,
            rejected=lambda session, _: self._manager.tell_signed_out(session, "rejected"),
            changed=self.changed,
            new_future=platform.future,
            by=self,
        )
        if endpoint.next_token is not None:
            from .answered_tokens import AnsweredTokens  # not every page needs it

            self._origins.is_refused = AnsweredTokens(
                endpoint.next_token,
                self._origins.is_refused,
                self._manager,
                platform.clock,
                wait=self._renewal.longest_wait,
                by=self,
            )
        self._pipeline = RequestPipeline(
            self._manager,
            self._renewal,
            self._origins,
            self._limiter,
            self._events,
            self._scheme,
            platform.clock,
            turned_away=self._turned_away,
            lost=self._lost,
        )
        self._at_provider: ProviderSignIn | None = None
        self._from_cookie: CookieSignIn | None = None
        if not endpoint.needs_refresh_token:
            from .cookie_session import CookieSignIn  # not every page needs it

            self._from_cookie = CookieSignIn(
                self._manager,
                refresh_call,
                self._events,
                platform.clock,
                timeout=timeout,
                wait=self._renewal.longest_wait,
                began=self._login.arm,
                new_future=platform.future,
                by=self,
            )
        self.send: Callable[..., Awaitable[Response]] = self._pipeline.__call__
        if max_age is not None or idle is not None:
            from .session_end import SessionEnd  # not every page needs it

            self._end = SessionEnd(
                self._manager,
                store,
                owner,
                platform.clock,
                max_age=max_age,
                idle=idle,
                end=self._end_by_itself,
            )
            self.send = self._send_unless_over
        self._leeway, self._timeout, self._retries = leeway, timeout, retries
        self._resources: dict[tuple[tuple[str, str], ...], AuthSession] = {}  # one flight for each
        self._manager.join(self)

    def _origins_for(self, origins: Iterable[str] | None, login: Login, is_refused: Rule) -> Origins:
        navigation = self.platform.navigation
        found = Origins(navigation, self._scheme.header, is_refused)
        way_in = (self._endpoint.url or None, login)  # goes without a token
        # A fragment is no endpoint's: "/#/login" is a page.
        places = [navigation.parse(url) for url in way_in if isinstance(url, str) and "#" not in url]
        found.allow(
            {navigation.parse(url).origin for url in origins or [navigation.here()]} - {"null"},
            {place.endpoint if "?" in place.endpoint else place.resource for place in places},
        )
        return found

    def _fit(self) -> None:
        is_http1 = all(map(self.platform.is_http1, self._origins.allowed))
        self._limiter.most = MOST_OVER_HTTP1 if is_http1 else MOST

    # Requests

    async def _send_unless_over(
        self, request: Request, send: Send, refused: Refused | None = None
    ) -> Response:
        await self._unless_over()
        return await self._pipeline(request, send, refused)

    async def _unless_over(self) -> None:
        if self._end is not None:
            await self._end.check()

    def may_carry_token(self, request: Request) -> bool:
        """See ``AuthSession``, as for all of these."""
        return self._origins.may_carry_token(request)

    def may_refuse(self, status: int) -> bool:
        return self._origins.may_refuse(status)

    async def refuses(self, response: Response) -> bool:
        return await self._origins.refuses(response)

    def access(self) -> Access:
        session, current = self._renewal.usable_session(), self._manager.session
        # Somebody who listens wants to hear of every request, and a rule of the page's runs in Python.
        # So does what counts how long nobody has sent one.
        is_free = (
            not self._events.of_requests and self._origins.is_refused is refuses_token and self._end is None
        )
        from .access import Access  # adapters and workers ask

        return Access(
            self._scheme.credential(session.tokens.access_token, session.key)
            if session is not None and is_free
            else None,
            self._renewal.time_until_due(session) if session is not None else None,
            self._origins.allowed,
            self._origins.exempt,
            current.id if current is not None else None,
            self._scheme,
            current.key if current is not None else None,
        )

    def watch(self, changed: Callable[[], None]) -> Stop:
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()

    def at_once(self, *, may_block: bool) -> AbstractContextManager[None]:
        # Only for who asks for it: a call that blocks the page follows redirects.
        return self._renewal.at_once(
            blocking_refresh_by(self._endpoint, self.platform) if may_block else None
        )

    # What the user does

    @property
    def tokens(self) -> Tokens | None:
        return self._manager.session.tokens if self._manager.session else None

    @property
    def signed_in(self) -> bool:
        return self._manager.session is not None

    @property
    def renewing(self) -> bool:
        return self._manager.renewing

    @property
    def claims(self) -> Mapping[str, Any] | None:
        session = self._manager.session
        if session is None:
            return None
        if self._at_provider is None:
            return claims_of(session.tokens.access_token) or None
        return self._at_provider.claims(session)

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        if not isinstance(tokens, Tokens):
            tokens = read_sign_in(tokens, self._endpoint, self.platform.clock.time())
        key = self._keys.of_sign_in() if self._keys is not None else None
        await self._settle(await self._begin(tokens, key=key))

    async def proving_key(self) -> str | None:
        return await self._keys.for_sign_in() if self._keys is not None else None

    async def _begin(self, tokens: Tokens, *, proven: bool = False, key: str | None = None) -> Session:
        await self._manager.restored()  # some milliseconds after the page's start: it comes after all of that
        session = self._manager.begin(tokens, self, proven=proven, key=key)
        if self._end is not None:
            self._end.begin()
        self._login.arm()
        self._events.emit("signed-in", generation=session.generation)
        return session

    async def _settle(self, changed: Session) -> None:
        await self._manager.settle(changed, wait=self._renewal.longest_wait)

    async def _settle_and_revoke(self, ended: Session) -> None:
        from ..protocol.revocation import revoke  # for the end of a session

        revocation = asyncio.ensure_future(revoke(self._endpoint, ended, self.platform))
        await self._settle(ended)
        await asyncio.wait({revocation}, timeout=REVOCATION_WAIT)
        if self._keys is not None:
            self._keys.let_go(ended.key)

    async def sign_out(self, *, provider: bool, redirect_uri: str | None) -> None:
        before = self._manager.session
        leave_for = self._provider().address_of_sign_out(before, redirect_uri) if provider else None
        ended = self._manager.end("sign_out")
        if self._from_cookie is not None:
            self._from_cookie.ask_no_more()  # should the server leave the cookie where it is
            self._from_cookie.abandon()
        if ended is None and not self._manager.is_known:
            await self._manager.restored()
            ended = self._manager.end("sign_out")
        try:
            if ended is not None:
                await self._settle_and_revoke(ended)
        finally:  # the page may cancel whatever runs, and the tokens are gone all the same
            if not self.signed_in:
                self._leave_after(ended, leave_for)

    def _leave_after(self, ended: Session | None, leave_for: str | None) -> None:
        if ended is not None:
            if leave_for is not None:
                self._manager.claim_login(ended)
            self._manager.tell_signed_out(ended, "sign_out")
        if leave_for is not None:
            event = Event("signed-out", self.platform.clock.monotonic(), reason="sign_out")
            self._login.leave_for(leave_for, event)

    async def restored(self) -> None:
        await self._manager.restored()
        if self._endpoint.begins_by_itself and self._manager.session is None:
            with contextlib.suppress(RefreshError):  # told to those who need it
                await self._begin_by_itself()

    async def ensure_signed_in(self) -> bool:
        await self._unless_over()
        await self._manager.restored()
        if self._endpoint.begins_by_itself:
            await self._begin_by_itself()
        if not self.signed_in:
            self._ask_to_sign_in()
        return self.signed_in

    async def _begin_by_itself(self) -> None:
        if self._from_cookie is not None and self._manager.session is None:
            await self._from_cookie.by_itself()

    async def access_token(self) -> str:
        await self._unless_over()
        session = self._renewal.usable_session() or await self._renewal.renew_ahead()
        if session is None:
            raise NotSignedIn("nobody is signed in")
        return session.tokens.access_token

    async def refresh(self) -> None:
        await self._unless_over()
        await self._manager.restored()
        session = self._manager.session
        if session is None and self._from_cookie is not None:
            await self._from_cookie()
        elif session is None or not self._renewal.can_renew(session):
            raise NotSignedIn("there is no session that could be renewed: sign in")
        else:
            await self._renewal.join(session)

    def _provider(self) -> ProviderSignIn:
        """Return what signs in and out at the provider, loaded for the first who asks."""
        if self._at_provider is None:
            from .provider_sign_in import ProviderSignIn

            self._at_provider = ProviderSignIn(
                self._endpoint,
                self.platform,
                self._login,
                lambda tokens, key: self._begin(tokens, proven=True, key=key),
                self._settle,
                self._keys,
            )
        return self._at_provider

    async def authorize(
        self, redirect_uri: str | None, scope: str | None, parameters: Mapping[str, str]
    ) -> None:
        await self._provider().authorize(redirect_uri, scope, parameters)

    async def complete_authorization(self) -> str | None:
        return await self._provider().complete()

    def next_path(self) -> str:
        return self._login.next_path()

    def trust(self, url: str) -> None:
        if not self._origins_are_fixed:
            self._origins.allow_also(url)
            self._fit()
            self._tell_watchers()

    def listen(self, callback: Listener, *names: EventName) -> Stop:
        return self._events.listen(callback, *names)

    def for_resource(self, fields: Mapping[str, str]) -> AuthSession:
        from .resource_session import ResourceSession  # not every page needs it

        if self._endpoint.function is not None:
            raise ValueError("a function of your own can't be asked for another resource")
        key = tuple(sorted(fields.items()))
        if key not in self._resources:
            self._resources[key] = ResourceSession(
                self,
                self._manager,
                self._endpoint.asking_for(fields),
                self._limiter,
                self._events,
                leeway=self._leeway,
                timeout=self._timeout,
                retries=self._retries,
                check=self._unless_over if self._end is not None else None,
            )
        return self._resources[key]

    def close(self) -> None:
        for resource in self._resources.values():
            resource.close()
        if self._from_cookie is not None:
            self._from_cookie.abandon()
        self._renewal.abandon(SessionChanged("this SilentRefresh was closed"))
        self._limiter.admit_all()
        if self._at_provider is not None:
            self._at_provider.close()
        if self._end is not None:
            self._end.close()
        self._login.close()
        self._manager.leave(self)

    # What happens to the session: see ``Observer``

    def changed(self) -> None:
        self._pipeline.forget()
        self._manager.note_renewal(self, self._renewal.is_under_way)
        if self._keys is not None:
            self._keys.changed()
        if self._end is not None:
            self._end.watch()
        self._tell_watchers()

    def appeared(self, before: Session | None, after: Session) -> None:
        if before is not None and before.id == after.id:
            self._events.emit("adopted", generation=after.generation)
            return
        self._login.arm()
        self._events.emit("signed-in", generation=after.generation)

    def ended(self, session: Session, reason: str) -> None:
        """Let nothing wait for it any more; a refused renewal tells those who wait for that by itself."""
        if reason in ENDED:
            self._renewal.abandon(SessionChanged(ENDED[reason]))
        if self._keys is not None and reason not in REVOKED:
            self._keys.let_go(session.key)
        if self._from_cookie is not None:
            self._from_cookie.ask_no_more()  # by now the cookie may be somebody else's
        self._limiter.admit_all()
        if self._manager.session is None:
            self._login.expect()
            if reason == "elsewhere":
                # Later: a login callable is the page's code, and a lock may be held here.
                asyncio.get_running_loop().call_soon(self.signed_out, session, reason)

    def renewing_changed(self) -> None:
        session = self._manager.session
        self._events.emit("renewing-changed", generation=session.generation if session is not None else 0)
        self._tell_watchers()

    async def _end_by_itself(self, session: Session, reason: str) -> None:
        """End a session whose time is up, here, in the journal, and at the server if that can be told."""
        if self._manager.session is not session:
            return
        self._manager.end(reason)
        try:
            await self._settle_and_revoke(session)
        finally:  # the page may cancel the request that met its end
            self._manager.tell_signed_out(session, reason)

    async def _lost(self, session: Session) -> None:
        """End a session whose token was refused, and which has no refresh token."""
        self._manager.end("no_refresh_token")
        try:
            await self._settle(session)
        finally:
            self._manager.tell_signed_out(session, "no_refresh_token")

    def _turned_away(self, response: Response) -> None:
        """Go to the login and raise ``NotSignedIn``; on the login page it answers a wrong password."""
        if not self._login.is_here():
            self._ask_to_sign_in()
            raise NotSignedIn(f"{response.request!r} was answered {response.status} and nobody is signed in")

    def _ask_to_sign_in(self) -> None:
        """Go to the login, unless the page is there, or about to be sent there. Raises ``LoginLoop``."""
        if self._login.is_here() or self._login.is_expected():
            return
        self._login.show(self._events.emit("signed-out", reason="not_signed_in"))
        if self._login.loop is not None:
            raise copy_of(self._login.loop)

    def signed_out(self, session: Session, reason: str) -> None:
        """Tell, and go to the login: once, however many share the session."""
        event = self._events.emit("signed-out", generation=session.generation, reason=reason)
        self._login.expect_no_more()
        if self._login.is_wanted and self._manager.claim_login(session):
            self._login.show(event)


def keys_of(manager: SessionManager, platform: Platform) -> SessionKeys:
    """Return the keys for tokens that are bound to one. Raises ``RuntimeError`` where nothing can sign."""
    from .session_keys import SessionKeys  # not every page needs it

    if platform.prover is None:
        raise RuntimeError("dpop=True needs WebCrypto: this page is not on https, or localhost")
    return SessionKeys(manager, platform.prover())


def owner_of(endpoint: RefreshEndpoint, navigation: Navigation) -> str:
    """Return what tells one application of an origin from another: its endpoint, and its client at that."""
    if endpoint.function is not None:
        return "function"
    place = navigation.parse(endpoint.url)
    client = endpoint.fields.get("client_id")
    return f"{place.origin}{place.path}" + (f" {client}" if client else "")
