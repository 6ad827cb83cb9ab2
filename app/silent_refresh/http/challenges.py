"""Reads ``WWW-Authenticate``: which schemes a 401 asks for, and with what parameters.

    >>> parse_challenges('Bearer realm="api", error="invalid_token", DPoP algs="ES256"')
    [Challenge(scheme='bearer', params={'realm': 'api', 'error': 'invalid_token'}),
     Challenge(scheme='dpop', params={'algs': 'ES256'})]

Any server may have written the field, so it is read in one pass, character by character, which looks back at
nothing but the last word.

RFC 9110 §11.6.1 (several challenges may share one field), RFC 6750 §3.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import StepUpRequired
from .fields import lexemes
from .messages import Response, without_query

STEP_UP = "insufficient_user_authentication"
# Errors that a new token wouldn't mend; the last two say that of a proof (RFC 9449 §7.1, §9).
NOT_THE_TOKEN = ("insufficient_scope", STEP_UP, "use_dpop_nonce", "invalid_dpop_proof")
SCHEMES = ("bearer", "dpop")  # those of RFC 6750 and RFC 9449
_ACR_VALUES = re.compile(r"[\x20-\x7e]{1,500}")
_SECONDS = re.compile(r"[0-9]{1,9}")


class Challenge(NamedTuple):
    """One way in that the server offers; names are in lower case."""

    scheme: str
    params: dict[str, str]


def parse_challenges(field: str) -> list[Challenge]:
    """Return the challenges of a ``WWW-Authenticate`` value, as far as it can be read."""
    found: list[Challenge] = []
    word = ""  # the last one: a scheme, the name of a parameter, or a token68
    follows_scheme = False  # whether nothing but space is between the last scheme and the word
    has_value = False  # whether "=" came after it
    for kind, text in lexemes(field):
        if has_value and kind in ("word", "quoted"):
            if found:
                found[-1].params.setdefault(word.lower(), text)
            word, has_value = "", False
        elif kind == "word":
            follows_scheme = _is_scheme(word) and not follows_scheme
            if follows_scheme:
                found.append(Challenge(word.lower(), {}))
            word = text
        elif kind == "=" and word:
            has_value = not has_value  # a second one belongs to a token68
            word = word if has_value else ""
        else:
            if kind == "," and not (follows_scheme or has_value) and _is_scheme(word):
                found.append(Challenge(word.lower(), {}))
            word, follows_scheme, has_value = "", False, False
    return found


def _is_scheme(word: str) -> bool:
    return bool(word) and "/" not in word


def token_error(field: str) -> str | None:
    """Return the ``error`` of the Bearer or DPoP challenge, such as ``"insufficient_scope"``, or ``None``."""
    for challenge in parse_challenges(field):
        if challenge.scheme in SCHEMES and "error" in challenge.params:
            return challenge.params["error"]
    return None


def refuses_token(response: Response) -> bool:
    """Tell whether a response refuses the access token: a 401 that a new one may help (RFC 6750 §3.1)."""
    if response.status != 401:
        return False
    field = response.headers.get("www-authenticate") or ""
    # Looked for first: these are rare, and to read the field costs as much as the rest of a request.
    return not any(error in field for error in NOT_THE_TOKEN) or token_error(field) not in NOT_THE_TOKEN


def raise_step_up(response: Response) -> None:
    """Raise ``StepUpRequired`` when a response says that another sign-in is needed (RFC 9470 §3)."""
    field = response.headers.get("www-authenticate") or "" if response.status == 401 else ""
    if STEP_UP not in field:
        return
    for challenge in parse_challenges(field):
        if challenge.scheme in SCHEMES and challenge.params.get("error") == STEP_UP:
            acr_values, max_age = challenge.params.get("acr_values"), challenge.params.get("max_age", "")
            raise StepUpRequired(
                f"{response.request.method} {without_query(response.request.url)} wants a stronger or more "
                "recent sign-in: await auth.authorize(**error.parameters)",
                response=response,
                acr_values=acr_values if acr_values and _ACR_VALUES.fullmatch(acr_values) else None,
                max_age=int(max_age) if _SECONDS.fullmatch(max_age) else None,
            )
