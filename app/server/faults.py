"""Faults, ordered ahead of time: late answers, wrong answers, no answer."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.server.messages import invalid_request, number_field

MAX_DELAY = 300  # seconds
MAX_TIMES = 1000
FIELDS = {"delay", "status", "body", "headers", "drop", "times", "after"}
FRAMING = {"connection", "content-length", "transfer-encoding", "upgrade"}  # these would break HTTP itself
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
HEADER_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff\t]*")


@dataclass(frozen=True)
class Fault:
    """What happens to a request.

    It waits `delay` seconds; then the connection breaks (`drop`), or an answer with `status`, `body` and
    `headers` is sent, or, when `status` is None, the true answer. With `after`, what was asked for is done
    before all this, so that its answer is lost or late; otherwise it is done last, or not at all.
    """

    delay: float = 0
    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    after: bool = False


class Faults:
    """The faults to come, first ordered, first served."""

    def __init__(self) -> None:
        self._pending: deque[Fault] = deque()

    def order(self, content: Mapping[str, Any]) -> None:
        """Add what a ``POST`` to the lab asks for, ``times`` times. Raises Refused (400)."""
        fault, times = read_fault(content)
        self._pending.extend([fault] * times)

    def take(self) -> Fault | None:
        """Return the next fault and forget it."""
        return self._pending.popleft() if self._pending else None

    def clear(self) -> None:
        """Forget all faults to come."""
        self._pending.clear()


def read_fault(content: Mapping[str, Any]) -> tuple[Fault, int]:
    """Read a fault and how many times it is wanted. Raises Refused (400) for anything unclear."""
    if set(content) - FIELDS:
        raise invalid_request(f"Unknown field; known are {', '.join(sorted(FIELDS))}")
    delay = number_field(content, "delay", MAX_DELAY, 0)
    times = content.get("times", 1)
    if type(times) is not int or not 1 <= times <= MAX_TIMES:
        raise invalid_request(f'"times" must be a whole number from 1 to {MAX_TIMES}')
    status = content.get("status")
    if status is not None and (type(status) is not int or not 200 <= status <= 599):
        raise invalid_request('"status" must be a whole number from 200 to 599')
    body = content.get("body", "")
    if not isinstance(body, str) or not _is_unicode(body):
        raise invalid_request('"body" must be a text')
    if status is None and ("body" in content or "headers" in content):
        status = 200
    fault = Fault(
        delay,
        status,
        body,
        _headers(content.get("headers", {})),
        _flag(content, "drop"),
        _flag(content, "after"),
    )
    return fault, times


def _headers(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise invalid_request('"headers" must be an object')
    for name, text in value.items():
        if not HEADER_NAME.fullmatch(name) or name.lower() in FRAMING:
            raise invalid_request('"headers" has a name that is not allowed')
        if not isinstance(text, str) or not HEADER_VALUE.fullmatch(text) or text != text.strip():
            raise invalid_request('"headers" has a value that is not allowed')
    return value


def _flag(content: Mapping[str, Any], name: str) -> bool:
    value = content.get(name, False)
    if not isinstance(value, bool):
        raise invalid_request(f'"{name}" must be true or false')
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
