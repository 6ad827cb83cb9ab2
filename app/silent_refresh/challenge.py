"""Reads ``WWW-Authenticate``: which schemes a 401 asks for, and with what parameters.

    >>> parse_challenges('Bearer realm="api", error="invalid_token", DPoP algs="ES256"')
    [Challenge(scheme='bearer', params={'realm': 'api', 'error': 'invalid_token'}),
     Challenge(scheme='dpop', params={'algs': 'ES256'})]

RFC 9110 §11.6.1 (several challenges may share one field), RFC 6750 §3.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .messages import Response

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PIECE = re.compile(
    rf"""\s*(?:
        (?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>{_TOKEN}))(?=\s*(?:,|$))
      | (?P<scheme>{_TOKEN})(?:\ +(?P<token68>[A-Za-z0-9\-._~+/]+=*)(?=\s*(?:,|$)))?(?=\s|,|$)
    )\s*,?""",
    re.VERBOSE,
)


class Challenge(NamedTuple):
    """One way in that the server offers; names are in lower case."""

    scheme: str
    params: dict[str, str]


def parse_challenges(field: str) -> list[Challenge]:
    """Return the challenges of a ``WWW-Authenticate`` value, as far as it can be read."""
    found: list[Challenge] = []
    position = 0
    while position < len(field):
        piece = _PIECE.match(field, position)
        if piece is None or piece.end() == position:
            position += 1  # something that no grammar knows: go on behind it
        else:
            position = piece.end()
            if piece["scheme"]:
                found.append(Challenge(piece["scheme"].lower(), {}))
            elif found:
                quoted = piece["quoted"]
                value = piece["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                found[-1].params.setdefault(piece["name"].lower(), value)
    return found


def bearer_error(field: str) -> str | None:
    """Return the ``error`` of the Bearer challenge, such as ``"insufficient_scope"``, or ``None``."""
    for challenge in parse_challenges(field):
        if challenge.scheme == "bearer" and "error" in challenge.params:
            return challenge.params["error"]
    return None


def refuses_token(response: Response) -> bool:
    """Tell whether a response refuses the access token: a 401 that isn't about scope (RFC 6750 §3.1)."""
    if response.status != 401:
        return False
    return bearer_error(response.headers.get("www-authenticate") or "") != "insufficient_scope"
