"""One more API of the same sign-in, with an access token of its own: RFC 8707, or a scope of it (Entra ID).

    reports = auth.for_resource("https://reports.example.com")
    client = Client("https://reports.example.com", auth=reports)

The refresh token is the one of the session and rotates for all, in all tabs, under the one lock. What it
brings for this API stays in the memory of this page. The engine is the same as the session's own; only what
it takes for a session manager is this file's: the session with another access token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any

from ..errors import NotSignedIn, SessionChanged
from ..events import EventName, Events, Listener
from ..http.challenges import refuses_token
from ..http.messages import Request, Response, Send
from ..protocol.endpoint import RefreshEndpoint
from ..protocol.token_request import blocking_refresh_by, refresh_by
from ..session.manager import SessionManager
from ..session.shared import Observer
from ..session.tokens import Session, Tokens
from .access import Access, AuthSession, Refused
from .limiter import Limiter
from .origins import Origins
from .pipeline import RequestPipeline
from .renewal import Renewal

if TYPE_CHECKING:
    from ..platform.ports import Clock, Stop


class ResourceManager:
    """The session of ``manager``, with the access token of one API: what ``Renewal`` and the pipeline ask."""

    def __init__(self, manager: SessionManager, clock: Clock) -> None:
        self._manager = manager
        self._clock = clock
        self._found: Session | None = None

    @property
    def session(self) -> Session | None:
        """The session for this API; before its first renewal there's no token to send, and that is due."""
        main, found = self._manager.session, self._found
        if main is None:
            return None
        if found is None or found.id != main.id:
            nothing, clock = Tokens.not_yet(main.tokens.refresh_token), self._clock
            found = Session(
                main.id,
                main.generation,
                nothing,
                issued_at=0.0,
                clock=clock,
                proven=main.proven,
                key=main.key,
            )
        elif found.tokens.refresh_token != main.tokens.refresh_token:  # rotated for another one
            found = found.with_refresh_token(main.tokens.refresh_token, clock=self._clock)
        self._found = found
        return found

    @property
    def is_known(self) -> bool:
        """As the manager's, as for all of these."""
        return self._manager.is_known

    @property
    def at_once(self) -> bool:
        return self._manager.at_once

    @at_once.setter
    def at_once(self, at_once: bool) -> None:
        self._manager.at_once = at_once

    async def restored(self) -> None:
        await self._manager.restored()

    def lock(self, *, wait: float) -> AbstractAsyncContextManager[Callable[[], bool]]:
        return self._manager.lock(wait=wait)

    def look(self) -> None:
        self._manager.look()

    def is_over(self, session: Session) -> bool:
        return self._manager.is_over(session)

    def is_behind(self, session: Session) -> bool:
        main = self._manager.session
        return main is not None and self._manager.is_behind(main)

    async def catch_up(self) -> Session | None:
        await self._manager.catch_up()
        return self.session

    async def commit(self, session: Session, by: Observer) -> Session | None:
        """Keep the token in this page, and the refresh token, if it rotated, where all have theirs from."""
        main = self._manager.session
        if main is None or main.id != session.id:
            return None
        refresh_token = session.tokens.refresh_token
        if refresh_token is not None and refresh_token != main.tokens.refresh_token:
            rotated = main.with_refresh_token(refresh_token, clock=self._clock)
            if await self._manager.commit(rotated, by) is None:
                return None
        self._found = session
        return self.session

    async def reject(self, session: Session) -> bool:
        main = self._manager.session
        return main is not None and main.id == session.id and await self._manager.reject(main)


class ResourceSession:
    """An ``AuthSession`` for one more API of ``main``; what the user does is the main one's.

    ``check`` is awaited before each request where the session may end by the page's clock.
    """

    def __init__(
        self,
        main: AuthSession,
        manager: SessionManager,
        endpoint: RefreshEndpoint,
        limiter: Limiter,
        events: Events,
        *,
        leeway: float,
        timeout: float,
        retries: int,
        check: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._main = main
        self._check = check
        self._manager = manager
        self._endpoint = endpoint
        self.platform = platform = main.platform
        self._scheme = endpoint.auth_scheme
        self._watchers: list[Callable[[], None]] = []
        navigation = platform.navigation
        self._origins = Origins(navigation, self._scheme.header, refuses_token)
        self._origins.allow({navigation.parse(navigation.here()).origin} - {"null"}, main.access().exempt)
        self._sessions = ResourceManager(manager, platform.clock)
        self._renewal = Renewal(
            self._sessions,
            refresh_by(endpoint, platform),
            platform.clock,
            events,
            needs_refresh_token=endpoint.needs_refresh_token,
            begin=None,
            leeway=leeway,
            timeout=timeout,
            retries=retries,
            rejected=lambda session, _: manager.tell_signed_out(session, "rejected"),
            changed=self.changed,
            new_future=platform.future,
            by=self,
        )
        self._pipeline = RequestPipeline(
            self._sessions,
            self._renewal,
            self._origins,
            limiter,
            events,
            self._scheme,
            platform.clock,
            turned_away=self._turned_away,
            lost=self._lost,
        )
        self.send: Callable[..., Awaitable[Response]] = self._pipeline.__call__
        if check is not None:
            self.send = self._send_after_check
        manager.join(self)

    # Requests

    async def _send_after_check(
        self, request: Request, send: Send, refused: Refused | None = None
    ) -> Response:
        assert self._check is not None  # else this isn't what sends
        await self._check()
        return await self._pipeline(request, send, refused)

    def may_carry_token(self, request: Request) -> bool:
        """See ``AuthSession``, as for all of these."""
        return self._origins.may_carry_token(request)

    def may_refuse(self, status: int) -> bool:
        return self._origins.may_refuse(status)

    async def refuses(self, response: Response) -> bool:
        return await self._origins.refuses(response)

    def access(self) -> Access:
        session, current = self._renewal.usable_session(), self._sessions.session
        return Access(
            self._scheme.credential(session.tokens.access_token, session.key)
            if session and not self._check
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

    def at_once(self, *, may_block: bool) -> AbstractContextManager[None]:
        # Only for who asks for it: a call that blocks the page follows redirects.
        return self._renewal.at_once(
            blocking_refresh_by(self._endpoint, self.platform) if may_block else None
        )

    # What the user does

    @property
    def tokens(self) -> Tokens | None:
        session = self._sessions.session
        return session.tokens if session is not None and session.has_token else None

    @property
    def signed_in(self) -> bool:
        return self._main.signed_in

    @property
    def renewing(self) -> bool:
        return self._main.renewing

    @property
    def claims(self) -> Mapping[str, Any] | None:
        return self._main.claims

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        await self._main.sign_in(tokens)

    async def proving_key(self) -> str | None:
        return await self._main.proving_key()

    async def sign_out(self, *, provider: bool, redirect_uri: str | None) -> None:
        await self._main.sign_out(provider=provider, redirect_uri=redirect_uri)

    async def restored(self) -> None:
        await self._main.restored()

    async def ensure_signed_in(self) -> bool:
        return await self._main.ensure_signed_in()

    async def access_token(self) -> str:
        session = self._renewal.usable_session() or await self._renewal.renew_ahead()
        if session is None or not session.has_token:
            raise NotSignedIn("nobody is signed in")
        return session.tokens.access_token

    async def refresh(self) -> None:
        await self._manager.restored()
        session = self._sessions.session
        if session is None or not self._renewal.can_renew(session):
            raise NotSignedIn("there is no session that could be renewed: sign in")
        await self._renewal.join(session)

    async def authorize(
        self, redirect_uri: str | None, scope: str | None, parameters: Mapping[str, str]
    ) -> None:
        await self._main.authorize(redirect_uri, scope, parameters)

    async def complete_authorization(self) -> str | None:
        return await self._main.complete_authorization()

    def next_path(self) -> str:
        return self._main.next_path()

    def trust(self, url: str) -> None:
        self._origins.allow_also(url)
        self._tell_watchers()

    def listen(self, callback: Listener, *names: EventName) -> Stop:
        return self._main.listen(callback, *names)

    def for_resource(self, fields: Mapping[str, str]) -> AuthSession:
        return self._main.for_resource(fields)

    def close(self) -> None:
        self._renewal.abandon(SessionChanged("this SilentRefresh was closed"))
        self._manager.leave(self)

    # What happens to the session: see ``Observer``

    def changed(self) -> None:
        self._pipeline.forget()
        self._manager.note_renewal(self, self._renewal.is_under_way)
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()

    def appeared(self, before: Session | None, after: Session) -> None:
        """Do nothing: what is new is looked up when it's needed."""

    def ended(self, session: Session, reason: str) -> None:
        if reason != "rejected":  # a refused renewal tells those who wait by itself
            self._renewal.abandon(SessionChanged("the session ended"))

    def signed_out(self, session: Session, reason: str) -> None:
        """Leave the login to the session's own."""

    def renewing_changed(self) -> None:
        """Tell watchers; listeners are told by the session's own."""
        self._tell_watchers()

    async def _lost(self, session: Session) -> None:
        """Keep the session: that this API's token can't be renewed says nothing of the others."""

    def _turned_away(self, response: Response) -> None:
        raise NotSignedIn(f"{response.request!r} was answered {response.status} and nobody is signed in")
