"""The options of ``RefreshEndpoint`` as its presets take them: what is given counts, not the preset."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypedDict

from .options import Value


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
