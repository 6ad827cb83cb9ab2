"""Writes fields as a query and a form have them.

https://url.spec.whatwg.org/#application/x-www-form-urlencoded
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias

Fields: TypeAlias = "Mapping[str, Any] | Iterable[tuple[str, Any]]"


def encoded(fields: Fields) -> str:
    """Return the text: ``None`` isn't sent, a list is several.

    Raises ``ValueError`` for what is no number.
    """
    from urllib.parse import urlencode  # costly to load in a browser, and not every page needs it

    return urlencode(list(pairs(fields)))


def pairs(fields: Fields) -> Iterator[tuple[str, Any]]:
    """Yield what is sent, each by its name: ``None`` isn't, a list is several. Raises ``ValueError``."""
    for name, given in fields.items() if isinstance(fields, Mapping) else fields:
        is_one = isinstance(given, str | bytes) or not isinstance(given, Iterable)
        for value in (given,) if is_one else given:
            if isinstance(value, bool):
                yield name, str(value).lower()
            elif isinstance(value, float) and not isfinite(value):
                raise ValueError(f"{name}={value} can't be sent: it is no number")
            elif value is not None:
                yield name, value
