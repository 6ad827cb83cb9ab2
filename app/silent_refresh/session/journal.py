"""The journal's entry as text: what a commit holds of a session.

    {"version": 1, "generation": 3, "session": "9f2c…", "ended": false, "in_store": true, "record": "{…}" |
    null}

``record`` is the session's record, as the store keeps it: so the journal is as secret as the store is.
"""

from __future__ import annotations

import json

from ..http.json import number_from, parse_json
from ..platform.values import JournalEntry, Mark
from .tokens import LARGEST_GENERATION

VERSION = 1


def to_text(entry: JournalEntry) -> str:
    """Write an entry."""
    return json.dumps(
        {
            "version": VERSION,
            "generation": entry.generation,
            "session": entry.session,
            "ended": entry.ended,
            "at": entry.at,
            "in_store": entry.in_store,
            "record": entry.record,
        }
    )


def from_text(text: object) -> JournalEntry | None:
    """Read an entry; ``None`` for what is none, whoever wrote it."""
    fields = _parsed(text)
    if not isinstance(fields, dict):
        return None
    mark = _checked(fields.get("generation"), fields.get("session"), fields.get("ended"))
    record, in_store = fields.get("record"), fields.get("in_store", True)
    if mark is None or not isinstance(record, str | None) or type(in_store) is not bool:
        return None
    at = fields.get("at")
    return JournalEntry(*mark, record=record, in_store=in_store, at=number_from(at) or 0.0)


def mark_from(text: object) -> Mark | None:
    """Read ``[generation, session, ended]``, which tabs tell each other; ``None`` for anything else."""
    fields = _parsed(text)
    return _checked(*fields) if isinstance(fields, list) and len(fields) == 3 else None


def _parsed(text: object) -> object:
    try:
        return parse_json(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _checked(generation: object, session: object, ended: object) -> Mark | None:
    if type(generation) is not int or not 0 <= generation <= LARGEST_GENERATION:
        return None
    if not isinstance(session, str) or type(ended) is not bool:
        return None
    return Mark(generation, session, ended)


def newest(entry: JournalEntry | None, mark: Mark | None) -> JournalEntry | None:
    """Return the entry, or what a version without a journal has marked after it about the same session."""
    if mark is None or (entry is not None and mark.session != entry.session):
        return entry
    if entry is not None and (mark.generation, mark.ended) <= (entry.generation, entry.ended):
        return entry
    return JournalEntry(*mark, is_legacy=True)
