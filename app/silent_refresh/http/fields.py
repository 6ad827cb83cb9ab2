"""What header fields are made of: the words and signs of ``WWW-Authenticate`` and ``Link``.

One pass, character by character, which looks back at nothing but the last word: any server may have written
the field. RFC 9110 §5.6.
"""

from __future__ import annotations

import string
from collections.abc import Iterator

_TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
_WORD = _TOKEN | {"/"}  # of a token68 as well


def lexemes(field: str) -> Iterator[tuple[str, str]]:
    """Yield words, quoted strings and single characters, without the space between; in the end a comma."""
    word: list[str] = []
    quoted: list[str] | None = None
    is_escaped = False
    for character in field:
        if quoted is not None:
            if is_escaped or character not in '\\"':
                quoted.append(character)
                is_escaped = False
            elif character == "\\":
                is_escaped = True
            else:
                yield "quoted", "".join(quoted)
                quoted = None
            continue
        if character in _WORD:
            word.append(character)
            continue
        if word:
            yield "word", "".join(word)
            word = []
        if character == '"':
            quoted = []
        elif character not in " \t":
            yield character, character
    if word:
        yield "word", "".join(word)
    yield ",", ","
