"""Reads ``Link``: where else to go from an answer, to the next page say.

    >>> parse_links('</api/items?page=2>; rel="next", </api/items?page=9>; rel="last"')
    {'next': '/api/items?page=2', 'last': '/api/items?page=9'}

RFC 8288 §3. Whatever the field holds, it is read in one pass.
"""

from __future__ import annotations

from .fields import lexemes


def parse_links(field: str) -> dict[str, str]:
    """Return the first target of each relation, as far as the field can be read."""
    found: dict[str, str] = {}
    for piece in field.split("<")[1:]:
        target, _, parameters = piece.partition(">")
        words = list(lexemes(parameters))
        for (_, name), (sign, _), (_, value) in zip(words, words[1:], words[2:], strict=False):
            if name.lower() == "rel" and sign == "=":
                for relation in value.lower().split():
                    found.setdefault(relation, target)
                break  # the first counts (§3.3)
    return found
