"""The errors that calls of this library raise.

    SilentRefreshError
    ├── NetworkError             no response came; .request
    │   └── RequestTimeout       … within the request's time-out
    ├── HTTPStatusError          from raise_for_status(); .request .response
    ├── NotJSON                  the body isn't the JSON that was asked for; .response
    ├── NotSignedIn              no session to send with
    ├── SessionChanged           signed out, or another user signed in, while the request waited
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
    from .messages import Request, Response


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


class SessionChanged(SilentRefreshError):
    """The session that the request belonged to ended while the request waited; it was not replayed."""


class AuthorizationError(SilentRefreshError):
    """The sign-in at an OAuth 2.0 provider came to nothing; whoever was signed in still is.

    ``reason`` is the provider's error code, ``"access_denied"`` say (RFC 6749 §4.1.2.1, §5.2), or what went
    wrong here: ``"metadata"``, ``"pkce"``, ``"storage"``, ``"state"``, ``"issuer"``, ``"exchange"``,
    ``"unavailable"``.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


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

    ``retry_after`` is the number of seconds before which another try is pointless, or ``None``.
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
