"""Notices a refresh function of the page's that is about to wait for itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from ..errors import RefreshMisconfigured
from ..session.tokens import Session
from .result import RefreshResult

# Without a session where the refresh token is in a cookie and there's none yet.
Refresh: TypeAlias = Callable[[Session | None], Awaitable[RefreshResult]]
ITSELF = (
    "the refresh function waits for itself: it sends with the client whose token it renews. Let it take a "
    "second argument, and await send(Request(…)), or use a Client without auth"
)


class _Run:
    """A function of the page's that renews; ``is_over`` when it has ended, though tasks of its own go on."""

    def __init__(self, refresh: Refresh) -> None:
        self.refresh = refresh
        self.is_over = False


_runs: ContextVar[tuple[_Run, ...]] = ContextVar("silent_refresh_runs", default=())


def raise_if_within(refresh: Refresh) -> None:
    """Raise ``RefreshMisconfigured`` when it is that function's own code which is about to wait for it."""
    if any(run.refresh is refresh and not run.is_over for run in _runs.get()):
        raise RefreshMisconfigured(ITSELF)


@contextmanager
def within(refresh: Refresh) -> Iterator[None]:
    run = _Run(refresh)
    before = _runs.set((*_runs.get(), run))
    try:
        yield
    finally:
        run.is_over = True
        _runs.reset(before)
