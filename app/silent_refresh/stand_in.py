"""Lets ``SilentRefresh()`` in a worker be what stands for the page's (``browser/worker.py``)."""

from __future__ import annotations

from typing import Any, Self

from .ports import this_browser


class HasStandIn:
    """Base of ``SilentRefresh``; a base, so that the options that are seen are those of ``__init__``."""

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Make one, or this platform's stand-in; who brings a platform or a store wants the thing itself."""
        stand_in = None if {"platform", "store"} & options.keys() else this_browser().stand_in
        if stand_in is not None and issubclass(stand_in, cls):
            return super().__new__(stand_in)
        return super().__new__(cls)
