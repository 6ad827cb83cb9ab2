"""What ``SilentRefresh``, adapters and workers ask a session: the page's own, or the page's from a worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..events import EventName, Listener
from ..http.credential import AuthScheme, Credential
from ..http.messages import Request, Response, Send
from ..platform.platform import Platform
from ..session.tokens import Tokens

if TYPE_CHECKING:
    from ..platform.ports import Stop


class Access(NamedTuple):
    """What a way in may do without asking the engine, ``adapters/fetch.py`` say.

    ``credential`` can be sent for ``valid_for`` seconds (``None``: until it is refused) to ``origins``,
    except to the endpoints in ``exempt`` (a URL without query stands for any); when it's ``None``, every
    request is the engine's. ``session`` is the id of the session that there is, and ``key`` names the one
    that its tokens are bound to; ``scheme`` tells how a caller's own token would travel.
    """

    credential: Credential | None
    valid_for: float | None
    origins: frozenset[str]
    exempt: frozenset[str]
    session: str | None
    scheme: AuthScheme
    key: str | None


class Refused(NamedTuple):
    """What came of a request that a way in sent by itself, and with which token, of which session.

    ``session`` is ``None``, and ``access_token`` empty, when nobody was signed in.
    """

    response: Response
    access_token: str
    session: str | None

    def __repr__(self) -> str:
        return f"<Refused {self.response!r}>"


class AuthSession(Protocol):
    """A session, wherever its engine is."""

    @property
    def platform(self) -> Platform:
        """Where it runs."""

    @property
    def tokens(self) -> Tokens | None:
        """See ``SilentRefresh``, as for all that has a name of that."""

    @property
    def signed_in(self) -> bool: ...
    @property
    def renewing(self) -> bool: ...
    @property
    def claims(self) -> Mapping[str, Any] | None: ...

    # Requests

    def send(self, request: Request, send: Send, refused: Refused | None = None) -> Awaitable[Response]:
        """Send a request, signed; again when its token is refused, and never more than twice.

        What was sent already, and ``refused``, is sent once more at the most.
        """

    def may_carry_token(self, request: Request) -> bool:
        """Tell whether the token goes with this request. Raises ``ValueError`` where it can't."""

    def may_refuse(self, status: int) -> bool:
        """Tell whether an answer of this status may: else nobody need ask ``refuses``."""

    async def refuses(self, response: Response) -> bool:
        """Tell whether this answer refuses the token, and comes from where that may go.

        Raises ``StepUpRequired``.
        """

    def access(self) -> Access:
        """Return what a way in may do by itself, until ``watch`` says that it changed."""

    def watch(self, changed: Callable[[], None]) -> Stop:
        """Call ``changed`` whenever ``access()`` has another answer, time aside."""

    def at_once(self, *, may_block: bool) -> AbstractContextManager[None]:
        """Wait for nothing while this lasts: for a caller that can't be suspended.

        ``may_block`` lets a call renew that blocks the page, and that follows redirects.
        """

    # What the user does

    async def proving_key(self) -> str | None:
        """Return the name of the key to prove a sign-in with; ``None`` where tokens are bound to none."""

    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None: ...
    async def sign_out(self, *, provider: bool, redirect_uri: str | None) -> None: ...
    async def restored(self) -> None: ...
    async def ensure_signed_in(self) -> bool: ...
    async def access_token(self) -> str: ...
    async def refresh(self) -> None: ...
    async def authorize(
        self, redirect_uri: str | None, scope: str | None, parameters: Mapping[str, str]
    ) -> None: ...
    async def complete_authorization(self) -> str | None: ...
    def next_path(self) -> str: ...
    def trust(self, url: str) -> None: ...
    def listen(self, callback: Listener, *names: EventName) -> Stop: ...
    def for_resource(self, fields: Mapping[str, str]) -> AuthSession: ...
    def close(self) -> None: ...
