"""``SilentRefresh``: the interceptor this project exists for.

    auth = SilentRefresh()
    client = Client("/api", auth=auth)

The way of a request is in ``engine/pipeline.py``, where the session lives in ``session/manager.py``. In a
page the engine runs right here (``engine/local_session.py``); in a worker it is the page's, from afar
(``workers/worker.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .engine.local_session import LocalSession
from .engine.login import Login
from .engine.origins import Rule
from .errors import NotSignedIn
from .events import EventName, Listener
from .http.credential import IN_COOKIES
from .http.messages import Interceptor, Request, Response, Send
from .platform.current import current_platform
from .platform.platform import Platform
from .protocol.endpoint import OwnRefresh, RefreshEndpoint
from .session.tokens import Tokens

if TYPE_CHECKING:
    from .engine.access import AuthSession
    from .platform.ports import SessionStore


class SilentRefresh:
    """Keeps a page signed in.

    ``refresh``: the URL that renews tokens in the article's shape, a ``RefreshEndpoint``, or
    function of yours (see there). ``login``: the URL to go to when the session is over (``?next=`` says
    where from), a route like ``"/#/login"`` too, a callable that gets the ``signed-out`` event, or
    ``None``. ``store``: where tokens are kept, localStorage by default. ``origins``: where tokens may be
    sent, ``["https://api.example.com"]`` say; by default the page's own origin and those of the clients
    made with this ``auth``. ``leeway`` (s): a token with less life left, but never more than a quarter of
    it, is renewed before it is sent; one that lives for minutes, unless ``leeway`` is 0, up to another
    two fifths earlier, in each browser at a time of its own. ``timeout`` (s): the deadline of a refresh, its
    ``retries`` included.
    ``is_refused(response)`` tells whether a response refuses the token; by default a 401 does, unless its
    scope is what is missing (RFC 6750 §3.1). It may be async, and read the body: then every answer waits for
    it. ``login`` and listeners may be async, too; a store may not.
    ``max_age`` (s) ends the session so long after its sign-in, ``idle`` (s) so long after its last request,
    though the server would let it go on; ``None`` doesn't.

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
        is_refused: Rule | None = None,
        max_age: float | None = None,
        idle: float | None = None,
        platform: Platform | None = None,
    ) -> None:
        if not (leeway >= 0 and timeout > 0 and retries >= 0):  # nor is NaN any of that
            raise ValueError("leeway (s) and retries must be 0 or more, timeout (s) more than 0")
        if not all(seconds is None or seconds > 0 for seconds in (max_age, idle)):
            raise ValueError("max_age and idle are numbers of seconds above 0, or None for no end")
        if isinstance(origins, str):
            raise TypeError(f"origins is a list: pass [{origins!r}]")
        is_own = platform is not None or store is not None
        platform = platform or current_platform()
        self._session: AuthSession
        if platform.is_worker and not is_own:
            from .workers.worker import RemoteSession  # needs a worker to be loaded

            self._session = RemoteSession(platform)
        else:
            self._session = LocalSession(
                RefreshEndpoint.article(refresh) if isinstance(refresh, str) else refresh,
                login,
                platform,
                store=store,
                origins=origins,
                leeway=leeway,
                timeout=timeout,
                retries=retries,
                is_refused=is_refused,
                max_age=max_age,
                idle=idle,
            )

    def __call__(self, request: Request, send: Send) -> Awaitable[Response]:
        """Send a request with the access token, and once more with a new one if that was refused."""
        return self._session.send(request, send)

    @property
    def tokens(self) -> Tokens | None:
        """The tokens of whoever is signed in; ``repr`` masks them. In a worker, the access token alone."""
        return self._session.tokens

    @property
    def signed_in(self) -> bool:
        """Whether there is a session, as far as this page knows; in a worker, as far as its page has told."""
        return self._session.signed_in

    @property
    def renewing(self) -> bool:
        """Whether the session is being renewed right now, in any tab or worker of this origin: for a spinner.

            spinner.hidden = not auth.renewing  # whenever "renewing-changed" is told

        Other tabs' are known a moment later, and where there are Web Locks (https, localhost); a tab that is
        killed in the middle of one is no longer counted.
        """
        return self._session.renewing

    @property
    def claims(self) -> Mapping[str, Any] | None:
        """What is known of whoever is signed in, such as ``sub`` and ``name``: for display only.

        Out of the ID token of a sign-in that this page completed, else out of the access token when that is
        a JWT; ``None`` when it's neither. Nobody verified a signature: the server decides what they may do.
        """
        return self._session.claims

    @property
    def proving(self) -> Interceptor:
        """What signs a sign-in of one's own: ``await client.post("/login", …, auth=auth.proving)``.

        Where the endpoint has ``dpop``, the server so learns the key that it is to bind the tokens to (RFC
        9449 §5), and ``sign_in()`` with its answer begins the session of that key; elsewhere it does nothing.
        """
        return self._prove

    async def _prove(self, request: Request, send: Send) -> Response:
        key = await self._session.proving_key()
        return await send(request if key is None else request.with_proof(key))

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        """Start a session with tokens, or with the server's JSON answer that holds them.

        It takes effect at once, and is told to the other tabs when this returns; what waited for an earlier
        session gets ``SessionChanged``. Raises ``ValueError`` when there's no usable token in the answer.
        """
        await self._session.sign_in(tokens)

    async def sign_out(self, *, provider: bool = False, redirect_uri: str | None = None) -> None:
        """End the session here, in the other tabs, and at the server if that can be told; go to ``login``.

        The tokens are gone at once and always, offline too; requests that wait get ``SessionChanged``. With
        ``provider`` the page goes to the OpenID provider's own sign-out instead, where the endpoint has one
        (``end_session``), and that comes back to ``redirect_uri``, by default this page, if it's registered
        there. Raises ``ValueError`` for a ``redirect_uri`` of another origin, ``RuntimeError`` in a worker.
        """
        await self._session.sign_out(provider=provider, redirect_uri=redirect_uri)

    async def restored(self) -> None:
        """Return when it is certain what survived of the session: ``signed_in`` may change until then.

        localStorage is read at once, but a browser that died may not have written it down; so the journal in
        IndexedDB is asked too, which takes some milliseconds. Where the refresh token is in a cookie and
        nobody is signed in yet, it signs in with that if it can. Requests wait for all of that by themselves.
        In a worker: return when the page has told of its session.
        """
        await self._session.restored()

    async def ensure_signed_in(self) -> bool:
        """Tell whether somebody is signed in, and go to ``login`` if nobody is; for the start of a page.

            if await auth.ensure_signed_in():
                await show_orders()

        Nothing is sent, so the server may still refuse the session at the first request. Raises ``LoginLoop``
        when the way to the login leads back here, and ``RefreshUnavailable`` where a cookie holds the refresh
        token and the server doesn't answer.
        """
        return await self._session.ensure_signed_in()

    async def access_token(self) -> str:
        """Return an access token for use now, in a WebSocket say; renewed first if it is about to end.

        Raises ``NotSignedIn``, ``SessionChanged`` or a ``RefreshError``.
        """
        token = await self._session.access_token()
        if token.startswith(IN_COOKIES):
            raise NotSignedIn("the access token is in a cookie, which no script can read")
        return token

    async def refresh(self) -> None:
        """Renew the access token now; where a cookie holds the refresh token, sign in with that if need be.

        Raises ``NotSignedIn``, ``SessionChanged`` or a ``RefreshError``.
        """
        await self._session.refresh()

    async def authorize(
        self, redirect_uri: str | None = None, *, scope: str | None = None, **parameters: str
    ) -> None:
        """Leave for the OAuth provider's sign-in, which comes back to ``redirect_uri``, by default this page.

        The endpoint is of ``RefreshEndpoint.discover``, or ``oauth2`` with ``authorize``; ``parameters`` are
        more of the request (``prompt="login"``). With ``openid`` in the scope the answer's ID token is
        checked, and ``claims`` are out of it. The page isn't left while it has the provider's answer: what
        completes it is waited for. Raises ``ValueError`` for what can't be sent, ``AuthorizationError`` when
        this tab can't remember what it needs on the way back (RFC 7636 §4.1), and ``RuntimeError`` in a
        worker.
        """
        await self._session.authorize(redirect_uri, scope, parameters)

    async def complete_authorization(self) -> str | None:
        """Sign in with the answer that the provider put into this page's URL, and take it out of there.

        Returns the path at which ``authorize`` was called, or the ``?next=`` of the login page; ``None`` when
        there's no answer, or it's one to a sign-in at another provider. Called twice, it is done once. Raises
        ``AuthorizationError``, with the ``reason`` ``"access_denied"`` for a "no", and ``RuntimeError`` in a
        worker.
        """
        return await self._session.complete_authorization()

    def next_path(self) -> str:
        """Return where to go after a sign-in: the path in this page's ``?next=``, or ``"/"``.

        Anything but a path of this origin is ``"/"``: a link to the login page may come from anybody. Raises
        ``RuntimeError`` in a worker, which has no address of its own.
        """
        return self._session.next_path()

    def for_resource(
        self, resource: str | None = None, *, scope: str | None = None, **fields: str
    ) -> SilentRefresh:
        """Return an ``auth`` for one more API of the same sign-in, which has an access token of its own.

        Its refresh call has ``resource`` (RFC 8707), ``scope`` or other ``fields`` (``audience``) as well;
        the refresh token is the session's, and rotates for all. The token goes to the page's own origin and
        to those of the clients made with it; in a worker, to where the page's goes. Raises ``ValueError``
        where a function of yours renews; in a worker its first request does.
        """
        named = {"resource": resource, "scope": scope, **fields}
        auth = SilentRefresh.__new__(SilentRefresh)
        auth._session = self._session.for_resource(
            {name: value for name, value in named.items() if value is not None}
        )
        return auth

    def trust(self, url: str) -> None:
        """Let tokens go to the origin of ``url``, as a ``Client`` does for its base.

        In a worker it changes nothing: where tokens may go is the page's to say.
        """
        self._session.trust(url)

    def listen(self, callback: Listener, *names: EventName) -> Callable[[], None]:
        """Call ``callback`` with each ``Event``, or with those of these ``names``; return what stops it.

            stop = auth.listen(show, "signed-in", "signed-out")

        Who wants to hear of requests lets those of ``install()`` go through Python. Raises ``ValueError`` for
        a name that no event has.
        """
        return self._session.listen(callback, *names)

    def close(self) -> None:
        """Stop listening to other tabs; what waits for a renewal gets ``SessionChanged``."""
        self._session.close()

    def __repr__(self) -> str:
        return f"<SilentRefresh {'signed in' if self.signed_in else 'signed out'}>"


def session_of(auth: SilentRefresh) -> AuthSession:
    """Return what ``Client``, adapters and workers ask: the session behind the door."""
    return auth._session
