"""The page's standard library is trimmed (tools/stdlib.mjs): what is left has all that it needs."""

from __future__ import annotations

import ast
import importlib.util
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ROOT / "node_modules" / "pyodide" / "python_stdlib.zip"
VENDOR = ROOT / "static" / "vendor"
# What pages use to talk to servers, by itself or under requests.
NEEDED = [
    "asyncio",
    "email.parser",
    "http.client",
    "http.cookiejar",
    "http.cookies",
    "netrc",
    "urllib.request",
]
PACKAGES = ["requests", "urllib3", "idna", "certifi", "charset_normalizer"]


def modules(names: Iterable[str]) -> set[str]:
    """Return the modules that an archive's files are."""
    files = {name.removesuffix("c").removesuffix(".py") for name in names if name.endswith((".py", ".pyc"))}
    return {file.removesuffix("/__init__").replace("/", ".") for file in files}


def removed() -> set[str]:
    """Return the modules that Pyodide has and the page hasn't."""
    (archive,) = VENDOR.glob("pyodide-*/python_stdlib.zip")
    with zipfile.ZipFile(WHOLE) as whole, zipfile.ZipFile(archive) as trimmed:
        return modules(whole.namelist()) - modules(trimmed.namelist())


def imports(source: str) -> Iterator[str]:
    """List what a file's top level imports, but for what it can do without."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


async def import_everything(needed):
    import importlib
    import sys
    import zipfile

    archive = next(entry for entry in sys.path if entry.endswith("/python314.zip"))
    files = [
        name.removesuffix(".pyc") for name in zipfile.ZipFile(archive).namelist() if name.endswith(".pyc")
    ]
    missing = {}
    for name in [*needed, *sorted(file.removesuffix("/__init__").replace("/", ".") for file in files)]:
        if name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing[name] = error.name
        except (ImportError, OSError, AttributeError) as error:
            missing[name] = str(error)  # what the platform lacks
    return missing


def test_what_is_kept_needs_nothing_that_is_not(fresh_page):
    """Each module of the page's standard library is imported, and none misses one that was removed."""
    missing = fresh_page()(import_everything, NEEDED)

    assert removed()
    assert {} == {name: lacks for name, lacks in missing.items() if name in NEEDED or lacks in removed()}


@pytest.mark.parametrize("package", PACKAGES)
def test_requests_needs_nothing_that_was_removed(package):
    """What requests is made of imports kept modules only."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    files = [path for folder in spec.submodule_search_locations for path in Path(folder).rglob("*.py")]

    assert files
    assert {} == {
        path.name: sorted(found)
        for path in files
        if not {"tests", "__main__.py"} & set(path.parts)
        and (found := removed() & set(imports(path.read_text())))
    }
