"""Reads the tables of the docs, and the tests that they name."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables, without their heads."""
    lines = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    rules = {number for number, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for number, row in enumerate(cells) if not {number, number + 1} & rules]


@cache
def what_tests_say(path: str) -> dict[str, str]:
    """Return each test of a file below tests/, with its own name and docstring and the file's docstring."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        function.name: f"{function.name} {ast.get_docstring(function)} {ast.get_docstring(tree)}"
        for function in functions
    }
