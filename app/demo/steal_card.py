"""The theft on the page: one button, and what the thief got of each session, side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from demo.document import element, make, on_submit, show
from demo.lab import Lab
from demo.steal import Loot, Steal
from demo.words import Words

COUNTED = {"answered", "refused"}  # by the server; the others are answers that the thief saw
Told = Callable[[Callable[[], Awaitable[None]]], Callable[[], Awaitable[None]]]


class StealCard:
    """The button and its table."""

    def __init__(self, lab: Lab, words: Words, told: Told) -> None:
        self._steal = Steal(lab)
        self._words = words
        self._told = told
        self._loot: tuple[Loot, Loot] | None = None

    def open(self) -> None:
        """Show the card."""
        self._fill()
        self._words.listen(self._fill)
        on_submit("steal-form", self._told(self._run))
        show("steal")

    async def _run(self) -> None:
        self._loot = None
        self._fill()
        self._words.say("status", "theft-running")
        self._loot = await self._steal.run()
        self._fill()
        key, values = _verdict(*self._loot)
        self._words.say("status", key, **values)

    def _fill(self) -> None:
        rows = []
        for name in Loot._fields:
            row = make("tr")
            row.append(make("th", self._words(f"theft-{name}"), scope="row"))
            row.append(*(self._cell(name, loot) for loot in self._loot or (None, None)))
            rows.append(row)
        element("loot").replaceChildren(*rows)
        element("steal-verdict").textContent = ""
        if self._loot is not None:
            key, values = _verdict(*self._loot)
            element("steal-verdict").textContent = self._words(key, **values)

    def _cell(self, name: str, loot: Loot | None) -> Any:
        value = None if loot is None else getattr(loot, name)
        if value is None:
            return make("td", "–")
        if name in COUNTED:
            cell, is_loss = make("td", str(value)), name == "answered" and value > 0
        else:
            is_loss = value == 200
            cell = make("td", self._words("status-got" if is_loss else "status-refused", status=value))
        if is_loss:
            cell.setAttribute("data-worse", "")
        return cell


def _verdict(bearer: Loot, bound: Loot) -> tuple[str, dict[str, int]]:
    """Return the words for what the thief got."""
    is_safe = bound.answered == 0 and 200 not in (bound.profile, bound.renewal)
    key = "verdict-stolen" if bearer.answered and is_safe else "verdict-theft-failed"
    return key, {"bearer": bearer.answered, "bound": bound.answered}
