"""Reads JSON that anybody may have written: a record in the store, a message of another page, an answer.

``json.loads`` ends Pyodide's Python for good, and no ``except`` sees it, when it meets some four thousand
levels of nesting: JavaScript's stack is full before Python's own limit is reached. A text of that kind in
localStorage would end the page at each start.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 500
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def parse_json(text: str | bytes) -> Any:
    """Return what a text says. Raises ``ValueError`` when it isn't JSON, or nested more than 500 deep."""
    if isinstance(text, bytes):
        text = text.decode()
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(text):
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    return json.loads(text)


def _is_deep(text: str) -> bool:
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        bracket = found[0]
        if bracket in "[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif bracket in "]}":
            depth -= 1
    return False
