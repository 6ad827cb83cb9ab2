"""Writes the results down: docs/benchmarks.json, the chart, the tables of docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from tests.bench.chart import draw
from tests.bench.site import ROOT

DOCS = ROOT / "docs"
END = "<!-- end -->\n"

Results = dict[str, Any]

# What results are called.
TIME, CPU = "microseconds per request", "CPU microseconds per request"
FIRST_TURN = "microseconds per request in a fresh page"
FRESH = "microseconds per request of the first 50 in a fresh page"
LISTS = "with 10 kB of JSON"
SIGNED = "signed"
STORM = "200 at once with an expired token, real server"
TABS = "4 tabs, 50 at once in each, expired, real server"
QUEUE = "microseconds per request that waits for a renewal, by the queue's length"
IMPORTS = "milliseconds to import"
REFERENCES = "more references after 10,000 requests"
SIZE = "what a page transfers of the library, bytes"


class Goal(NamedTuple):
    """One number that was asked for, and what came out."""

    what: str
    wanted: str
    found: str
    is_met: bool

    def __str__(self) -> str:
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.what}: {self.found} (goal: {self.wanted})"


def goals(results: Results) -> Iterator[Goal]:
    """Compare the results with what was asked for, as far as it was measured."""
    for part, compare in GOALS.items():
        if part in results:
            yield from compare(results)


def _in_turn(results: Results) -> Iterator[Goal]:
    cost, cpu = results[TIME], results[CPU]
    for peer, wanted in (("axios", 0.5), ("ky", 1.0), ("pyfetch", 0.6)):
        yield _at_most(f"{TIME}, stubbed, ÷ {peer}", wanted, cost["silent-refresh"] / cost[peer])
    for peer in ("axios", "pyfetch"):
        yield _at_most(f"{CPU}, stubbed, ÷ {peer}", 0.6, cpu["silent-refresh"] / cpu[peer])
    yield _at_most("fetch under install() ÷ fetch", 1.05, cost["fetch under install()"] / cost["fetch"])


def _fresh(results: Results) -> Iterator[Goal]:
    cost = results[FRESH]
    yield _at_most(
        "a request of the first 50 in a fresh page, ÷ axios there",
        0.7,
        cost["silent-refresh"] / cost["axios"],
    )


def _signed(results: Results) -> Iterator[Goal]:
    for clock in (TIME, CPU):
        cost = results[SIGNED][clock]
        theirs = min(cost["auth0-spa-js"], cost["oidc-client-ts"])
        ours = cost["silent-refresh, signed"]
        yield _at_most(
            f"{clock}, signed, ÷ the cheaper of auth0-spa-js and oidc-client-ts", 1.0, ours / theirs
        )
        yield _at_most(f"{clock}, signed, ÷ not signed", 2.5, ours / cost["silent-refresh"])
        installed = cost["fetch under install(), signed"]
        yield _at_most(f"{clock}, fetch under install(), signed, ÷ theirs", 0.8, installed / theirs)


def _storms(part: str, what: str) -> Callable[[Results], Iterator[Goal]]:
    def compare(results: Results) -> Iterator[Goal]:
        ours, theirs = results[part]["silent-refresh"], results[part]["axios"]
        yield _at_most(f"{what}, ÷ axios", 0.7, ours["milliseconds"] / theirs["milliseconds"])
        refreshes = f"{ours['refreshes']}; axios {theirs['refreshes']}"
        yield Goal("refreshes then", "1", refreshes, ours["refreshes"] == 1)

    return compare


def _waiting(results: Results) -> Iterator[Goal]:
    first, *longer = _queue(results).items()
    further = [(cost * length - first[1]) / (length - 1) for length, cost in longer]
    yield _at_most("each waiter after the first: dearest queue ÷ cheapest", 1.3, max(further) / min(further))
    yield _at_most("a lone waiter ÷ one in the cheapest queue", 1.5, first[1] / min(_queue(results).values()))


def _imports(results: Results) -> Iterator[Goal]:
    ratio = results[IMPORTS]["from byte code ÷ bare"]
    yield _at_most("import, byte-compiled, ÷ bare `import asyncio, json`", 2.0, ratio)


def _size(results: Results) -> Iterator[Goal]:
    what = "what a page with Client and SilentRefresh transfers of it, kB, compiled, brotli"
    yield _at_most(what, 45, results[SIZE] / 1000)


def _references(results: Results) -> Iterator[Goal]:
    left = results[REFERENCES]["live JsProxies"]
    yield Goal("live JsProxies after 10,000 requests", "0 more", f"{left} more", left <= 0)


GOALS: dict[str, Callable[[Results], Iterator[Goal]]] = {
    TIME: _in_turn,
    FRESH: _fresh,
    SIGNED: _signed,
    STORM: _storms(STORM, "200 at once with an expired token"),
    TABS: _storms(TABS, "4 tabs, 50 at once in each, expired"),
    QUEUE: _waiting,
    IMPORTS: _imports,
    SIZE: _size,
    REFERENCES: _references,
}


def _queue(results: Results) -> dict[int, float]:
    """Return the µs of each waiter, by the queue's length."""
    costs = results[QUEUE]
    return {int(length): cost for length, cost in costs.items()}


def _at_most(what: str, wanted: float, found: float) -> Goal:
    return Goal(what, f"≤ {wanted:g}", f"{found:.2f}", found <= wanted)


def write(results: Results) -> None:
    """Write the three files."""
    DOCS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    (DOCS / "benchmarks.json").write_text(text, encoding="utf-8")
    (DOCS / "benchmarks.svg").write_text(draw(results[TIME]), encoding="utf-8")
    put_in_page("make bench", tables(results))


def put_in_page(maker: str, lines: Iterable[str]) -> None:
    """Put what ``maker`` writes into its place in docs/benchmarks.md."""
    page, begin = DOCS / "benchmarks.md", f"<!-- written by {maker} -->\n"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    if not found:
        raise ValueError(f"{page} has no line {begin!r}")
    _, _, after = rest.partition(END)
    page.write_text(before + begin + "\n".join(lines) + "\n" + END + after, encoding="utf-8")


def tables(results: Results) -> Iterator[str]:
    """Yield the lines of the tables in docs/benchmarks.md."""
    peers = ", ".join(f"{name} {version}" for name, version in results["peers"].items())
    yield f"{results['browser']}, {results['rounds']} rounds, {results['date']}; {peers}."
    yield "\n| goal | wanted | found | |\n| --- | --- | --- | --- |"
    for goal in goals(results):
        yield f"| {goal.what} | {goal.wanted} | {goal.found} | {'met' if goal.is_met else '**missed**'} |"
    yield "\n| µs a request, fetch stubbed | time | ÷ axios | CPU | first 1,000 | first 50 |"
    yield "| --- | --- | --- | --- | --- | --- |"
    cost, cpu, first, fresh = results[TIME], results[CPU], results[FIRST_TURN], results[FRESH]
    for name in cost:
        share = cost[name] / cost["axios"]
        told = [cost[name], f"{share:.2f}", cpu[name], first[name], fresh.get(name, "")]
        yield f"| {name} | " + " | ".join(map(str, told)) + " |"
    yield "\n| µs a request that is proved by a key, fetch stubbed | time | CPU | first 1,000 |"
    yield "| --- | --- | --- | --- |"
    signed = results[SIGNED]
    cost, cpu, first = signed[TIME], signed[CPU], signed[FIRST_TURN]
    for name in cost:
        yield f"| {name} | {cost[name]} | {cpu[name]} | {first[name]} |"
    yield "\n| µs a request that is answered by 10 kB of JSON, parsed | time | ÷ axios | CPU |"
    yield "| --- | --- | --- | --- |"
    cost, cpu = results[LISTS][TIME], results[LISTS][CPU]
    for name in cost:
        yield f"| {name} | {cost[name]} | {cost[name] / cost['axios']:.2f} | {cpu[name]} |"
    for part, what in ((STORM, "200 at once"), (TABS, "50 at once in each of 4 tabs")):
        yield f"\n| {what}, token expired | ms | answered | refreshes | reuse detected |"
        yield "| --- | --- | --- | --- | --- |"
        for name, end in results[part].items():
            yield f"| {name} | " + " | ".join(str(value) for value in end.values()) + " |"
    queue = _queue(results)
    yield "\n| waiters in the queue | " + " | ".join(map(str, queue)) + " |"
    yield "| --- |" + " --- |" * len(queue)
    yield "| µs each, sent and answered | " + " | ".join(str(value) for value in queue.values()) + " |"
