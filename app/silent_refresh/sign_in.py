"""Signing in: at a provider that sends its answer to the page, or with an answer that the page has got.

``authorization.py`` has the protocol of the first; it's loaded by pages that use it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from .endpoint import RefreshEndpoint
from .login import LoginPage
from .outcome import field_at
from .ports import Place, Platform
from .refresh import OwnRefresh
from .session import Tokens


class ProviderSignIn:
    """The part of ``SilentRefresh`` that signs in at an OAuth 2.0 provider."""

    platform: Platform
    _endpoint: RefreshEndpoint | OwnRefresh
    _login: LoginPage
    _parse: Callable[[str], Place]

    @abstractmethod
    async def sign_in(self, tokens: Tokens | Mapping[str, Any]) -> None:
        """Start a session."""

    async def authorize(
        self, redirect_uri: str | None = None, *, scope: str | None = None, **parameters: str
    ) -> None:
        """Leave for the OAuth provider's sign-in, which comes back to ``redirect_uri``, by default this page.

        The endpoint is of ``RefreshEndpoint.discover``, or ``oauth2`` with ``authorize``; ``parameters`` are
        more of the request (``prompt="login"``). Raises ``ValueError`` for what can't be sent, and
        ``AuthorizationError`` when this tab can't remember what it needs on the way back (RFC 7636 §4.1).
        """
        from .authorization import authorize

        here = self._parse(self.platform.navigation.here()).path
        next = self._login.next_path() if self._login.is_here() else here
        authorize(self._endpoint, self.platform, redirect_uri, scope, next, parameters)

    async def complete_authorization(self) -> str | None:
        """Sign in with the answer that the provider put into this page's URL, and take it out of there.

        Returns the path at which ``authorize`` was called, or the ``?next=`` of the login page; ``None`` when
        there's no answer. Raises ``AuthorizationError``, with the ``reason`` ``"access_denied"`` for a "no".
        """
        from .authorization import complete

        completed = await complete(self._endpoint, self.platform)
        if completed is None:
            return None
        tokens, path = completed
        await self.sign_in(tokens)
        return path


def read_sign_in(answer: Any, endpoint: object) -> Tokens:
    """Take the tokens out of the answer to a sign-in: as the refresh endpoint names them, else as OAuth does.

    Raises ``ValueError`` that tells the answer's field names, not their values.
    """
    shapes = [endpoint] if isinstance(endpoint, RefreshEndpoint) else []
    for shape in (*shapes, RefreshEndpoint.article(), RefreshEndpoint.oauth2("", "")):
        if field_at(answer, shape.access_path) is not None:
            return shape.read_tokens(answer)
    fields = ", ".join(map(repr, answer)) if isinstance(answer, dict) and answer else "none"
    raise ValueError(
        f"no access token in the answer to the sign-in (its fields: {fields}). Pass Tokens(access_token=…, "
        "refresh_token=…), or check that the sign-in succeeded before calling sign_in()"
    )
