"""Every way in, on the page: one button, what each of five requests got, and what the server counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from demo.document import element, make, on_submit, show
from demo.lab import Lab
from demo.words import Words
from silent_refresh import Client, SilentRefresh

WAYS = ("client", "fetch", "pyfetch", "requests", "worker")
COUNTED = ("refused", "refreshes", "reuses")
Told = Callable[[Callable[[], Awaitable[None]]], Callable[[], Awaitable[None]]]


class WaysCard:
    """The button and its table."""

    def __init__(self, auth: SilentRefresh, api: Client, lab: Lab, words: Words, told: Told) -> None:
        self._auth, self._api, self._lab = auth, api, lab
        self._words = words
        self._told = told
        self._outcome: Any = None

    def open(self) -> None:
        """Show the card."""
        self._fill()
        self._words.listen(self._fill)
        on_submit("ways-form", self._told(self._run))
        show("ways")

    async def _run(self) -> None:
        from demo.ways import Ways  # for whoever presses the button

        self._outcome = None
        self._fill()
        self._words.say("status", "ways-running")
        self._outcome = await Ways(self._auth, self._api, self._lab).run()
        self._fill()
        key, values = _verdict(self._outcome)
        self._words.say("status", key, **values)

    def _fill(self) -> None:
        outcome, rows = self._outcome, []
        for number, way in enumerate(WAYS):
            end = None if outcome is None else outcome.ends[number]
            rows.append(self._row(f"way-{way}", end, is_worse=end not in (None, 200)))
        for name in COUNTED:
            value = None if outcome is None else getattr(outcome, name)
            wanted = {"refused": len(WAYS), "refreshes": 1, "reuses": 0}[name]
            rows.append(self._row(f"ways-{name}", value, is_worse=value not in (None, wanted)))
        element("ways-rows").replaceChildren(*rows)
        element("ways-verdict").textContent = ""
        if outcome is not None:
            key, values = _verdict(outcome)
            element("ways-verdict").textContent = self._words(key, **values)

    def _row(self, key: str, value: int | str | None, *, is_worse: bool) -> Any:
        row, cell = make("tr"), make("td", "–" if value is None else str(value))
        if is_worse:
            cell.setAttribute("data-worse", "")
        row.append(make("th", self._words(key), scope="row"), cell)
        return row


def _verdict(outcome: Any) -> tuple[str, dict[str, int]]:
    """Return the words for what came of it."""
    answered = sum(end == 200 for end in outcome.ends)
    key = "verdict-ways" if outcome.is_as_expected else "verdict-ways-failed"
    return key, {"answered": answered, "refreshes": outcome.refreshes, "reuses": outcome.reuses}
