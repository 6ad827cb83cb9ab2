"""What an error reporter writes down of an error: the local variables of each frame that it passed."""

from __future__ import annotations

import traceback


def locals_of(error: BaseException) -> str:
    """Return those of the library's frames, causes included."""
    found = ""
    one: BaseException | None = error
    while one is not None:
        frames = [frame for frame, _ in traceback.walk_tb(one.__traceback__)]
        found += "".join(repr(f.f_locals) for f in frames if "/silent_refresh/" in f.f_code.co_filename)
        one = one.__cause__
    return found
