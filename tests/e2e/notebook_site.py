"""What JupyterLite's and marimo's pages are made of here, where there is no CDN.

Both have a worker load Pyodide, and Pyodide load wheels by a lock file: `write_kernel` puts npm's Pyodide,
wheels of requirements/kernels.txt, and a lock file that names them, into one folder. `serve_site` has a
folder's files at the origin of the API: what runs there has the session of that origin.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

from tests.e2e.guide_site import type_of
from tests.e2e.site_before import Answer, site_before

ROOT = Path(__file__).resolve().parents[2]
NPM = ROOT / "node_modules"
FOLDER = Path(sys.executable).parents[1] / "notebooks"
WHEELS = FOLDER / "wheels"
REQUIREMENT = r"^Requires-Dist: ([\w.-]+)(?!.*\bextra\b)"
RUN_TIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def run_tool(*command: str, folder: Path, tools: Path = FOLDER) -> None:
    """Run a program that is installed for this, by its module's name; `tools` are more that it may run."""
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={"PYTHONPATH": str(FOLDER), "PATH": f"{tools}:/usr/bin:/bin", "HOME": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def write_kernel(folder: Path, pyodide: str, names: tuple[str, ...], *more: Path) -> None:
    """Put npm's `pyodide`, these packages' wheels and `more` into a folder, with a lock file of them."""
    folder.mkdir(parents=True)
    source = NPM / pyodide
    for name in RUN_TIME:
        shutil.copy(source / name, folder)
    lock = json.loads((source / "pyodide-lock.json").read_text())
    patterns = [f"{name.replace('-', '_')}-[0-9]*.whl" for name in names]
    wheels = [*(wheel for pattern in patterns for wheel in WHEELS.glob(pattern)), *more]
    assert len(names) + len(more) == len(wheels)
    lock["packages"] = {entry["name"]: entry for entry in map(_locked, wheels)}
    for entry in lock["packages"].values():
        entry["depends"] = [name for name in entry["depends"] if name in lock["packages"]]
    for wheel in wheels:
        shutil.copy(wheel, folder)
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))


def without_compiled(package: str, folder: Path) -> Path:
    """Return a wheel of a package that does without its compiled part; none is published for the browser."""
    (info,) = FOLDER.glob(f"{package}-*.dist-info")
    wheel = folder / f"{info.stem}-py3-none-any.whl"
    modules = (info / "RECORD").read_text().splitlines()
    with ZipFile(wheel, "w") as archive:
        for name in (line.partition(",")[0] for line in modules):
            if name.endswith(".py") or name.startswith(info.name):
                archive.write(FOLDER / name, name)
    return wheel


def _locked(wheel: Path) -> dict[str, Any]:
    with ZipFile(wheel) as archive:
        files = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in files if name.endswith(".dist-info/METADATA"))
    tops = {Path(file).parts[0] for file in files}
    return {
        "name": _normal(wheel.name.partition("-")[0]),
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted({top.removesuffix(".py") for top in tops if re.fullmatch(r"\w+(\.py)?", top)}),
        "depends": [_normal(name) for name in re.findall(REQUIREMENT, metadata, re.M)],
        "unvendored_tests": False,
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@contextmanager
def serve_site(server: str, prefix: str, folder: Path) -> Iterator[str]:
    """Serve a folder's files under a path before the server at that address; give the address of both."""

    def answer(path: str) -> Answer | None:
        if not path.startswith(prefix):
            return None
        name = unquote(path.removeprefix(prefix))
        file = folder / (f"{name}index.html" if name.endswith("/") or not name else name)
        if not file.is_file():
            return Answer(b"", status=404)
        return Answer(file.read_bytes(), {"Content-Type": type_of(file.name)})

    with site_before(server, answer) as url:
        yield url
