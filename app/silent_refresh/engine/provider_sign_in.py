"""Signing in and out at an OAuth provider, as a page does it: several of its parts at once, twice, and again.

The protocol is in ``protocol/authorization.py`` and ``protocol/code_exchange.py``, which are loaded by pages
that use it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from ..errors import SessionChanged, copy_of
from ..platform.platform import Platform
from ..session.tokens import Session, Tokens, claims_of
from .login import LoginPage

if TYPE_CHECKING:
    from ..platform.ports import Navigation
    from ..protocol.code_exchange import SignedIn
    from .session_keys import SessionKeys

_Done: TypeAlias = "tuple[SignedIn, Session] | None"
log = logging.getLogger("silent_refresh")


class ProviderSignIn:
    """The sign-ins of one endpoint; ``begin`` starts a session, which ``settle`` makes final.

    ``keys`` are there where the tokens are to be bound to one.
    """

    def __init__(
        self,
        endpoint: object,
        platform: Platform,
        login: LoginPage,
        begin: Callable[[Tokens, str | None], Awaitable[Session]],
        settle: Callable[[Session], Awaitable[None]],
        keys: SessionKeys | None,
    ) -> None:
        self._endpoint = endpoint
        self._platform = platform
        self._login = login
        self._begin = begin
        self._settle = settle
        self._keys = keys
        self._session: str | None = None  # the one that this page's last sign-in began
        self._id_token: str | None = None
        self._claims: Mapping[str, Any] | None = None

    async def authorize(
        self, redirect_uri: str | None, scope: str | None, parameters: Mapping[str, str]
    ) -> None:
        """Leave for the provider, unless the page has just come from there."""
        from ..protocol.authorization import authorize
        from ..protocol.code_exchange import is_answered

        if self._under_way() is not None:
            await self.complete()
            return
        if self._platform.redirect_memory is not None and is_answered(self._platform):
            log.warning(
                "silent-refresh: the provider's answer is in this page's address, so that authorize() didn't "
                "leave: call complete_authorization() first, at the start of the page."
            )
            return
        navigation = self._platform.navigation
        here = navigation.parse(navigation.here()).path
        next = self._login.next_path() if self._login.is_here() else here
        key = await self._keys.for_redirect() if self._keys is not None else None
        authorize(self._endpoint, self._platform, redirect_uri, scope, next, parameters, key)

    async def complete(self) -> str | None:
        """Complete the sign-in, once for all who ask meanwhile; whoever is cancelled strands nobody."""
        task = self._under_way()
        if task is None:
            task = asyncio.ensure_future(self._complete())
            _completing[self._platform.navigation] = _Completing(self, task)
        await asyncio.wait({task})
        error = SessionChanged("the sign-in was given up") if task.cancelled() else task.exception()
        if error is not None:
            raise copy_of(error)
        done = task.result()
        if done is None:
            return None
        self._note(*done)
        return done[0].path

    def _under_way(self) -> asyncio.Task[_Done] | None:
        """Return what completes a sign-in of this very endpoint, by whichever part of the page."""
        completing = _completing.get(self._platform.navigation)
        if completing is None or completing.task.done() or completing.by.identity() != self.identity():
            return None
        return completing.task

    def identity(self) -> str | None:
        """Return what tells its provider, and its client of that, from others."""
        from ..protocol.authorization import provider_of
        from ..protocol.transaction import identity_of

        return identity_of(*provider_of(self._endpoint))

    async def _complete(self) -> _Done:
        from ..protocol.code_exchange import complete

        signed_in = await complete(self._endpoint, self._platform)
        if signed_in is None:
            return None
        session = await self._begin(signed_in.tokens, signed_in.key)
        self._note(signed_in, session)
        await self._settle(session)
        return signed_in, session

    def _note(self, signed_in: SignedIn, session: Session) -> None:
        self._session, self._id_token, self._claims = session.id, signed_in.id_token, signed_in.claims

    def claims(self, session: Session) -> Mapping[str, Any] | None:
        """Return what is known of whoever is signed in: by the ID token, else by a JWT for the API."""
        if session.id == self._session and self._claims is not None:
            return self._claims
        return claims_of(session.tokens.access_token) or None

    def address_of_sign_out(self, session: Session | None, redirect_uri: str | None) -> str | None:
        """Return where the provider signs people out; ``None`` when that isn't known."""
        from ..protocol.authorization import address_of_sign_out

        is_known = session is not None and session.id == self._session
        id_token = self._id_token if is_known else None
        return address_of_sign_out(self._endpoint, self._platform, id_token, redirect_uri)

    def close(self) -> None:
        """Give up a sign-in of one's own that isn't complete."""
        completing = _completing.get(self._platform.navigation)
        if completing is not None and completing.by is self:
            completing.task.cancel()


class _Completing(NamedTuple):
    by: ProviderSignIn
    task: asyncio.Task[_Done]


# A page has one address, and so one answer in it at a time, however many of these it makes.
_completing: WeakKeyDictionary[Navigation, _Completing] = WeakKeyDictionary()
