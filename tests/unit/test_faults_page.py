"""What docs/faults.md says: each number that the tests name is in it, and each row has tests that name it."""

from __future__ import annotations

import re

import pytest

from tests.unit.tables import TESTS, rows, what_tests_say

TEXT = (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
FAULTS, _, INVARIANTS = TEXT.partition("## What always holds")
NOT_YET = "– not yet"
NUMBER = re.compile(r"\bF(\d{1,2})\b|(?<=_)f(\d{1,2})(?=_)")
TEST = re.compile(r"\[(?P<path>[^]]+)\]\(\.\./tests/(?P=path)\)(?: `(?P<name>\w+)`)?")


def numbers(text: str) -> set[int]:
    """Return the numbers of the faults that a text names, as ``F14`` or as ``_f14_``."""
    return {int("".join(found)) for found in NUMBER.findall(text)}


def named(cell: str) -> list[tuple[str, str]]:
    """Return the files, and the tests in them, that a cell names."""
    tests = [TEST.fullmatch(test) for test in cell.split("<br>")]
    assert all(tests), cell
    return [(test["path"], test["name"]) for test in tests if test is not None]


def looks_at(path: str, number: str) -> bool:
    """Whether a file of tests checks an invariant."""
    return re.search(rf"\bholds\(\s*{number},", (TESTS / path).read_text(encoding="utf-8")) is not None


def test_every_number_in_the_tests_has_a_row():
    """Whoever meets one can read what it means; and what a test names is no longer to come."""
    in_tests = set().union(*(numbers(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")))
    listed = [row[0] for row in rows(FAULTS)]

    assert len(set(listed)) == len(listed)
    assert {f"F{number}" for number in in_tests} == {row[0] for row in rows(FAULTS) if row[3] != NOT_YET}


@pytest.mark.parametrize("row", rows(FAULTS), ids=lambda row: row[0])
def test_every_row_has_tests_that_name_it(row):
    """Each is in the file that the link leads to; its name, its docstring or the file's has the number."""
    number, *texts, tests = row

    assert 2 == len(texts)
    assert all(texts)
    for path, name in named(tests) if tests != NOT_YET else []:
        assert numbers(number) <= numbers(what_tests_say(path)[name]), name


def test_every_invariant_is_looked_at():
    """What watches the engine has its number, some test may show more of it; and no number is missing."""
    invariants = rows(INVARIANTS)

    assert [str(number) for number in range(1, len(invariants) + 1)] == [row[0] for row in invariants]
    for number, text, tests in invariants:
        assert text
        for path, name in named(tests) if tests != NOT_YET else []:
            assert name in what_tests_say(path) if name else looks_at(path, number), f"{number} in {path}"
