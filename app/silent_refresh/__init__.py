"""Keeps a web page signed in: renews the access token once, replays what waited, and nobody notices.

from silent_refresh import Client, SilentRefresh

client = Client("/api", auth=SilentRefresh())
response = await client.get("profile")
"""

import sys

if sys.implementation.name != "cpython":
    raise ImportError('silent_refresh needs Pyodide, which is CPython: write <script type="py">, not "mpy"')

from .adapters import HttpxAuth, RequestsAuth, install, serve_workers
from .auth import SilentRefresh
from .client import Client
from .errors import (
    AuthorizationError,
    HTTPStatusError,
    LoginLoop,
    NetworkError,
    NotJSON,
    NotSignedIn,
    ProofRefused,
    RefreshError,
    RefreshMisconfigured,
    RefreshRejected,
    RefreshUnavailable,
    RequestTimeout,
    SessionChanged,
    SilentRefreshError,
    StepUpRequired,
)
from .events import Event
from .http.messages import Headers, Request, Response
from .platform.ports import Platform, SessionStore
from .protocol.endpoint import RefreshEndpoint
from .session.tokens import Tokens
from .stores import LocalStorage, MemoryStorage, SessionStorage

__version__ = "0.1.0"

__all__ = [
    "AuthorizationError",
    "Client",
    "Event",
    "HTTPStatusError",
    "Headers",
    "HttpxAuth",
    "LocalStorage",
    "LoginLoop",
    "MemoryStorage",
    "NetworkError",
    "NotJSON",
    "NotSignedIn",
    "Platform",
    "ProofRefused",
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
    "StepUpRequired",
    "Tokens",
    "install",
    "serve_workers",
]
