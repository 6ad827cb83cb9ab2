"""What tests and tools import of each other is there: CI doesn't run all of them, benchmarks say."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob("tests/**/*.py"), *ROOT.glob("tools/*.py")])


@cache
def names_in(path: Path) -> set[str]:
    """Return what a module has at its top, as far as its text tells."""
    names = {"__doc__"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def is_there(module: str, name: str) -> bool:
    """Tell whether one of the project's own modules has it, a module in its folder counts too."""
    folder = ROOT.joinpath(*module.split("."))
    file = folder.with_suffix(".py")
    if (folder / f"{name}.py").is_file() or (folder / name).is_dir():
        return True
    file = file if file.is_file() else folder / "__init__.py"
    return file.is_file() and name in names_in(file)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_is_there(path: Path) -> None:
    """A module that was moved, or a name that was changed, is missed by nobody."""
    missing = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.level == 0
        and node.module.partition(".")[0] in ("tests", "tools")
        for alias in node.names
        if not is_there(node.module, alias.name)
    ]

    assert [] == missing
