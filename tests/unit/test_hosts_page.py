"""What docs/hosts.md says: each word of its table leads to a test that there is."""

from __future__ import annotations

import re

import pytest

from tests.unit.tables import TESTS, rows, what_tests_say

TEXT = (TESTS.parent / "docs" / "hosts.md").read_text(encoding="utf-8")
CELL = re.compile(r'\[(yes|it says no)\]\(\.\./tests/(?P<path>\S+) "(?P<name>\w+)"\)')


@pytest.mark.parametrize("row", rows(TEXT), ids=lambda row: row[0])
def test_every_word_leads_to_its_test(row: list[str]) -> None:
    """A dash is what no test shows."""
    host, *cells = row

    assert host
    assert 5 == len(cells)
    for cell in cells:
        found = CELL.fullmatch(cell)
        assert cell == "–" or found, cell
        assert not found or found["name"] in what_tests_say(found["path"]), cell
