"""Writes the results down: docs/benchmarks.json, the chart, the tables of docs/benchmarks.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tests.bench.chart import draw
from tests.bench.site import ROOT

DOCS = ROOT / "docs"
END = "<!-- end -->\n"

Results = dict[str, Any]


class Goal(NamedTuple):
    """One number that was asked for, and what came out."""

    what: str
    wanted: str
    found: str
    is_met: bool

    def __str__(self) -> str:
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.what}: {self.found} (goal: {self.wanted})"


def goals(results: Results) -> Iterator[Goal]:
    """Compare the results with what was asked for."""
    for clock in ("microseconds per request", "CPU microseconds per request"):
        cost = results[clock]
        for peer in ("axios", "pyfetch"):
            yield _at_most(f"{clock}, stubbed, ÷ {peer}", 0.6, cost["silent-refresh"] / cost[peer])
    storm = results["200 at once with an expired token, real server"]
    ours, theirs = storm["silent-refresh"], storm["axios"]
    share = ours["milliseconds"] / theirs["milliseconds"]
    yield _at_most("200 at once with an expired token, ÷ axios", 1.0, share)
    refreshes = f"{ours['refreshes']}; axios {theirs['refreshes']}"
    yield Goal("refreshes then", "1", refreshes, ours["refreshes"] == 1)
    first, *longer = _queue(results).items()
    further = [(cost * length - first[1]) / (length - 1) for length, cost in longer]
    yield _at_most("each waiter after the first: dearest queue ÷ cheapest", 1.2, max(further) / min(further))
    yield _at_most("a lone waiter ÷ one in the cheapest queue", 1.2, first[1] / min(_queue(results).values()))
    yield _at_most("import, byte-compiled, ms", 30, results["milliseconds to import"]["from byte code"])
    yield _at_most("import from source, ms", 30, results["milliseconds to import"]["from source"])
    yield _at_most("wheel, kB", 25, results["wheel, bytes"] / 1000)
    cost = results["microseconds per request"]
    yield _at_most("fetch under install() ÷ fetch", 1.5, cost["fetch under install()"] / cost["fetch"])
    for clock in ("microseconds per request", "CPU microseconds per request"):
        cost = results["signed"][clock]
        theirs = min(cost["auth0-spa-js"], cost["oidc-client-ts"])
        ours = cost["silent-refresh, signed"]
        yield _at_most(
            f"{clock}, signed, ÷ the cheaper of auth0-spa-js and oidc-client-ts", 1.0, ours / theirs
        )
        yield _at_most(f"{clock}, signed, ÷ not signed", 2.5, ours / cost["silent-refresh"])
        installed = cost["fetch under install(), signed"]
        yield _at_most(f"{clock}, fetch under install(), signed, ÷ theirs", 0.8, installed / theirs)
    left = results["more references after 10,000 requests"]["live JsProxies"]
    yield Goal("live JsProxies after 10,000 requests", "0 more", f"{left} more", left <= 0)


def _queue(results: Results) -> dict[int, float]:
    """Return the µs of each waiter, by the queue's length."""
    costs = results["microseconds per request that waits for a renewal, by the queue's length"]
    return {int(length): cost for length, cost in costs.items()}


def _at_most(what: str, wanted: float, found: float) -> Goal:
    return Goal(what, f"≤ {wanted:g}", f"{found:.2f}", found <= wanted)


def write(results: Results) -> None:
    """Write the three files."""
    DOCS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    (DOCS / "benchmarks.json").write_text(text, encoding="utf-8")
    (DOCS / "benchmarks.svg").write_text(draw(results["microseconds per request"]), encoding="utf-8")
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
    yield "\n| µs a request, fetch stubbed | time | ÷ axios | CPU | in a fresh page |"
    yield "| --- | --- | --- | --- | --- |"
    fresh = results["microseconds per request in a fresh page"]
    cost, cpu = results["microseconds per request"], results["CPU microseconds per request"]
    for name in cost:
        share = cost[name] / cost["axios"]
        yield f"| {name} | {cost[name]} | {share:.2f} | {cpu[name]} | {fresh[name]} |"
    yield "\n| µs a request that is proved by a key, fetch stubbed | time | CPU | in a fresh page |"
    yield "| --- | --- | --- | --- |"
    signed = results["signed"]
    fresh = signed["microseconds per request in a fresh page"]
    cost, cpu = signed["microseconds per request"], signed["CPU microseconds per request"]
    for name in cost:
        yield f"| {name} | {cost[name]} | {cpu[name]} | {fresh[name]} |"
    yield "\n| 200 at once, token expired | ms | answered | refreshes | reuse detected |"
    yield "| --- | --- | --- | --- | --- |"
    for name, end in results["200 at once with an expired token, real server"].items():
        yield f"| {name} | " + " | ".join(str(value) for value in end.values()) + " |"
    queue = _queue(results)
    yield "\n| waiters in the queue | " + " | ".join(map(str, queue)) + " |"
    yield "| --- |" + " --- |" * len(queue)
    yield "| µs each, sent and answered | " + " | ".join(str(value) for value in queue.values()) + " |"
