"""The comparison on the page: choose a storm, run it through both, read the figures side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from demo.compare import Compare, Result
from demo.document import element, field, make, on_submit, show
from demo.lab import Lab
from demo.words import Words

WORSE_IF_MORE = {"sent", "refreshes", "errors", "hung"}
ENDS_SESSION = {"refused"}  # where errors, and the end of the session, are as it should be
Told = Callable[[Callable[[], Awaitable[None]]], Callable[[], Awaitable[None]]]


class CompareCard:
    """The form and its table."""

    def __init__(self, lab: Lab, words: Words, told: Told) -> None:
        self._compare = Compare(lab)
        self._words = words
        self._told = told
        self._storm = ""
        self._results: tuple[Result, Result] | None = None

    def open(self) -> None:
        """Show the card."""
        self._fill()
        self._words.listen(self._fill)
        on_submit("compare-form", self._told(self._run))
        show("compare")

    async def _run(self) -> None:
        self._results = None
        self._fill()
        self._words.say("status", "storm-running")
        self._storm = str(field("compare-form", "storm").value)
        self._results = await self._compare.run(self._storm)
        self._fill()
        key, values = _verdict(*self._results)
        self._words.say("status", key, **values)

    def _fill(self) -> None:
        recipe, ours = self._results or (None, None)
        rows = []
        for name in Result._fields:
            row = make("tr")
            row.append(
                make("th", self._words(f"result-{name}"), scope="row"),
                self._cell(name, recipe, ours),
                self._cell(name, ours, recipe),
            )
            rows.append(row)
        element("results").replaceChildren(*rows)
        element("compare-verdict").textContent = ""
        if recipe is not None and ours is not None:
            key, values = _verdict(recipe, ours)
            element("compare-verdict").textContent = self._words(key, **values)

    def _cell(self, name: str, result: Result | None, other: Result | None) -> Any:
        if result is None or other is None:
            return make("td", "–")
        value, against = getattr(result, name), getattr(other, name)
        cell = make("td", self._figure(name, value))
        if name == "signed_in":
            is_worse = value == (self._storm in ENDS_SESSION)
        else:
            is_worse = value is None or (name in WORSE_IF_MORE and value > against)
        if is_worse and (name != "errors" or self._storm not in ENDS_SESSION):
            cell.setAttribute("data-worse", "")
        return cell

    def _figure(self, name: str, value: float | None) -> str:
        if name == "signed_in":
            return self._words("yes" if value else "no")
        if name == "seconds":
            return self._words("never") if value is None else self._words("seconds", seconds=f"{value:.2f}")
        return str(value)


def _verdict(recipe: Result, ours: Result) -> tuple[str, dict[str, int]]:
    """Return the words for the difference that matters most."""
    if recipe.hung > ours.hung:
        return "verdict-hung", {"hung": recipe.hung, "ours": ours.hung}
    if recipe.signed_in < ours.signed_in:
        return "verdict-signed-out", {}
    if recipe.refreshes > ours.refreshes:
        return "verdict-refreshes", {"recipe": recipe.refreshes, "ours": ours.refreshes}
    return "verdict-same", {}
