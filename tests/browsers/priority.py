"""The priority of a browser's processes."""

from __future__ import annotations

import os


def with_priority(command: list[str]) -> list[str]:
    """Give a browser the priority that Chromium gives itself: else it starves on a busy machine."""
    return ["nice", "-n", "-8", *command] if os.geteuid() == 0 else command
