"""Makes the body of a request out of what a client's caller gave: one, which nobody else can change."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from .form import encoded


class Unset:
    """What stands where nothing was given, and ``None`` means something."""

    def __repr__(self) -> str:
        return "the client's own"


UNSET: Final = Unset()


class Bodies(Protocol):
    """What a platform knows of bodies: see ``Platform``."""

    @property
    def settled(self) -> Callable[[Any], Any]: ...
    @property
    def joined(self) -> Callable[[list[Any]], Any]: ...


def body_of(json: Any, data: Any, content: Any, files: Any, platform: Bodies) -> tuple[Any, str | None]:
    """Return the body, and the content type that goes with it; ``None`` for one that the browser writes.

    Raises ``TypeError`` for two bodies, and for what is none.
    """
    given = [] if isinstance(json, Unset) else ["json"]
    given += [name for name, value in (("data", data), ("content", content)) if value is not None]
    if len(given) > 1 or (files and given not in ([], ["data"])):
        raise TypeError(f"a request has one body, not {' and '.join([*given, *['files'] * bool(files)])}")
    if files:
        from .multipart import multipart  # not every page needs it

        if not (data is None or isinstance(data, Mapping)):
            raise TypeError("files go with data that is a dict: a FormData holds its files itself")
        pieces, kind = multipart(data, files)
        return platform.joined(pieces), kind
    if not isinstance(json, Unset):
        return json_module.dumps(json, separators=(",", ":"), allow_nan=False), "application/json"
    if isinstance(data, Mapping):
        return encoded(data), "application/x-www-form-urlencoded"
    if data is not None:
        return platform.settled(data), None  # a FormData: the browser writes its boundary
    if isinstance(content, bytearray | memoryview):
        content = bytes(content)
    if content is not None and (hasattr(content, "__anext__") or hasattr(content, "__next__")):
        raise TypeError(
            "content can't be an iterator: it could not be sent again after a renewal. Pass bytes."
        )
    return platform.settled(content), None
