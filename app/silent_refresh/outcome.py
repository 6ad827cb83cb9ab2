"""What a refresh call comes to, and what servers mean by the words in which they refuse one.

RFC 6749 §5.2 has a list of error codes; frameworks have their own words, learnt from the real servers.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from .messages import Response
from .session import Tokens

# "conflict": Supabase is busy with this very session, in another tab say.
UNAVAILABLE_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down", "conflict"})
MISCONFIGURED_ERRORS = {
    "invalid_client": "check client_id",
    "unauthorized_client": "let this client use refresh tokens at the server",
    "unsupported_grant_type": "choose the preset of RefreshEndpoint that fits the server",
    "invalid_request": "check the encoding and the field names of RefreshEndpoint",
    "invalid_scope": "ask for no other scope than at sign-in",
}
# What servers say when they saw no refresh token at all; the status is that for a dead one.
MISCONFIGURED_MESSAGES = {
    "Missing Authorization Header": "it wants the token where RefreshEndpoint.flask_jwt_extended sends it",
    "Only non-refresh tokens are allowed": "check the URL, this one takes access tokens",
    "Authentication credentials were not provided.": "check the URL, this one takes access tokens",
    "No API key found in request": "it wants an apikey, as RefreshEndpoint.supabase sends it",
    "Invalid API key": "check the apikey",
}
MESSAGE_FIELDS = ("msg", "detail", "message")
STATUS_HINTS = {
    400: "choose the preset that fits the server, or check the encoding and the field names",
    401: "check what this client has to identify itself with",
    403: "check the CSRF header, and that the server lets this origin in",
    404: "check the URL",
    405: "check the URL and the method",
    415: "check the encoding of RefreshEndpoint (json or form)",
}


class Rotated(NamedTuple):
    """New tokens."""

    tokens: Tokens


class Rejected(NamedTuple):
    """The refresh token is dead."""

    reason: str


class Unavailable(NamedTuple):
    """No usable answer for now; ``retry_after`` in seconds, if the server said so."""

    detail: str
    retry_after: float | None = None
    cause: BaseException | None = None


class Misconfigured(NamedTuple):
    """What doesn't fit, and what to change."""

    detail: str


Outcome: TypeAlias = Rotated | Rejected | Unavailable | Misconfigured


def outcome_of_words(response: Response, answer: Any, error: object, now: float) -> Outcome | None:
    """Read the error code, or the message, that came with an answer; ``None`` when it isn't known."""
    status = response.status
    if isinstance(error, str) and error in MISCONFIGURED_ERRORS:
        return Misconfigured(f"it answered {status} {error}: {MISCONFIGURED_ERRORS[error]}")
    if isinstance(error, str) and error in UNAVAILABLE_ERRORS:
        return Unavailable(f"it answered {status} {error}", _retry_after(response, now))
    for message in (field_at(answer, field) for field in MESSAGE_FIELDS):
        if isinstance(message, str) and message in MISCONFIGURED_MESSAGES and not response.ok:
            return Misconfigured(f"it answered {status}, {message!r}: {MISCONFIGURED_MESSAGES[message]}")
    return None


def outcome_of_status(response: Response, now: float) -> Outcome | None:
    """Read a status that says that it may work later; ``None`` for any other."""
    if response.status in (408, 425, 429) or response.status >= 500:
        return Unavailable(f"it answered {response.status}", _retry_after(response, now))
    return None


def hint_at(status: int) -> str:
    """Return what to check when a refresh call was answered with this status."""
    return STATUS_HINTS.get(status, "see what the server expects")


def field_at(answer: Any, path: str) -> Any:
    """Return what a JSON answer has at ``path``, with dots into nested objects; ``None`` for nothing."""
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _retry_after(response: Response, now: float) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110 §10.2.3)."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    if value.isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime  # costly to load in a browser, and rarely met

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None
