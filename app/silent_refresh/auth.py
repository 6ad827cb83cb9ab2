"""``SilentRefresh``: the interceptor this project exists for.

    auth = SilentRefresh()
    client = Client("/api", auth=auth)

attach the token → send → refused? → renew → replay once: see ``__call__`` and ``_replayed``. Who renews and
who waits is in ``renewal.py``, where the tokens live in ``vault.py``, where the page goes in ``login.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .bearer import Bearer
from .challenge import refuses_token
from .crowd import MOST, Crowd
from .endpoint import RefreshEndpoint
from .errors import NetworkError, NotSignedIn, SessionChanged
from .events import Events, Listener, Tell, nobody
from .from_cookie import CookieSignIn, coordinator_of
from .interceptors import Send
from .login import Login, LoginPage
from .messages import Request, Response
from .ports import Platform, SessionStore, this_browser
from .reach import Reach
from .refresh import OwnRefresh, refresh_by, revoke
from .refusers import Refusers
from .renewal import Renewal
from .session import Session, Tokens
from .sign_in import ProviderSignIn, read_sign_in
from .stand_in import HasStandIn
from .standing import WaysIn
from .vault import Vault

REVOCATION_WAIT = 2.0  # s that a sign-out waits for the server's word before the page is left


class SilentRefresh(HasStandIn, Reach, WaysIn, ProviderSignIn):
    """Keeps a page signed in.

    ``refresh``: the URL that renews tokens in the article's shape, a ``RefreshEndpoint``, or
    ``async (Tokens) -> Tokens``. ``login``: the URL to go to when the session is over (``?next=`` says
    where from), a callable that gets the ``signed-out`` event, or ``None``. ``store``: where tokens are
    kept, localStorage by default. ``origins``: where tokens may be sent, ``["https://api.example.com"]``
    say; by default the page's own origin and those of the clients made with this ``auth``. ``leeway`` (s):
    a token with less life left, but never more than a quarter of it, is renewed before it is sent.
    ``timeout`` (s): the deadline of a refresh, its ``retries`` included. ``is_refused(response)`` tells
    whether a response refuses the token; by default a 401 does, unless its scope is what is missing
    (RFC 6750 §3.1).

    In a PyScript worker it stands for the page's, whose options count; with ``store`` it's the worker's own.
    Raises ``ValueError`` for numbers that make no sense and for URLs that can't be parsed.
    """

    def __init__(
        self,
        refresh: str | RefreshEndpoint | OwnRefresh = "/refresh",
        login: Login = "/login",
        *,
        store: SessionStore | None = None,
        origins: Iterable[str] | None = None,
        leeway: float = 30.0,
        timeout: float = 10.0,
        retries: int = 2,
        is_refused: Callable[[Response], bool] | None = None,
        platform: Platform | None = None,
    ) -> None:
        if not (leeway >= 0 and timeout > 0 and retries >= 0):  # nor is NaN any of that
            raise ValueError("leeway (s) and retries must be 0 or more, timeout (s) more than 0")
        self.platform = platform = platform or this_browser()
        self._endpoint = RefreshEndpoint.article(refresh) if isinstance(refresh, str) else refresh
        way_in = getattr(self._endpoint, "url", None), login
        super().__init__(platform.navigation, way_in, origins, is_refused or refuses_token)
        self._events = Events(platform.clock.monotonic, self._tell_watchers)
        self._login = LoginPage(login, platform.navigation)
        self._bearer = Bearer()
        self._refusers = Refusers()
        self._crowd = Crowd(platform.future)
        self._watchers: list[Callable[[], None]] = []
        store = store or platform.default_store()
        coordinator = coordinator_of(store, self._endpoint, platform)
        self._vault = Vault(store, coordinator, platform.clock, self._changed_elsewhere)
        refresh_call = refresh_by(self._endpoint, platform)
        self._renewal = Renewal(
            self._vault,
            refresh_call,
            platform.clock,
            self._events,
            needs_refresh_token=getattr(self._endpoint, "needs_refresh_token", True),
            leeway=leeway,
            timeout=timeout,
            retries=retries,
            rejected=lambda session, _: self._signed_out(session, "rejected"),
            changed=self._standing_changed,
            new_future=platform.future,
        )
        self._from_cookie = CookieSignIn(
            self._vault,
            refresh_call,
            self._events,
            timeout=timeout,
            wait=self._renewal.longest_wait,
            began=self._login.arm,
        )

    # The interceptor

    async def __call__(self, request: Request, send: Send) -> Response:
        """Send a request with the access token, and once more with a new one if that was refused."""
        if not self.may_carry_token(request):
            return await send(request)
        tell = self._events.about(request) if self._events.listeners else nobody
        crowd = self._crowd
        if crowd.inside >= MOST and not self._vault.at_once:
            await self._turn(request, tell)
        crowd.inside += 1
        before = self._vault.session
        try:
            session = self._renewal.usable_session()
            if session is None:
                if before is not None:
                    tell("queued", generation=before.generation)
                session = await self._renewal.renew_ahead()
            if tell is not nobody:
                tell("sent", generation=session.generation if session else 0)
            if session is None:
                response = self._turn_away(await send(request))
            else:
                response = await send(self._bearer.sign(request, session.tokens.access_token))
                # Asked here first: a call for each answer costs 1 µs.
                may_be_refused = response.status == 401 or self._is_refused is not refuses_token
                if may_be_refused and self.refuses(response):
                    response = await self._replayed(request, send, tell, before, session, response)
        except BaseException as error:
            if isinstance(error, NetworkError):
                error.request = request  # not the copy that has the token
            tell("failed", reason=type(error).__name__)
            raise
        finally:
            crowd.inside -= 1
            if crowd.held:
                crowd.let_in()
        response.request = request
        if tell is not nobody:
            tell("answered", status=response.status)
        return response

    async def _turn(self, request: Request, tell: Tell) -> None:
        """Wait until fewer are under way; for the session that there is now, and for no other."""
        session = self._vault.session
        try:
            await self._crowd.wait(request)
            if session is not None and self._vault.is_over(session):
                await self._renewal.raise_rejection(session.id)
                raise SessionChanged("the session ended before the request was sent")
        except BaseException as error:
            tell("failed", reason=type(error).__name__)
            raise

    async def _replayed(
        self,
        request: Request,
        send: Send,
        tell: Tell,
        before: Session | None,
        session: Session,
        refusal: Response,
    ) -> Response:
        """Return the answer to a second try, or the refusal itself when a renewal would not help."""
        tell("refused", generation=session.generation, status=refusal.status)
        if self._vault.session is None:  # a late one of those whose renewal was refused, or of a sign-out
            await self._renewal.raise_rejection(session.id)
        if self._vault.is_over(session) or self._refusers.knows(request.method, request.url, session):
            return refusal
        if before is not None and session is not before:  # renewed for this very request: it won't get better
            self._refusers.add(request.method, request.url, session, before=before)
            return refusal
        if not self._renewal.can_renew(session):
            self._vault.end()
            await self._vault.settle(session, wait=self._renewal.longest_wait)
            self._signed_out(session, "no_refresh_token")
            raise NotSignedIn("the access token was refused and there's no refresh token: sign in again")
        refusal.discard()
        tell("queued", generation=session.generation)
        renewed = await self._renewal.renew(refused=session)
        tell("replayed", generation=renewed.generation)
        replay = await send(self._bearer.sign(request, renewed.tokens.access_token))
        if replay is not refusal and self.refuses(replay):
            tell("refused", generation=renewed.generation, status=replay.status)
            self._refusers.add(request.method, request.url, renewed, before=session)
        return replay

    def _turn_away(self, response: Response) -> Response:
        """Pass on what came of a request that nobody was signed in for."""
        if not self.refuses(response) or self._vault.session is not None or self._login.is_here():
            return response  # on the login page it's the answer to a wrong password
        self._login.show(self._events.emit("signed-out", reason="not_signed_in"))
        raise NotSignedIn(f"{response.request!r} was answered {response.status} and nobody is signed in")

    # What the user does

    @property
    def tokens(self) -> Tokens | None:
        """The tokens of whoever is signed in; their ``repr`` masks them."""
        return self._vault.session.tokens if self._vault.session else None

    @property
    def signed_in(self) -> bool:
        """Whether there is a session, as far as this page knows."""
        return self._vault.session is not None

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        """Start a session with tokens, or with the server's JSON answer that holds them.

        It takes effect at once, and is told to the other tabs when this returns; what waited for an earlier
        session gets ``SessionChanged``. Raises ``ValueError`` when there's no usable token in the answer.
        """
        if not isinstance(tokens, Tokens):
            tokens = read_sign_in(tokens, self._endpoint)
        session = self._vault.begin(tokens)
        self._abandon(SessionChanged("another sign-in took the place of this session"))
        self._login.arm()
        self._events.emit("signed-in", generation=session.generation)
        await self._vault.settle(session, wait=self._renewal.longest_wait)

    async def sign_out(self) -> None:
        """End the session here, in the other tabs, and at the server if that can be told; go to ``login``.

        The tokens are gone at once and always, offline too; requests that wait get ``SessionChanged``.
        """
        ended = self._vault.end()
        self._from_cookie.abandon()
        self._abandon(SessionChanged("signed out"))
        if ended is None:
            return
        revocation = asyncio.ensure_future(revoke(self._endpoint, ended.tokens, self.platform))
        await self._vault.settle(ended, wait=self._renewal.longest_wait)
        await asyncio.wait({revocation}, timeout=REVOCATION_WAIT)
        if not self.signed_in:
            self._signed_out(ended, "sign_out")

    async def access_token(self) -> str:
        """Return an access token for use now, in a WebSocket say; renewed first if it is about to end.

        Raises ``NotSignedIn``, ``SessionChanged`` or a ``RefreshError``.
        """
        session = self._renewal.usable_session() or await self._renewal.renew_ahead()
        if session is None:
            raise NotSignedIn("nobody is signed in")
        return session.tokens.access_token

    async def refresh(self) -> None:
        """Renew the access token now; where a cookie holds the refresh token, sign in with that if need be.

        Raises ``NotSignedIn``, ``SessionChanged`` or a ``RefreshError``.
        """
        session = self._vault.session
        if session is None and not getattr(self._endpoint, "needs_refresh_token", True):
            await self._from_cookie()
        elif session is None or not self._renewal.can_renew(session):
            raise NotSignedIn("there is no session that could be renewed: sign in")
        else:
            await self._renewal.join(session)

    def next_path(self) -> str:
        """Return where to go after a sign-in: the path in this page's ``?next=``, or ``"/"``.

        Anything but a path of this origin is ``"/"``: a link to the login page may come from anybody.
        """
        return self._login.next_path()

    def trust(self, url: str) -> None:
        """Let tokens go to the origin of ``url``, as a ``Client`` does for its base."""
        if not self._origins_are_fixed:
            self._allow({*self._origins, self._parse(url).origin}, self._exempt)
            self._tell_watchers()

    def _standing_changed(self) -> None:
        self._bearer.forget()
        self._tell_watchers()

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Call ``callback`` with every ``Event`` from now on; return what stops it."""
        return self._events.listen(callback)

    def close(self) -> None:
        """Stop listening to other tabs; what waits for a renewal gets ``SessionChanged``."""
        self._from_cookie.abandon()
        self._abandon(SessionChanged("this SilentRefresh was closed"))
        self._vault.close()

    # What happens to the session

    def _changed_elsewhere(self, before: Session | None, after: Session | None) -> None:
        if before is not None and after is not None and before.id == after.id:
            self._events.emit("adopted", generation=after.generation)
            return
        if before is not None:
            self._abandon(SessionChanged("the session ended in another tab, or its storage was cleared"))
        if after is not None:
            self._login.arm()
            self._events.emit("signed-in", generation=after.generation)
        elif before is not None:  # later: a login callable is the page's code, and a lock may be held here
            asyncio.get_running_loop().call_soon(self._signed_out, before, "elsewhere")

    def _abandon(self, error: SessionChanged) -> None:
        self._renewal.abandon(error)
        self._crowd.let_all_in()

    def _signed_out(self, session: Session, reason: str) -> None:
        self._login.show(self._events.emit("signed-out", generation=session.generation, reason=reason))

    def __repr__(self) -> str:
        return f"<SilentRefresh {'signed in' if self.signed_in else 'signed out'}>"
