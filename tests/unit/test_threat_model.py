"""What docs/threat-model.md says: each row has a reference, and each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()
DEFENDED, _, NOT_DEFENDED = TEXT.partition("## What is not defended")
REFERENCES = re.compile(r"(RFC 9700( §\d(\.\d+){0,3},?)+|,? ?ASVS( \d+\.\d+\.\d+,?)+| )+")


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables, without their heads."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [row for row in cells if row[0] != "Threat" and set(row[0]) != {"-"}]


def test_every_row_has_a_reference():
    """RFC 9700 by section, the ASVS by requirement."""
    assert rows(DEFENDED)
    assert rows(NOT_DEFENDED)
    for row in [*rows(DEFENDED), *rows(NOT_DEFENDED)]:
        assert 4 == len(row), row
    for reference in [row[2] for row in rows(DEFENDED)] + [row[3] for row in rows(NOT_DEFENDED)]:
        assert REFERENCES.fullmatch(reference), reference


def test_every_defence_has_tests_that_exist():
    """Each is named as pytest names it, below tests/."""
    for row in rows(DEFENDED):
        named = re.findall(r"`([^`]+)`", row[3])
        assert named, row[0]
        for name in named:
            path, _, function = name.partition("::")
            assert re.search(rf"^(async )?def {function}\(", (ROOT / "tests" / path).read_text(), re.M), name
