"""Write the table of docs/engines.md out of what the tests' last whole runs came to, one in each engine.

make test-chromium && make test-firefox && make test-webkit && make docs
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.browsers.report import CACHE, FEATURES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"
TITLES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit"}
TABLE = re.compile(r"^\| Feature .*?(?=\n\n)", re.M | re.S)


def main() -> None:
    """Rewrite the table, with a column for each engine that has had a whole run."""
    paths = {name: CACHE / f"{name}.json" for name in TITLES}
    runs = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
    if runs:
        text = TABLE.sub(lambda _: render(runs), PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(text, encoding="utf-8")


def render(runs: dict[str, dict[str, object]]) -> str:
    """Return the table: a row for each feature, a column for each engine."""
    rows = [
        [
            "Feature",
            "What relies on it",
            *(f"{TITLES[name]} {short(run['version'])}" for name, run in runs.items()),
        ]
    ]
    rows.append(["---"] * len(rows[0]))
    for feature, use in FEATURES.items():
        rows.append([feature, use, *(cell(run["features"][feature]) for run in runs.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def short(version: str) -> str:
    """Return the first two parts of a version."""
    return ".".join(version.split(".")[:2])


def cell(counts: dict[str, int]) -> str:
    """Tell how many tests there are, and how many of them this engine skips."""
    passed, skipped = counts["passed"], counts["skipped"]
    tests = f"{passed} test{'' if passed == 1 else 's'}"
    if not skipped:
        return tests
    return f"{tests}, {skipped} skipped" if passed else "–"


if __name__ == "__main__":
    main()
