"""Counts the steps that Python takes over a text: a measure that no other program's work can change.

    with Steps() as steps:
        parse(Counted("a" * 1000))
    print(steps.taken)

A step is a line of Python that runs, in whichever module, or a character that a method of the text may look
at. What C does with a text by other means is not seen: patterns, say, for which ``test_foreign_text.py`` has
a rule, and the decoders of JSON and base64.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

LOOKING = [
    *(
        "count",
        "find",
        "index",
        "rfind",
        "split",
        "rsplit",
        "splitlines",
        "partition",
        "rpartition",
        "replace",
    ),
    *(
        "strip",
        "lstrip",
        "rstrip",
        "isascii",
        "isdigit",
        "isdecimal",
        "isalnum",
        "lower",
        "upper",
        "casefold",
    ),
    *("translate", "encode", "join", "__contains__", "__eq__"),
]


class Counted(str):
    """A text whose methods count the characters that they may look at, and return such texts."""

    looked_at = 0
    __hash__ = str.__hash__

    def __getitem__(self, key: Any) -> Any:
        found = str(self)[key]
        Counted.looked_at += len(found)
        return Counted(found)


def _counting(name: str) -> Callable[..., Any]:
    plain = getattr(str, name)

    def method(text: Counted, *arguments: Any, **options: Any) -> Any:
        Counted.looked_at += len(text)
        return _counted(plain(text, *arguments, **options))

    return method


def _counted(found: Any) -> Any:
    if isinstance(found, str):
        return Counted(found)
    if isinstance(found, list | tuple):
        return type(found)(map(_counted, found))
    return found


for name in LOOKING:
    setattr(Counted, name, _counting(name))


class Steps:
    """Counts what runs while it is entered, in ``taken``."""

    def __enter__(self) -> Steps:
        self.taken = 0
        self._looked_at = Counted.looked_at
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        self.taken += Counted.looked_at - self._looked_at

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_globals is globals():  # the counting itself
            return None
        self.taken += event == "line"
        return self._trace
