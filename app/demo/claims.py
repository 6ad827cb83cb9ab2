"""What each experiment claims will happen, and how that is told from what did.

A claim's name is the key of its sentence in english.py and chinese.py.
"""

from __future__ import annotations

from collections.abc import Callable

from demo.observed import Observed

CLAIMS: dict[str, Callable[[Observed], bool]] = {
    "all-answered": lambda it: bool(it.ends) and it.answered == len(it.ends),
    "refresh-if-needed": lambda it: it.refreshes == int(it.needed_refresh),
    "one-refresh": lambda it: it.refreshes == 1,
    "three-calls": lambda it: it.refreshes == 3,
    "sent-twice-at-most": lambda it: 0 < it.most_sends <= 2,
    "own-errors": lambda it: it.failed == len(it.ends) > 0 and set(it.ends) == {"RefreshUnavailable"},
    "tokens-kept": lambda it: it.kept,
    "works-later": lambda it: it.later == 200,
    "refused-now": lambda it: it.ends == (401,),
    "good-for-now": lambda it: it.ends == (200,),
    "other-answered": lambda it: it.elsewhere == 200,
    "one-adopted": lambda it: it.adoptions == 1,
    "no-reuse": lambda it: it.reuse == 0,
}


def judge(claims: tuple[str, ...], observed: Observed) -> dict[str, bool]:
    """Return for each claim whether it came true."""
    return {claim: CLAIMS[claim](observed) for claim in claims}
