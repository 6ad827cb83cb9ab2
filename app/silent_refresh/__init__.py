"""Keeps a web page signed in: renews the access token once, replays what waited, and nobody notices.

from silent_refresh import Client, SilentRefresh

client = Client("/api", auth=SilentRefresh())
response = await client.get("profile")
"""

from .adapters import RequestsAuth, install, serve_workers
from .auth import SilentRefresh
from .client import Client
from .endpoint import RefreshEndpoint
from .errors import (
    AuthorizationError,
    HTTPStatusError,
    NetworkError,
    NotJSON,
    NotSignedIn,
    RefreshError,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    RequestTimeout,
    SessionChanged,
    SilentRefreshError,
)
from .events import Event
from .messages import Headers, Request, Response
from .ports import SessionStore
from .session import Tokens
from .stores import LocalStorage, MemoryStorage, SessionStorage

__version__ = "0.1.0"

__all__ = [
    "AuthorizationError",
    "Client",
    "Event",
    "HTTPStatusError",
    "Headers",
    "LocalStorage",
    "MemoryStorage",
    "NetworkError",
    "NotJSON",
    "NotSignedIn",
    "RefreshEndpoint",
    "RefreshError",
    "RefreshMisconfigured",
    "RefreshRejected",
    "RefreshUnavailable",
    "Request",
    "RequestTimeout",
    "RequestsAuth",
    "Response",
    "SessionChanged",
    "SessionStorage",
    "SessionStore",
    "SilentRefresh",
    "SilentRefreshError",
    "Tokens",
    "install",
    "serve_workers",
]
