"""The options of ``RefreshEndpoint``, as its presets take them too, and how a call is filled in.

A value may be a function that is called at each use: a CSRF cookie's value changes with each renewal, an API
key with the day. Dots lead into nested objects, ``"AuthParameters.REFRESH_TOKEN"`` say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias, TypedDict

from ..events import is_async

Value: TypeAlias = "str | Callable[[], str]"


class EndpointOptions(TypedDict, total=False):
    """Every option of ``RefreshEndpoint``, for a preset: what is given counts, not the preset."""

    method: str
    encoding: str
    refresh_field: str | None
    access_field: str | None
    fields: Mapping[str, Any]
    headers: Mapping[str, Value]
    bearer: bool
    refresh_header: str | None
    next_token: str | None
    access_path: str | None
    refresh_path: str
    expires_path: str
    expires_unit: str
    expires_in: float | None
    error_path: str
    token_types: Collection[str]
    rejected: Collection[int] | None
    rejected_errors: Collection[str | int]
    credentials: str
    header: str | None
    scheme: str | None
    dpop: bool
    revoke: Any
    revoke_method: str
    revoke_signed: bool | None


def combined(preset: Mapping[str, Any], options: EndpointOptions) -> dict[str, Any]:
    """Return a preset's options with the user's: fields, headers and error codes are added to its own."""
    both = {**preset, **options}
    for name in ("fields", "headers"):
        both[name] = {**preset.get(name, {}), **options.get(name, {})}  # type: ignore[dict-item]
    both["rejected_errors"] = {*preset.get("rejected_errors", ()), *options.get("rejected_errors", ())}
    return both


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
