"""What holds in which engine: each feature of browsers that the library touches, and what its tests came to.

@pytest.mark.every_engine("Web Locks")
def test_…

A run of all that is marked writes .cache/engines/<engine>.json; out of these, ``tools/engines.py`` makes the
table of docs/engines.md.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "engines"
VERSION = pytest.StashKey[str]()
# Each with what relies on it.
FEATURES = {
    "fetch": "every request, sent again once after a renewal",
    "fetch's errors": "what is told of a dead network, a refused answer, a mistake",
    "keepalive": "a renewal by a cookie, which the page is left in the middle of",
    "aborts": "a cancelled task, a time-out",
    "streams": "answers that are read in pieces",
    "Web Locks": "one tab renews at a time",
    "IndexedDB": "the journal, which outlives a browser that is killed",
    "localStorage": "the record, also where it is full or blocked",
    "storage events": "a storage that somebody clears",
    "BroadcastChannel": "sign-in and sign-out in all tabs",
    "the bfcache": "a page that comes back",
    "the page's own fetch": "`install()`",
    "stack switching (JSPI)": "`requests` and other callers that can't `await`",
    "no stack switching": "the same callers where it is missing",
    "workers": "one session for a page and its workers",
    "bridge.js as a module": "a page under a strict policy",
    "Content-Security-Policy": "the demo's page",
    "Trusted Types": "the demo's page",
    "hashes in import maps": "the demo's page",
    "the demo": "its story",
    "the guide": "its three pages",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note for which feature a test is."""
    for item in items:
        for marker in item.iter_markers("every_engine"):
            (feature,) = marker.args
            if feature not in FEATURES:
                raise pytest.UsageError(f"{item.nodeid}: {feature!r} is not in {__file__}")
            item.user_properties.append(("feature", feature))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write down what became of the tests for each feature, if all of them were asked for and none failed."""
    found: dict[str, dict[str, int]] = {feature: {"passed": 0, "skipped": 0} for feature in FEATURES}
    for outcome in ("passed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            if report.when == "call" or outcome == "skipped":
                for name, feature in report.user_properties:
                    if name == "feature":
                        found[feature][outcome] += 1
    is_whole = all(sum(counts.values()) for counts in found.values()) and not config.option.keyword
    if VERSION in config.stash and is_whole and not terminalreporter.stats.get("failed"):
        (engine,) = config.option.browser or ["chromium"]
        CACHE.mkdir(parents=True, exist_ok=True)
        told = {"version": config.stash[VERSION], "system": platform.freedesktop_os_release()["PRETTY_NAME"]}
        (CACHE / f"{engine}.json").write_text(json.dumps({**told, "features": found}, indent=1))
