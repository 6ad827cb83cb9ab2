"""Keeps a web page signed in: renews the access token once, replays what waited, and nobody notices.

from silent_refresh import Client, SilentRefresh

client = Client("/api", auth=SilentRefresh())
response = await client.get("profile")
"""

import sys
from typing import TYPE_CHECKING

if sys.implementation.name != "cpython":
    raise ImportError('silent_refresh needs Pyodide, which is CPython: write <script type="py">, not "mpy"')

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
from .platform.platform import Platform
from .protocol.endpoint import RefreshEndpoint
from .session.tokens import Tokens

if TYPE_CHECKING:
    from .adapters import HttpxAuth, RequestsAuth, install, serve_workers
    from .platform.ports import SessionStore
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

# What not every page uses, and where it is: loaded when somebody asks for it.
_LATER = {
    "HttpxAuth": "adapters",
    "LocalStorage": "stores",
    "MemoryStorage": "stores",
    "RequestsAuth": "adapters",
    "SessionStorage": "stores",
    "SessionStore": "platform.ports",
    "install": "adapters",
    "serve_workers": "adapters",
}

if not TYPE_CHECKING:  # a type checker would take any name for one of these

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f".{_LATER[name]}", __name__), name)
        return value

    def __dir__():
        return sorted({*globals(), *_LATER})
