"""How a call to a token server is filled in.

A value may be a function that is called at each use: a CSRF cookie's value changes with each renewal, an API
key with the day. Dots lead into nested objects, ``"AuthParameters.REFRESH_TOKEN"`` say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..events import is_async

Value: TypeAlias = "str | Callable[[], str]"


def checked(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return a copy. Raises ``TypeError`` for a function that would have to be awaited."""
    for name, value in values.items():
        if is_async(value):
            raise TypeError(f"{what}[{name!r}] can't be async: pass a plain function that returns the value")
    return dict(values)


def present(value: Any) -> Any:
    """Return what a value is now, those inside of it too."""
    if callable(value):
        return value()
    return {name: present(one) for name, one in value.items()} if isinstance(value, Mapping) else value


def put_at(fields: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy in which ``value`` is at ``path``, with dots into nested objects."""
    name, dot, rest = path.partition(".")
    inner = fields.get(name)
    return {**fields, name: put_at(inner if isinstance(inner, dict) else {}, rest, value) if dot else value}
