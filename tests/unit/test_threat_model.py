"""What docs/threat-model.md says: each row has a reference, and each test that it names exists."""

from __future__ import annotations

import re

from tests.unit.tables import TESTS, rows, what_tests_say

TEXT = (TESTS.parent / "docs" / "threat-model.md").read_text()
DEFENDED, _, REST = TEXT.partition("## What is not defended")
NOT_DEFENDED, _, RFC_10017 = REST.partition("## RFC 10017")
REFERENCES = re.compile(r"(RFC 9700( §\d(\.\d+){0,3},?)+|,? ?ASVS( \d+\.\d+\.\d+,?)+| )+")


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
            assert function in what_tests_say(path), name


def test_what_rfc_10017_asks_is_met_by_tests_or_told():
    """Each row names its section; what is met has tests that exist, what isn't says why."""
    assert rows(RFC_10017)
    for asked, met, how, tests in rows(RFC_10017):
        assert re.search(r" \(§[6-9](\.\d+)+\)$", asked), asked
        assert how, asked
        named = re.findall(r"`([^`]+)::([^`]+)`", tests)
        assert named or not met.startswith("met"), asked
        for path, function in named:
            assert function in what_tests_say(path), function
