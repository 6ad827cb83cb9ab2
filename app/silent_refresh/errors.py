"""The errors that calls of this library raise.

    SilentRefreshError
    ├── NetworkError             no response came; .request
    │   ├── RequestTimeout       … within the request's time-out
    │   └── ProofRefused         … that may be read: it says what the server wants of a proof (DPoP)
    ├── HTTPStatusError          from raise_for_status(); .request .response
    ├── NotJSON                  the body isn't the JSON that was asked for; .response
    ├── NotSignedIn              no session to send with
    │   └── LoginLoop            … and the way to the login leads back: login= isn't its address
    ├── SessionChanged           signed out, or another user signed in, while the request waited
    ├── StepUpRequired           the API wants a stronger sign-in; .acr_values .max_age .parameters
    ├── AuthorizationError       the sign-in at an OAuth provider came to nothing; .reason
    └── RefreshError             the token could not be renewed; .__cause__
        ├── RefreshRejected      the server refused the refresh token: signed out; .reason
        ├── RefreshUnavailable   offline, 5xx, time-out: tokens kept; .retry_after
        └── RefreshMisconfigured the endpoint doesn't understand us: tokens kept

No message and no attribute holds a token: ``.request`` is the request as the caller made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .http.messages import Request, Response


class SilentRefreshError(Exception):
    """Base of every error that this library raises on purpose."""


class NetworkError(SilentRefreshError):
    """No response: offline, name or TLS failure, refused by CORS, aborted by the browser.

    A browser shows page code a response without CORS headers as this error too, a 401 included.
    """

    def __init__(self, message: str, *, request: Request) -> None:
        super().__init__(message)
        self.request = request


class RequestTimeout(NetworkError):
    """No response within the request's ``timeout``."""


class ProofRefused(NetworkError):
    """The server doesn't take a proof (RFC 9449), and what it wants instead this page may not read.

    The message names the header fields that the server has to expose (CORS).
    """


class KeyGone(NetworkError):
    """The key that the session's tokens are bound to is not in this browser any more; nothing was sent.

    What a transport tells the engine: the session ends then, as after a refused renewal.
    """


class HTTPStatusError(SilentRefreshError):
    """``raise_for_status()`` met a 4xx or 5xx."""

    def __init__(self, message: str, *, response: Response) -> None:
        super().__init__(message)
        self.response = response
        self.request = response.request


class NotJSON(SilentRefreshError, ValueError):
    """``json()`` met a body that is something else, a proxy's HTML page say."""

    def __init__(self, message: str, *, response: Response) -> None:
        super().__init__(message)
        self.response = response


class NotSignedIn(SilentRefreshError):
    """The server wants a token, and there is no session, or none that can be renewed."""


class LoginLoop(NotSignedIn):
    """Nobody is signed in, and ``login`` leads to a page that isn't it: the message says what to change.

    A host that serves ``./login.html`` at ``/login`` does that, say. The page stays where it is.
    """


class SessionChanged(SilentRefreshError):
    """The session that the request belonged to ended while the request waited; it was not replayed."""


class StepUpRequired(SilentRefreshError):
    """The API wants a stronger or more recent sign-in for this request (RFC 9470); the session goes on.

    ``acr_values`` names the ways to sign in, ``max_age`` how many seconds ago at most, each ``None`` where
    that isn't asked for. ``await auth.authorize(**error.parameters)`` asks the provider. ``response`` is the
    401.
    """

    def __init__(
        self, message: str, *, response: Response, acr_values: str | None, max_age: int | None
    ) -> None:
        super().__init__(message)
        self.response = response
        self.acr_values = acr_values
        self.max_age = max_age

    @property
    def parameters(self) -> dict[str, str]:
        """What ``authorize`` is to ask for."""
        asked = {"acr_values": self.acr_values, "max_age": self.max_age}
        return {name: str(value) for name, value in asked.items() if value is not None}


class AuthorizationError(SilentRefreshError):
    """The sign-in at an OAuth 2.0 provider came to nothing; whoever was signed in still is.

    ``reason`` is the provider's error code, ``"access_denied"`` say (RFC 6749 §4.1.2.1, §5.2), or what went
    wrong here: ``"metadata"``, ``"pkce"``, ``"storage"``, ``"malformed"``, ``"state"``, ``"redirect_uri"``,
    ``"issuer"``, ``"exchange"``, ``"id_token"``, ``"key"``, ``"unavailable"``. ``description`` is the
    provider's ``error_description``, for developers, if it gave one.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.description: str | None = None


class RefreshError(SilentRefreshError):
    """The access token could not be renewed; ``__cause__`` is what stood in the way, if an exception did."""


class RefreshRejected(RefreshError):
    """The server refused the refresh token; the tokens are cleared.

    ``reason`` is the server's error code (RFC 6749 §5.2), or ``"status 401"`` where it gave none.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RefreshUnavailable(RefreshError):
    """No usable answer for now; the tokens are kept and a later request tries again.

    ``retry_after`` is the number of seconds, an hour at most, before which another try is pointless, or
    ``None``.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefreshMisconfigured(RefreshError):
    """The refresh endpoint doesn't understand us: tokens are kept, the message says what to change."""


E = TypeVar("E", bound=BaseException)


def copy_of(error: E) -> E:
    """Make an equal exception: those who wait together must not share one traceback."""
    twin = error.__class__.__new__(error.__class__, *error.args)
    twin.__dict__.update(error.__dict__)
    twin.__cause__ = error.__cause__
    return twin
