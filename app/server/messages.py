"""JSON in and out: bodies read within a limit and checked, and answers that no cache keeps.

Every refusal has one shape, OAuth's (RFC 6749 §5.2): ``{"error": str, "error_description": str}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

JSON_LIMIT = 64 * 1024  # bytes
CHALLENGE = 'Bearer realm="silent-refresh"'
DPOP_CHALLENGE = 'DPoP realm="silent-refresh", algs="ES256"'


class Refused(Exception):
    """A request is refused with this status and error code; the exception becomes the answer."""

    def __init__(
        self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.headers = headers or {}


def answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return `content` as JSON, marked so that no cache stores it (RFC 6749 §5.1)."""
    return JSONResponse(content, status, {"Cache-Control": "no-store", **(headers or {})})


def refusal(refused: Refused) -> JSONResponse:
    """Turn an exception into its answer."""
    body = {"error": refused.error, "error_description": refused.description}
    return answer(body, refused.status, refused.headers)


def invalid_request(description: str) -> Refused:
    """Make the refusal of a request that is put wrongly."""
    return Refused(400, "invalid_request", description)


async def read_body(request: Request, limit: int) -> bytes:
    """Read at most `limit` bytes. Raises Refused (413) beyond that, without waiting for the rest."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Refused(413, "content_too_large", f"The body may have at most {limit} bytes")
    return bytes(body)


async def read_object(request: Request) -> dict[str, Any]:
    """Read a JSON object. Raises Refused: 415 for another content type, 413, or 400."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "invalid_request", "Send JSON, with Content-Type: application/json")
    body = await read_body(request, JSON_LIMIT)
    try:
        content = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise invalid_request("The body is not JSON") from error
    if not isinstance(content, dict):
        raise invalid_request("The body must be a JSON object")
    return content


def text_field(content: Mapping[str, Any], name: str) -> str:
    """Return a text that isn't empty. Raises Refused (400) for anything else, lone surrogates included."""
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise invalid_request(f'The field "{name}" must be a text that is not empty')
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid_request(f'The field "{name}" is not valid Unicode') from error
    return value


def number_field(content: Mapping[str, Any], name: str, most: float, default: float | None = None) -> float:
    """Return a number from 0 to `most`. Raises Refused (400) for anything else, or if it is missing."""
    value = content.get(name, default)
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise invalid_request(f'The field "{name}" must be a number from 0 to {most}')
    return float(value)


def seconds(value: float) -> float:
    """Round a duration to milliseconds, and to an int when it is whole: ``1800``, not ``1800.0``."""
    rounded = round(float(value), 3)  # an int has no is_integer before Python 3.12
    return int(rounded) if rounded.is_integer() else rounded
