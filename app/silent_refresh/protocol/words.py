"""Reads a server's status and words: which of the four results they mean.

RFC 6749 §5.2 has a list of error codes; frameworks have their own words (``presets.py``).
"""

from __future__ import annotations

import logging
import re
from typing import Any

from ..http.challenges import parse_challenges
from ..http.json import field_at
from ..http.messages import Response
from .presets import (
    AMBIGUOUS_ERRORS,
    DEAD_WORDS,
    MISCONFIGURED_ERRORS,
    MISCONFIGURED_MESSAGES,
    MISTAKE_WORDS,
    UNAVAILABLE_ERRORS,
)
from .result import LONGEST_PAUSE, Misconfigured, RefreshResult, Rejected, Unavailable

log = logging.getLogger("silent_refresh")

LONGEST_BELIEVED = 3600.0  # s that a server may ask to wait
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What proxies, gateways and web servers ask for, before a request gets to the token server.
GATEKEEPERS = frozenset({"basic", "digest", "negotiate", "ntlm"})
MESSAGE_FIELDS = ("msg", "detail", "message")
DESCRIPTION_FIELDS = ("error_description", "hint", "message")
LONGEST_READ = 500  # characters of a description
STATUS_HINTS = {
    400: "choose the preset that fits the server, or check the encoding and the field names",
    401: "check what this client has to identify itself with",
    403: "check the CSRF header, and that the server lets this origin in",
    404: "check the URL",
    405: "check the URL and the method",
    415: "check the encoding of RefreshEndpoint (json or form)",
}


def result_of_words(
    response: Response, answer: Any, error: str | None, now: float, is_proven: bool, is_complete: bool
) -> RefreshResult | None:
    """Read the error code, or the message, that came with an answer; ``None`` when it isn't known.

    A code that some servers have for a dead token, too, is one where this client ``is_proven``, and where the
    server says so in words. Without words it is one where the call ``is_complete``, as RFC 6749 §6 wants it.
    """
    status = response.status
    if error in AMBIGUOUS_ERRORS:
        told = _description(answer)
        if is_proven or _is_of_a_dead_token(told):
            return Rejected(str(error))
        if is_complete and not told:
            log.error(MAY_BE_A_MISTAKE, status, error)
            return Rejected(str(error))
    if error in MISCONFIGURED_ERRORS:
        return Misconfigured(f"it answered {status} {error}: {MISCONFIGURED_ERRORS[error]}")
    if error in UNAVAILABLE_ERRORS:
        return Unavailable(f"it answered {status} {error}", _retry_after(response, now))
    for message in (field_at(answer, field) for field in MESSAGE_FIELDS):
        if isinstance(message, str) and message in MISCONFIGURED_MESSAGES and not response.ok:
            return Misconfigured(f"it answered {status}, {message!r}: {MISCONFIGURED_MESSAGES[message]}")
    return None


MAY_BE_A_MISTAKE = (
    "silent-refresh: the refresh endpoint answered %s %s, without a word, to a client that it has never "
    "renewed for. Some servers say so of a dead refresh token, so the session ended. If each session ends at "
    "its first renewal, check what else the server wants: a client secret, a field, another preset of "
    "RefreshEndpoint."
)


def _description(answer: Any) -> str:
    texts = (field_at(answer, field) for field in DESCRIPTION_FIELDS)
    return " ".join(text[:LONGEST_READ].lower() for text in texts if isinstance(text, str))


def _is_of_a_dead_token(told: str) -> bool:
    """Tell whether words are about a token that was read, and refused."""
    is_about_it = "token" in told and any(word in told for word in DEAD_WORDS)
    return is_about_it and not any(word in told for word in MISTAKE_WORDS)


def result_of_status(response: Response, now: float) -> RefreshResult | None:
    """Read a status that says that it may work later; ``None`` for any other."""
    if response.status in (408, 425, 429) or response.status >= 500:
        return Unavailable(f"it answered {response.status}", _retry_after(response, now))
    return None


def result_of_gatekeeper(response: Response, text: str) -> RefreshResult | None:
    """Tell when something in front of the token server said no, which is no word about the refresh token.

    That is a proxy or a gateway which wants credentials of its own, or a firewall with its page. A page with
    a 401 may be the server's own: there are frameworks that make one of each error.
    """
    status, schemes = response.status, set()
    if status in (401, 403):
        field = response.headers.get("www-authenticate") or ""
        schemes = {challenge.scheme for challenge in parse_challenges(field)}
    if status == 407 or (schemes and schemes <= GATEKEEPERS):
        wanted = " or ".join(sorted(schemes)) or "its own"
        by = f"and wants {wanted} credentials: a proxy or a gateway"
    elif status == 403 and text.lstrip().startswith("<"):
        by = "with a web page: a firewall or a proxy"
    else:
        return None
    told = f"it answered {status} {by} in front of the token server?"
    return Unavailable(f"{told} If it's that server itself, {hint_at(status)}")


def hint_at(status: int) -> str:
    """Return what to check when a refresh call was answered with this status."""
    return STATUS_HINTS.get(status, "see what the server expects")


def believed(seconds: object) -> float | None:
    """Bound a pause that a server asks for, or a page's own function.

    More than an hour is a mistake, a wrong clock, or malice: it counts as the longest pause of our own.
    """
    if not isinstance(seconds, int | float) or seconds != seconds:
        return None
    return max(0.0, seconds) if seconds <= LONGEST_BELIEVED else LONGEST_PAUSE


def _retry_after(response: Response, now: float) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110 §10.2.3).

    The date is one by the server's clock: so it's compared with the answer's ``Date`` where that can be read.
    """
    value = response.headers.get("retry-after") or ""
    if value.isascii() and value.isdigit():
        return believed(float(value))
    date, sent = _time_of(value), _time_of(response.headers.get("date") or "")
    return None if date is None else believed(date - (now if sent is None else sent))


def _time_of(date: str) -> float | None:
    """Read a date as HTTP writes it, in seconds since the epoch (RFC 9110 §5.6.7)."""
    found = re.fullmatch(r"\w\w\w, (\d\d) (\w\w\w) (\d\d\d\d) (\d\d):(\d\d):(\d\d) GMT", date, re.ASCII)
    if found is None:
        return None
    from datetime import UTC, datetime  # costly to load in a browser, and rarely met

    day, month, *rest = found.groups()
    year, hour, minute, second = map(int, rest)
    try:
        return datetime(year, MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # the 31st of February, say
        return None
