"""Reads JSON that anybody may have written: a record in the store, a message of another page, an answer.

Whatever it is given, it takes steps in proportion to the length, and returns or raises ``ValueError``; so no
other module parses. ``json.loads`` by itself ends Pyodide's Python for good, and no ``except`` sees it, when
it meets some four thousand levels of nesting: JavaScript's stack is full before Python's own limit is
reached. A text of that kind in localStorage would end the page at each start.

RFC 8259 §9: a parser may set limits to the depth, and to the range of numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import accumulate
from typing import Any, TypeGuard

DEEPEST = 500
LARGEST = 2.0**53  # what every language's JSON can hold; more is a mistake or a lie (RFC 8259 §6)
LONGEST_NUMBER = 40  # characters
_STEPS = [0] * 256
for _bracket, _step in zip(b"[{]}", (1, 1, -1, -1), strict=True):
    _STEPS[_bracket] = _step
_NO_BRACKETS = bytes(byte for byte, step in enumerate(_STEPS) if not step)
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def parse_json(text: str | bytes) -> Any:
    """Return what a text says. Raises ``ValueError`` when it isn't JSON, or nested more than 500 deep."""
    if isinstance(text, bytes):
        text = text.decode()
    if len(text) > DEEPEST and text.count("[") + text.count("{") > DEEPEST and _is_deep(text):
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    try:  # as json.loads does, less its two searches for white space, which cost as much again
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (ValueError, StopIteration):
        pass  # it is none, or has white space before it
    return json.loads(text)


def _is_deep(text: str) -> bool:
    """Tell whether brackets outside of strings are nested too deep; each line is one pass over the text."""
    unescaped = text.replace("\\\\", "").replace('\\"', "")
    outside = "".join(unescaped.split('"')[::2])
    brackets = outside.encode(errors="replace").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > DEEPEST


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether it is a number to calculate with: not NaN, nor infinite, nor of four hundred digits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def number_from(value: object) -> float | None:
    """Return a number, or the one that a string holds; ``None`` for what isn't one."""
    if isinstance(value, str):
        try:
            value = float(value) if len(value) <= LONGEST_NUMBER else None
        except ValueError:
            return None
    return value if is_number(value) else None


def field_at(answer: Any, path: str) -> Any:
    """Return what a JSON answer has at ``path``; ``None`` for nothing.

    Dots lead into nested objects, and numbers into lists: ``"errors.0.code"``.
    """
    for name in path.split("."):
        if isinstance(answer, list):
            index = int(name) if name.isascii() and name.isdigit() and len(name) < 5 else len(answer)
            answer = answer[index] if index < len(answer) else None
        else:
            answer = answer.get(name) if isinstance(answer, dict) else None
    return answer
