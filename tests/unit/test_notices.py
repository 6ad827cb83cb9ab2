"""What the licenses of the run-times in static/vendor ask for: a notice that is true, and their texts."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from app.server.static_files import StaticFiles

ROOT = Path(__file__).resolve().parents[2]
LOCK = json.loads((ROOT / "package-lock.json").read_text())["packages"]
SHIPPED = {"pyodide": "node_modules/pyodide", "pyscript": "node_modules/@pyscript/core/dist"}
TEXT = re.compile(r"^=+\n(\S+ \S+): [^\n]+\n=+\n\n(.*?)(?=\n\n=+\n|\Z)", re.MULTILINE | re.DOTALL)
NOTICES = {"NOTICE.txt", "LICENSES.txt"}


def vendored(name: str) -> Path:
    """Return the folder of a run-time, whose version is in its name."""
    (folder,) = (ROOT / "static" / "vendor").glob(f"{name}-*")
    return folder


def text(name: str, file: str) -> str:
    """Return one of the two texts of a run-time."""
    return (vendored(name) / file).read_text()


def needed_by(package: str) -> set[str]:
    """Return a package of the lock file and all that it needs, as `name version`."""
    found: set[str] = set()
    queue = [f"node_modules/{package}"]
    for path in queue:
        found.add(f"{path.rpartition('node_modules/')[2]} {LOCK[path]['version']}")
        for name in LOCK[path].get("dependencies", {}):
            places = [f"{path}/node_modules/{name}", f"node_modules/{name}"]
            queue.append(next(place for place in places if place in LOCK))
    return found


def test_each_run_time_has_its_notices():
    """Nothing is in the folder without, and the server hands both out."""
    folders = [path for path in (ROOT / "static" / "vendor").iterdir() if path.is_dir()]
    server = StaticFiles(ROOT, lab=False)

    assert len(SHIPPED) == len(folders)
    for folder in folders:
        for name in NOTICES:
            assert server.locate(f"/static/vendor/{folder.name}/{name}") == folder / name


def test_the_page_names_them():
    """Each run-time that it loads."""
    page = (ROOT / "index.html").read_text()
    loaded = set(re.findall(r'"/static/vendor/([^/]+)/', page))

    assert loaded == set(re.findall(r'<link rel="license" href="/static/vendor/([^/]+)/NOTICE.txt">', page))


@pytest.mark.parametrize("name", SHIPPED)
def test_what_was_changed_is_told(name):
    """Exactly the files that differ from those of the npm package, and no other, under the word "Changed"."""
    shipped, notice = ROOT / SHIPPED[name], text(name, "NOTICE.txt")
    files = {path.name: path for path in vendored(name).iterdir()}
    changed = {
        file
        for file, path in files.items()
        if path.suffix not in (".br", ".gz", ".zst")
        and not ((shipped / file).is_file() and (shipped / file).read_bytes() == path.read_bytes())
    }

    told = re.search(r"^Changed by silent-refresh:\n\n(?P<list>.*?)\n\n", notice, re.MULTILINE | re.DOTALL)
    named = re.findall(r"^- (\S+)", told["list"], re.MULTILINE) if told else []
    assert sorted(changed - NOTICES) == sorted(named)


def test_pyodide_comes_with_its_licenses():
    """Mozilla's for Pyodide, with where its source is; Python's for CPython; those of what is linked in."""
    version = vendored("pyodide").name.partition("-")[2]
    python = json.loads((vendored("pyodide") / "pyodide-lock.json").read_text())["info"]["python"]
    notice, licenses = text("pyodide", "NOTICE.txt"), text("pyodide", "LICENSES.txt")

    assert f"Pyodide {version}\nLicense: MPL-2.0" in notice
    assert f"Source:  https://github.com/pyodide/pyodide/tree/{version}\n" in notice
    assert f"CPython {python}\nLicense: PSF-2.0" in notice
    assert f"Source:  https://github.com/python/cpython/tree/v{python}\n" in notice
    for words in (
        "Mozilla Public License Version 2.0",
        "3.2. Distribution of Executable Form",
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
        "Zstandard     Copyright",
        "SQLite",
    ):
        assert words in licenses


def test_pyscript_comes_with_its_licenses():
    """Apache's, and that of each package that is built in."""
    notice, licenses = text("pyscript", "NOTICE.txt"), text("pyscript", "LICENSES.txt")
    packages = needed_by("@pyscript/core")
    texts = dict(TEXT.findall(licenses))

    assert len(packages) > 10
    assert packages == texts.keys()
    for package in packages - {f"@pyscript/core {vendored('pyscript').name.partition('-')[2]}"}:
        assert f"- {package}: " in notice
    for package, words in texts.items():
        assert re.search(r"Apache License|Permission is hereby granted|Permission to use", words), package
    for words in ("codemirror_view", "xterm_addon-fit", "zip.js        Copyright"):
        assert words in licenses


def test_each_wheel_brings_its_license():
    """Into the page's archive too, for what is in that."""
    wheels = list((ROOT / "static" / "wheels").glob("*.whl"))

    assert wheels
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            licenses = [name for name in archive.namelist() if re.search(r"dist-info/.*LICEN[CS]E", name)]
            assert licenses, wheel.name
        if wheel.name in (ROOT / "pyscript.toml").read_text():
            continue  # the page loads it as it is
        with zipfile.ZipFile(ROOT / "static" / "page" / "page.zip") as page:
            assert set(licenses) <= set(page.namelist())
