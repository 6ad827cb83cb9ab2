"""What a refresh call comes to: one of four results. ``words.py`` reads them from what a server said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from ..session.tokens import Tokens

LONGEST_PAUSE = 30.0  # s: what counts where a server asks for more than an hour


class Rotated(NamedTuple):
    """New tokens."""

    tokens: Tokens


class Rejected(NamedTuple):
    """The refresh token is dead; ``detail`` says why, where it isn't the server that said so."""

    reason: str
    detail: str | None = None


class Unavailable(NamedTuple):
    """No usable answer for now; ``retry_after`` in seconds, if the server said so.

    ``again`` tells whether another try may help, and do no harm.
    """

    detail: str
    retry_after: float | None = None
    cause: BaseException | None = None
    again: bool = True


class Misconfigured(NamedTuple):
    """What doesn't fit, and what to change; ``refresh_token`` is a new one that came all the same."""

    detail: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return f"Misconfigured({self.detail!r})"


RefreshResult: TypeAlias = Rotated | Rejected | Unavailable | Misconfigured

KEY_GONE = Rejected("key_gone", "the key that the tokens are bound to is not in this browser any more")
NO_ANSWER = "no answer came: offline, the server is down, or its CORS headers don't allow this page"
