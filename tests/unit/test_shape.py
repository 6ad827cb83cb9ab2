"""What keeps the library in shape: its exports, its one border to JavaScript, no dependency."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import silent_refresh

PACKAGE = Path(silent_refresh.__file__).parent
BORDER = ("browser", "adapters")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(module: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_export_list_is_sorted_and_complete() -> None:
    """Every public name that the package defines is listed, and nothing else."""
    names = {
        name
        for name, value in vars(silent_refresh).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("silent_refresh.")
    }

    assert sorted(silent_refresh.__all__) == silent_refresh.__all__
    assert names == set(silent_refresh.__all__)


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_border_knows_javascript(module: Path) -> None:
    """Everything outside browser/ and adapters/ runs in CPython."""
    foreign = imported(module) & {"js", "pyodide", "pyodide_js", "pyscript"}

    assert not foreign or module.relative_to(PACKAGE).parts[0] in BORDER


def test_there_is_no_dependency() -> None:
    """At run time there's the standard library and the browser."""
    used = set().union(*(imported(module) for module in modules()))
    allowed = {"js", "polyscript", "pyodide", "pyodide_js", "silent_refresh"} | _adapted()

    assert used - set(sys.stdlib_module_names) <= allowed


def _adapted() -> set[str]:
    """Return what the adapters are for: a page that uses one has that library already."""
    folder = PACKAGE / "adapters"
    return {name for name in ("requests", "httpx2") if (folder / f"{name}.py").exists()}


def test_importing_it_is_cheap() -> None:
    """What is costly to load in a browser is loaded when it is used."""
    costly = {"urllib.parse", "email.utils", "hashlib", "base64", "http", "dataclasses", "uuid", "inspect"}
    command = f"old = set(sys.modules); import silent_refresh; print({costly!r} & set(sys.modules) - old)"

    result = subprocess.run(
        # asyncio is there before any page code runs; logging is part of it.
        [sys.executable, "-c", "import asyncio, json, logging, pathlib, sys, typing;" + command],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "set()" == result.stdout.strip()


def test_outside_a_browser_it_says_what_to_do() -> None:
    """``SilentRefresh()`` in CPython names the way out."""
    with pytest.raises(RuntimeError, match="platform="):
        silent_refresh.SilentRefresh()
