"""What the answer to a refresh call means: the rules of ``RefreshEndpoint``, applied.

In this order: the error codes that mean a dead token; the statuses that the user named, unless somebody in
front of the server speaks; the words of known servers; statuses that pass by; who stands in front; the
preset's statuses.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from ..http.json import field_at, number_from, parse_json
from ..http.messages import Headers, Response
from ..session.tokens import Tokens
from .presets import REJECTED_ERRORS
from .result import Misconfigured, RefreshResult, Rejected, Rotated, Unavailable
from .words import hint_at, result_of_gatekeeper, result_of_status, result_of_words

log = logging.getLogger("silent_refresh")

DPOP = "dpop"  # the token_type of a token that is bound to a key; it has no capitals that count
IN_HEADER = "header:"  # a path that begins like this is the name of a header field
MILLISECONDS = 1e11  # a date that is larger is in ms: in s it would be the year 5138


class AnswerRules(Protocol):
    """What ``RefreshEndpoint`` says about answers; its options of these names."""

    access_path: str | None
    refresh_path: str
    expires_path: str
    expires_unit: str
    expires_in: float | None
    error_path: str
    next_token: str | None
    token_types: frozenset[str]
    dpop: bool
    rejected: frozenset[int]
    rejected_by_user: bool
    rejected_errors: frozenset[str]
    credentials: str

    @property
    def needs_refresh_token(self) -> bool: ...
    @property
    def is_complete(self) -> bool: ...


async def read_answer(
    endpoint: AnswerRules, response: Response, *, now: float, is_proven: bool
) -> RefreshResult:
    """Decide what an answer means: see ``RefreshEndpoint.read``."""
    if response.status == 0 or 300 <= response.status < 400:
        return Unavailable(
            "it answered with a redirect, which is not followed because the body holds the refresh "
            "token: a captive portal, or a URL that isn't the final one (a missing trailing slash?)"
        )
    text = await response.text()
    try:
        answer = parse_json(text)
    except ValueError:
        answer = None
        may_be_empty = is_in_headers(endpoint) or may_be_in_cookies(endpoint, None)
        if response.ok and not (may_be_empty and not text.strip()):
            return Unavailable(f"it answered {response.status} without JSON: a captive portal or a proxy?")
    return _judge(endpoint, response, text, answer, now, is_proven)


def may_be_in_cookies(endpoint: AnswerRules, answer: Any) -> bool:
    """Tell whether an answer without an access token is one where that is in a cookie, beside the other."""
    if endpoint.access_path is None:
        return True
    if endpoint.credentials == "omit" or endpoint.needs_refresh_token:
        return False
    names = " ".join(answer).lower() if isinstance(answer, dict) else ""
    is_object = answer is None or isinstance(answer, dict)
    return is_object and not any(word in names for word in ("access", "token", "jwt", "data", "result"))


def is_in_headers(endpoint: AnswerRules) -> bool:
    """Tell whether the access token comes in a header field, where the body may be anything."""
    return endpoint.access_path is not None and endpoint.access_path.startswith(IN_HEADER)


def _judge(
    endpoint: AnswerRules, response: Response, text: str, answer: Any, now: float, is_proven: bool
) -> RefreshResult:
    status = response.status
    error = _code_at(answer, endpoint.error_path) or _code_at(answer, "error")
    if error is not None and (error in endpoint.rejected_errors or error in REJECTED_ERRORS):
        return Rejected(error)
    gatekeeper = result_of_gatekeeper(response, text)
    if endpoint.rejected_by_user and gatekeeper is None and status in endpoint.rejected:
        return Rejected(error or f"status {status}")
    known = (
        result_of_words(response, answer, error, now, is_proven, endpoint.is_complete)
        or result_of_status(response, now)
        or gatekeeper
    )
    if known is not None:
        return known
    if status in endpoint.rejected:
        return Rejected(f"status {status}")
    if not response.ok:
        told = f"it answered {status}: {hint_at(status)}"
        if is_proven:
            told = (
                f"it answered {status}, though it has renewed this session before: if that is its word for a "
            )
            told += (
                f"dead refresh token, pass rejected={{{status}}} to RefreshEndpoint; else {hint_at(status)}"
            )
        return Misconfigured(told)
    if _is_error(field_at(answer, endpoint.error_path)) or _is_error(field_at(answer, "error")):
        return Misconfigured(f"it answered {status} with an error in its body that isn't known here")
    if endpoint.next_token is not None and not (response.headers.get(endpoint.next_token) or "").strip():
        return Unavailable(
            f"it answered {status} without a next token: the one that there is is good", again=False
        )
    try:
        return Rotated(read_tokens(endpoint, answer, response.headers, now))
    except ValueError as wrong:
        told = f"it answered {status}, but {wrong}"
        return Misconfigured(told, _usable(_at(answer, response.headers, endpoint.refresh_path)))


def _code_at(answer: Any, path: str) -> str | None:
    """Return the error code that an answer has at ``path``; numbers are codes as well."""
    code = field_at(answer, path)
    return str(code) if code and isinstance(code, str | int) and not isinstance(code, bool) else None


def _is_error(code: object) -> bool:
    """Tell whether it is one beside a 2xx; a number may be any application's word for "good"."""
    return bool(code) and not isinstance(code, int | float)


def _at(answer: Any, headers: Headers, path: str) -> Any:
    if path.startswith(IN_HEADER):
        return headers.get(path.removeprefix(IN_HEADER).strip()) or None
    return field_at(answer, path)


def _usable(refresh_token: object) -> str | None:
    """Return a refresh token that can be kept; an empty text is none."""
    if refresh_token is None or refresh_token == "":
        return None
    try:
        Tokens("x", refresh_token)  # type: ignore[arg-type]  # checked there
    except ValueError as wrong:
        log.warning("silent-refresh: the new refresh token can't be used (%s); the old one is kept", wrong)
        return None
    return str(refresh_token)


def read_tokens(endpoint: AnswerRules, answer: Any, headers: Headers, now: float | None = None) -> Tokens:
    """Take the tokens out of an answer. Raises ``ValueError`` that says what is missing."""
    access_token = _at(answer, headers, endpoint.access_path) if endpoint.access_path is not None else None
    if access_token is None and may_be_in_cookies(endpoint, answer):
        return Tokens.in_cookies()
    if access_token is None:
        raise ValueError(f"without {endpoint.access_path!r} (see access_path of RefreshEndpoint)")
    _check_type(endpoint, answer)
    refresh_token = _usable(_at(answer, headers, endpoint.refresh_path))
    expires = _life(_at(answer, headers, endpoint.expires_path), endpoint.expires_unit, now)
    return Tokens(access_token, refresh_token, expires_in=endpoint.expires_in if expires is None else expires)


def _check_type(endpoint: AnswerRules, answer: Any) -> None:
    """Raise ``ValueError`` for tokens that can't be used, or that are bound to no key (RFC 9449 §5)."""
    kinds = {name: field_at(answer, name) for name in ("token_type", "tokenType")}
    given = {name: kind for name, kind in kinds.items() if isinstance(kind, str)}
    if endpoint.dpop:
        if {DPOP} == {kind.lower() for kind in given.values()}:
            return
        told = " and ".join(f"{name} {kind[:20]!r}" for name, kind in given.items())
        raise ValueError(
            f'{"with " + told if told else "without token_type"}, in answer to a proof, where "DPoP" would '
            "say that it bound the tokens to the key (RFC 9449 §5): let the server support DPoP, or pass "
            "dpop=False for tokens that anybody can use who has them"
        )
    for name, kind in given.items():
        if kind.lower() in endpoint.token_types:
            continue
        remedy = f"If the API takes these as bearers, pass token_types={{{kind[:20]!r}}} to RefreshEndpoint"
        if kind.lower() == DPOP:
            remedy = "Pass dpop=True to RefreshEndpoint for tokens that are bound to a key (RFC 9449)"
        raise ValueError(f"with {name} {kind[:20]!r}: only Bearer tokens can be used (RFC 6750). {remedy}")


def _life(expires: Any, unit: str, now: float | None) -> Any:
    """Return the access token's life in seconds, by the unit of the answer; ``None`` for unknown."""
    number = number_from(expires)
    if unit == "ms":
        return None if number is None else number / 1000
    if unit != "date":
        return expires
    if now is None:
        import time

        now = time.time()
    if number is None and isinstance(expires, str):
        number = _time_of(expires)
    if number is None:
        return None
    return (number / 1000 if number > MILLISECONDS else number) - now


def _time_of(date: str) -> float | None:
    """Read a date of ISO 8601, in seconds since the epoch; without an offset it's UTC's."""
    from datetime import UTC, datetime  # costly to load in a browser

    try:
        time = datetime.fromisoformat(date)
        return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
