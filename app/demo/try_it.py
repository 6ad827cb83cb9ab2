"""The experiments on the page: a button each, what it claims, and after it ran whether that came true."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Any

from demo.claims import judge
from demo.document import element, make, on_click
from demo.experiments import EXPERIMENTS, FIRST, Bench, Experiment
from demo.observed import Observed
from demo.second_tab import TabMissing
from demo.words import Words

MARKS = {True: "✓", False: "✗"}
Told = Callable[[Callable[[], Awaitable[None]]], Callable[[], Awaitable[None]]]


class TryIt:
    """The panel. Only one experiment runs at a time: each counts what happens while it runs.

    `told` wraps what a button does, so that its errors are told; `cut` is called before each experiment.
    """

    def __init__(self, bench: Bench, words: Words, told: Told, cut: Callable[[], None]) -> None:
        self._bench = bench
        self._cut = cut
        self._words = words
        self._told = told
        self._results: dict[str, Observed] = {}

    def open(self) -> None:
        """Build the panel; what takes the lab is left out when there's none."""
        if self._bench.has_lab:
            element("first").append(self._item(FIRST))
        for group, experiments in EXPERIMENTS.items():
            wanted = [it for it in experiments if self._bench.has_lab or not it.needs_lab]
            if wanted:
                title = make("h3", self._words(f"group-{group}"), data_words=f"group-{group}")
                items = make("ul")
                items.append(*map(self._item, wanted))
                element("experiments").append(title, items)
        self._words.listen(self._reworded)

    def _item(self, experiment: Experiment) -> Any:
        name = experiment.name
        label = f"button-{name}"
        button = make("button", self._words(label), type="button", id=name, data_words=label)
        button.setAttribute("aria-describedby", f"about-{name}")
        item, about = make("li"), make("div", id=f"about-{name}", class_="about")
        note = f"note-{name}"
        if self._words.has(note):
            about.append(make("p", self._words(note), data_words=note))
        if experiment.claims:
            claims = make("ul")
            claims.append(*(self._claim(name, claim) for claim in experiment.claims))
            about.append(claims)
        item.append(button, about, make("p", id=f"facts-{name}", class_="facts"))

        async def run() -> None:
            await self._run(experiment)

        on_click(button, self._told(run), disable=element("experiments"))
        return item

    def _claim(self, name: str, claim: str) -> Any:
        item = make("li", id=f"claim-{name}-{claim}")
        item.append(
            make("b", aria_hidden="true"),
            make("span", self._words(f"claim-{claim}"), data_words=f"claim-{claim}"),
        )
        return item

    async def _run(self, experiment: Experiment) -> None:
        name = experiment.name
        self._clear(experiment)
        self._words.say("status", "running", name=lambda: self._words(f"button-{name}"))
        self._cut()
        try:
            observed = await experiment.run(self._bench)
        except TabMissing:
            self._words.say("status", "tab-missing")
            return
        if not experiment.claims:
            return
        self._results[name] = observed
        self._show(experiment, observed)
        self._say_status(experiment, observed)

    def _clear(self, experiment: Experiment) -> None:
        self._results.pop(experiment.name, None)
        element(f"facts-{experiment.name}").textContent = ""
        for claim in experiment.claims:
            _mark(element(f"claim-{experiment.name}-{claim}"), None)

    def _show(self, experiment: Experiment, observed: Observed) -> None:
        for claim, is_true in judge(experiment.claims, observed).items():
            _mark(element(f"claim-{experiment.name}-{claim}"), is_true)
        element(f"facts-{experiment.name}").textContent = self._verdict(experiment, observed)

    def _verdict(self, experiment: Experiment, observed: Observed) -> str:
        well = all(judge(experiment.claims, observed).values())
        return self._words("as-expected" if well else "not-as-expected", facts=self._facts(observed))

    def _facts(self, observed: Observed) -> str:
        if not observed.events:
            return self._words("facts-probe", end=observed.ends[0] if observed.ends else "–")
        return self._words(
            "facts-send",
            answered=observed.answered,
            count=len(observed.ends),
            errors=observed.failed,
            refused=observed.count("refused"),
            refreshes=observed.refreshes,
            seconds=f"{observed.seconds:.2f}",
        )

    def _say_status(self, experiment: Experiment, observed: Observed) -> None:
        well = all(judge(experiment.claims, observed).values())
        told = f"told-{experiment.name}"
        if well and self._words.has(told):
            self._words.say("status", told)
        else:
            key = "as-expected" if well else "not-as-expected"
            self._words.say("status", key, facts=lambda: self._facts(observed))

    def _reworded(self) -> None:
        for experiment in (FIRST, *chain.from_iterable(EXPERIMENTS.values())):
            if experiment.name in self._results:
                self._show(experiment, self._results[experiment.name])


def _mark(item: Any, is_true: bool | None) -> None:
    """Mark a claim as true, as false, or as not tried."""
    mark = item.firstChild
    if is_true is None:
        item.removeAttribute("data-true")
        mark.textContent = ""
        mark.setAttribute("aria-hidden", "true")
        return
    item.setAttribute("data-true", str(is_true).lower())
    mark.removeAttribute("aria-hidden")
    mark.textContent = MARKS[is_true]
