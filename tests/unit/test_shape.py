"""What keeps the library in shape: its exports, which way its imports point, its one border to JavaScript."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import silent_refresh

PACKAGE = Path(silent_refresh.__file__).parent
BORDER = ("browser", "adapters", "workers")
# From the bottom up: what stands on a line imports from lines above it, and from its own folder, without a
# circle.
ORDER = (
    ("errors",),
    ("http",),
    ("events",),
    ("platform.values",),
    ("platform.ports",),
    ("platform.platform",),
    ("session",),
    ("browser",),
    ("platform.current",),
    ("protocol",),
    ("engine",),
    ("workers",),
    ("auth", "client", "stores"),
    ("adapters",),
    ("testing",),
    ("",),
)
FOR_TYPES_ALONE = {("errors", "http.messages")}  # as in httpx: an error tells the request that it is about


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


class Import(NamedTuple):
    """One import of a module of the library by another."""

    by: str
    of: str
    is_lazy: bool
    is_for_types: bool


def name_of(module: Path) -> str:
    """Return the name below the package, ``""`` for the package itself."""
    name = ".".join(module.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix("__init__").removesuffix(".")


def imports_of(module: Path) -> list[Import]:
    """Return the library's own modules that this one imports, wherever in it."""
    names = {name_of(path) for path in modules()}
    package = module.relative_to(PACKAGE).parent.parts
    found = []

    def visit(node: ast.AST, is_lazy: bool, is_for_types: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ImportFrom) and child.level:
                base = package[: len(package) - child.level + 1] + tuple(filter(None, [child.module]))
                for name in {".".join((*base, alias.name)) for alias in child.names} | {".".join(base)}:
                    # The package of a folder says what is in it; what it imports itself is listed for itself.
                    if name in names and not (name and name_of(module).startswith(name + ".")):
                        found.append(Import(name_of(module), name, is_lazy, is_for_types))
            in_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            visit(child, is_lazy or in_function, is_for_types or for_types)

    visit(ast.parse(module.read_text(encoding="utf-8")), False, False)
    return [one for one in found if one.of]


IMPORTS = [one for module in modules() for one in imports_of(module)]


def level(name: str) -> int:
    """Return the line of ORDER that a module stands on."""
    return next(
        number
        for number, places in enumerate(ORDER)
        if any(name == place or (place and name.startswith(place + ".")) for place in places)
    )


def test_the_export_list_is_sorted_and_complete() -> None:
    """Every public name that the package defines is listed, and nothing else."""
    public = {name: getattr(silent_refresh, name) for name in dir(silent_refresh)}
    names = {
        name
        for name, value in public.items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("silent_refresh.")
    }

    assert sorted(silent_refresh.__all__) == silent_refresh.__all__
    assert names == set(silent_refresh.__all__)


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_border_knows_javascript(module: Path) -> None:
    """Everything outside browser/ and adapters/ runs in CPython."""
    foreign = imported(module) & {"js", "pyodide", "pyodide_js", "pyscript"}

    assert not foreign or module.relative_to(PACKAGE).parts[0] in BORDER


@pytest.mark.parametrize("one", IMPORTS, ids=lambda one: f"{one.by} of {one.of}")
def test_imports_point_one_way(one: Import) -> None:
    """From the adapters down to the errors, lazy imports and those for types alike."""
    assert level(one.of) <= level(one.by) or (one.is_for_types and (one.by, one.of) in FOR_TYPES_ALONE)


def test_there_is_no_import_circle() -> None:
    """A module can be read without one that reads it, lazily or not."""
    below: dict[str, set[str]] = defaultdict(set)
    for one in IMPORTS:
        if (one.by, one.of) not in FOR_TYPES_ALONE:
            below[one.by].add(one.of)

    assert {name_of(module) for module in modules()} >= set(TopologicalSorter(below).static_order())


def test_one_place_finds_the_browser() -> None:
    """One lazy import leads into browser/: what is loaded in a browser alone imports it at its top."""
    assert ["platform.current"] == [
        one.by for one in IMPORTS if one.is_lazy and level(one.of) == level("browser") != level(one.by)
    ]


def test_the_door_shows_what_a_user_uses() -> None:
    """``SilentRefresh`` inherits from nothing, and has no public name that adapters alone need."""
    assert (object,) == silent_refresh.SilentRefresh.__bases__
    assert {
        "access_token",
        "authorize",
        "claims",
        "close",
        "complete_authorization",
        "ensure_signed_in",
        "for_resource",
        "listen",
        "next_path",
        "proving",
        "refresh",
        "renewing",
        "restored",
        "sign_in",
        "sign_out",
        "signed_in",
        "tokens",
        "trust",
    } == {name for name in dir(silent_refresh.SilentRefresh) if not name.startswith("_")}


def test_how_a_credential_travels_is_written_once() -> None:
    """One module knows the field and the scheme; bridge.js is told them."""
    spelled = {
        name_of(module)
        for module in modules()
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and node.value in ("Authorization", "authorization", "Bearer", "Bearer ")
    }

    assert {"http.credential"} == spelled
    assert not re.search(
        r"[\"'`](Bearer|Authorization)", (PACKAGE / "browser/bridge.js").read_text(encoding="utf-8"), re.I
    )


def test_there_is_no_dependency() -> None:
    """At run time there's the standard library and the browser."""
    used = set().union(*(imported(module) for module in modules()))
    allowed = {"js", "polyscript", "pyodide", "pyodide_js", "silent_refresh"} | _adapted()

    assert used - set(sys.stdlib_module_names) <= allowed


def _adapted() -> set[str]:
    """Return what the adapters, and the fixtures, are for: who uses one has that library already."""
    folder = PACKAGE / "adapters"
    return {name for name in ("requests", "httpx2") if (folder / f"{name}.py").exists()} | {"pytest"}


def test_what_is_for_tests_is_imported_by_nobody_else() -> None:
    """A page loads nothing of it."""
    assert not [one for one in IMPORTS if one.of.startswith("testing") and not one.by.startswith("testing")]


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
