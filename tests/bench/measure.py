"""What is measured, and how: every number is the median over the rounds."""

from __future__ import annotations

import json
import platform
import subprocess
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from statistics import median
from typing import Any

from playwright.sync_api import CDPSession

from tests.bench import in_page, report, site
from tests.bench.report import CPU, FIRST_TURN, TIME
from tests.bench.site import ROOT
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab
from tests.unit.test_page_modules import AT_THE_START, IN_A_BROWSER

URL = "/api/items/7"
IN_TURN = 1000  # requests of a turn
WARM_UP = 10  # turns in which V8 optimises: JavaScript after the first, WebAssembly piece by piece
AT_ONCE = [f"/api/items/{number % 40}" for number in range(200)]
QUEUES = [1, 10, 100, 1000, 10_000]
QUEUED = 2000  # waiters of a turn at least, whatever the queue's length
JAVASCRIPT = ["fetch", "axios", "axios-auth-refresh", "ky"]
PYTHON = ["silent-refresh", "pyfetch", "pyscript.fetch", "requests"]
INSTALLED = "fetch under install()"
SIGNED, INSTALLED_SIGNED = "silent-refresh, signed", "fetch under install(), signed"
SIGNING = ["auth0-spa-js", "oidc-client-ts"]
PACKAGES = {"@auth0/auth0-spa-js": "auth0-spa-js"}  # that aren't called as their client is
REQUESTS = 10_000  # after which no reference may be left
PATIENCE = 300.0  # s that one turn may take

Results = dict[str, Any]

# A method each, and what its results are called.
PARTS = {
    "in_turn": "",
    "lists": report.LISTS,
    "signed": report.SIGNED,
    "at_once": report.STORM,
    "queue": report.QUEUE,
    "imports": report.IMPORTS,
    "references": report.REFERENCES,
    "page_size": report.SIZE,
}


class Bench:
    """One page in which everything is measured."""

    def __init__(self, python: PagePython, lab: Lab, rounds: int, browser: str) -> None:
        self._python = python
        self._page = python.page
        self._lab = lab
        self._rounds = rounds
        self._browser = browser

    def run(self, parts: Collection[str]) -> Results:
        """Measure these of ``PARTS``, and all that there is to tell of the run."""
        self._python(in_page.make_clients, self._lab.sign_in(), "/bench/packages.zip", timeout=PATIENCE)
        self._page.unroute_all()  # a page with routes asks Playwright about each request
        results = {
            "rounds": self._rounds,
            "browser": f"Chromium {self._browser}",
            "machine": f"{platform.machine()}, {platform.system()}",
            "peers": _versions(),
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        for part in parts:
            measured = getattr(self, part)()
            results |= {PARTS[part]: measured} if PARTS[part] else measured
        return results

    # One after the other

    def in_turn(self) -> dict[str, dict[str, float]]:
        """Return the microseconds that a request costs each client when the answer is there at once.

        The time that passes is what counts, and it is anybody's on a busy machine; so the main thread's own
        is measured beside it.
        """
        return self._turns([*JAVASCRIPT, INSTALLED, *PYTHON])

    def lists(self) -> dict[str, dict[str, float]]:
        """Return what a request costs that is answered by a list, 10 kB of JSON."""
        self._page.evaluate("() => { stub.isList = true; }")
        found = self._turns(["fetch", "axios", "ky", "silent-refresh", "pyfetch"])
        self._page.evaluate("() => { stub.isList = false; }")
        return found

    def signed(self) -> dict[str, dict[str, float]]:
        """Return the same of those that prove each request with a key (RFC 9449), beside one that doesn't."""
        self._python(in_page.add_signing)
        site.put_in(self._page)  # once more, for those that sign
        self._page.evaluate("() => peers.addSigning()")
        self._page.unroute_all()
        return self._turns([*SIGNING, INSTALLED_SIGNED, SIGNED, PYTHON[0]])

    def _turns(self, names: list[str]) -> dict[str, dict[str, float]]:
        taken: dict[str, list[float]] = defaultdict(list)
        busy: dict[str, list[float]] = defaultdict(list)
        session = self._page.context.new_cdp_session(self._page)
        session.send("Performance.enable")
        self._stub(True)
        at_first: dict[str, float] = {}
        for number in range(WARM_UP + self._rounds):
            for name in rotated(names, number):
                before = _thread_time(session)
                milliseconds = self._turn(name)
                at_first.setdefault(name, round(milliseconds * 1000 / IN_TURN, 1))
                if number >= WARM_UP:
                    taken[name].append(milliseconds * 1000 / IN_TURN)
                    busy[name].append((_thread_time(session) - before) * 1e6 / IN_TURN)
        session.detach()
        self._stub(False)
        return {
            kind: {name: round(median(values[name]), 1) for name in names}
            for kind, values in ((TIME, taken), (CPU, busy))
        } | {FIRST_TURN: at_first}

    def _turn(self, name: str) -> float:
        before = self._calls()
        if name in (*PYTHON, SIGNED):
            milliseconds: float = self._python(in_page.in_turn, name, URL, IN_TURN, timeout=PATIENCE)
        elif name in (INSTALLED, INSTALLED_SIGNED):
            self._python(in_page.install_on_page, name == INSTALLED_SIGNED)
            milliseconds = self._page.evaluate("call => peers.inTurn(...call)", ["fetch", URL, IN_TURN])
            self._python(in_page.uninstall)
        else:
            milliseconds = self._page.evaluate("call => peers.inTurn(...call)", [name, URL, IN_TURN])
        assert self._calls() - before == IN_TURN, f"{name} went past the stub"
        is_proved = self._page.evaluate("() => stub.wasProved()")
        assert is_proved == (name in (*SIGNING, SIGNED, INSTALLED_SIGNED)), f"{name}: {is_proved}"
        return milliseconds

    def _stub(self, is_on: bool) -> None:
        self._page.evaluate("isOn => { stub.isOn = isOn; }", is_on)

    def _calls(self) -> int:
        calls: int = self._page.evaluate("() => stub.calls")
        return calls

    # All at once

    def at_once(self) -> dict[str, dict[str, int]]:
        """Return what becomes of requests that find their token expired, all at the same time."""
        found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        names = ["silent-refresh", *JAVASCRIPT[1:]]
        for number in range(self._rounds + 1):
            for name in rotated(names, number):
                milliseconds, answered = self._storm(name)
                counters = self._lab.counters()
                if number > 0:
                    found[name]["milliseconds"].append(round(milliseconds))
                    found[name]["answered"].append(round(answered))
                    found[name]["refreshes"].append(counters["refresh"])
                    found[name]["reuse detected"].append(counters["reuse"])
        return {name: {what: round(median(found[name][what])) for what in found[name]} for name in names}

    def _storm(self, name: str) -> list[float]:
        tokens = self._lab.sign_in()
        if name in PYTHON:
            self._python(in_page.sign_in, tokens)
        else:
            self._page.evaluate("call => peers.signIn(...call)", [name, tokens])
        self._lab.expire()
        self._lab.reset()
        if name in PYTHON:
            ends: list[float] = self._python(in_page.at_once, AT_ONCE, None, timeout=PATIENCE)
        else:
            ends = self._page.evaluate("call => peers.atOnce(...call)", [name, AT_ONCE, None])
        return ends

    # The queue

    def queue(self) -> dict[str, int]:
        """Return what a request costs that joins the queue of a renewal, by the queue's length."""
        taken: dict[int, list[float]] = defaultdict(list)
        self._stub(True)
        for number in range(8):  # a round is 18,000 requests, which evens out much
            for length in rotated(QUEUES, number):
                rounds = max(1, QUEUED // length)
                milliseconds, loop = (
                    self._python(in_page.queue, length, rounds, are_requests, timeout=PATIENCE)
                    for are_requests in (True, False)
                )
                if number > 0:
                    taken[length].append((milliseconds - loop) * 1000 / (rounds * length))
        self._stub(False)
        return {str(length): round(median(taken[length])) for length in QUEUES}

    # What it weighs

    def imports(self) -> dict[str, float]:
        """Return how long importing `Client` and `SilentRefresh` takes, compiling included and not.

        What counts is the ratio to what a page has imported anyway, in the same round.
        """
        kinds = {"from source": True, "from byte code": False}
        bare = "bare asyncio and json"
        taken: dict[str, list[float]] = defaultdict(list)
        for _ in range(self._rounds):
            for kind, from_source in kinds.items():
                taken[kind].append(self._python(in_page.import_again, from_source))
            taken[bare].append(self._python(in_page.import_bare))
        ratios = [ours / theirs for ours, theirs in zip(taken["from byte code"], taken[bare], strict=True)]
        found = {kind: round(median(values), 1) for kind, values in taken.items()}
        return {**found, "from byte code ÷ bare": round(median(ratios), 2)}

    def references(self) -> dict[str, int]:
        """Return by how much the live references across the bridge grew."""
        self._stub(True)
        self._python(in_page.trace_proxies, True)
        before = self._collected()
        for _ in range(REQUESTS // IN_TURN):
            self._python(in_page.in_turn, "silent-refresh", URL, IN_TURN, timeout=PATIENCE)
        after = self._collected()
        self._python(in_page.trace_proxies, False)
        self._stub(False)
        kinds = ["live JsProxies", "Python proxies held by JavaScript"]
        return {kind: now - then for kind, now, then in zip(kinds, after, before, strict=True)}

    def page_size(self) -> int:
        """Return the size of the modules that a page imports, and of bridge.js: compiled, in brotli."""
        command = ["node", "tests/bench/page_size.mjs", *AT_THE_START, *IN_A_BROWSER]
        return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    def _collected(self) -> list[int]:
        session = self._page.context.new_cdp_session(self._page)
        session.send("HeapProfiler.collectGarbage")
        session.detach()
        counted: list[int] = self._python(in_page.count_references)
        return counted


def _versions() -> dict[str, str]:
    """Return the versions of the peers that package.json pins."""
    pinned: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    named = {PACKAGES.get(package, package): version for package, version in pinned.items()}
    return {name: version for name, version in named.items() if name in (*JAVASCRIPT, *SIGNING)}


def _thread_time(session: CDPSession) -> float:
    """Return the seconds that the page's main thread has been running, and nobody else."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(entry["value"] for entry in metrics if entry["name"] == "ThreadTime"))


def rotated(names: list[Any], number: int) -> list[Any]:
    """Return them in another order each round: to be first or last is an advantage to nobody."""
    start = number % len(names)
    return names[start:] + names[:start]
