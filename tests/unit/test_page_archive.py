"""The page's archive: all Python that the page loads, compiled, in one file."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ("tools", "app/silent_refresh", "app/demo", "static/wheels")
SCRIPT = "demo/main.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the archive is made of, and make it."""
    project = copy(tmp_path_factory.mktemp("project"))
    pack(project)
    return project


def copy(project: Path) -> Path:
    """Copy what the archive is made of into a folder."""
    for name in INPUTS:
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyscript.toml", project)
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    return project


def pack(project: Path) -> str:
    """Make the archive and return what was said about it."""
    command = ["node", "tools/page.mjs"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout


def archive(project: Path) -> dict[str, bytes]:
    """Return what the archive holds."""
    with zipfile.ZipFile(project / "static" / "page" / "page.zip") as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_it_holds_every_python_file(project):
    """The library's and the demo's are in it, but for what the page fetches, and what is for tests."""
    app = project / "app"
    files = {path.relative_to(app).as_posix(): path.read_bytes() for path in app.rglob("*.py")}
    for_tests = {name for name in files if name.startswith("silent_refresh/testing/")}
    sources = {name: text for name, text in files.items() if name not in {SCRIPT, *for_tests}}
    packed = archive(project)

    assert sources == {name: packed.get(name) for name in sources}
    assert SCRIPT not in packed
    assert for_tests
    assert not for_tests & packed.keys()


def test_everything_is_compiled(project):
    """Each source has its compiled form beside it, so that the page compiles nothing."""
    packed = archive(project)
    sources = {name for name in packed if name.endswith(".py")}

    assert sources
    assert {f"{name}c" for name in sources} == {name for name in packed if name.endswith(".pyc")}


def test_it_holds_the_locked_wheels_and_pyscripts_package(project):
    """What requirements/browser.txt pins is unpacked in it; so is what PyScript would write and compile.

    But for what pyscript.toml names for later: that is there, and not in the way of the start.
    """
    packed = archive(project)
    lock = (ROOT / "requirements" / "browser.txt").read_text()
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock, re.MULTILINE)
    metadata = {name.partition("/")[0] for name in packed if ".dist-info/" in name}
    later = tomllib.loads((ROOT / "pyscript.toml").read_text())["later"]["requests"]
    wheels = {name.rpartition("/")[2].removesuffix("-py3-none-any.whl") for name in later}

    assert all((ROOT / name.lstrip("/")).is_file() for name in later)
    assert 5 == len(wheels)
    assert {f"{name.replace('-', '_')}-{version}" for name, version in pinned} == wheels | {
        name.removesuffix(".dist-info") for name in metadata
    }
    assert not wheels & {name.removesuffix(".dist-info") for name in metadata}
    assert "pyscript/__init__.pyc" in packed


def test_it_is_made_when_something_changed_only(tmp_path):
    """The same files are not packed again; a new, a changed and a vanished file each are reason to."""
    project = copy(tmp_path)
    for other in sorted((project / "app").rglob("*.py"))[1:]:  # to compile them takes time
        other.unlink()
    module = project / "app" / "silent_refresh" / "added.py"

    assert "static/page/page.zip\n" == pack(project)
    assert "" == pack(project)
    for content in (b"a = 1\n", b"a = 2\n"):
        module.write_bytes(content)
        assert "static/page/page.zip\n" == pack(project)
        assert content == archive(project)["silent_refresh/added.py"]
    module.unlink()
    assert "static/page/page.zip\n" == pack(project)
    assert "silent_refresh/added.pyc" not in archive(project)


def test_the_same_files_give_the_same_archive(project, tmp_path):
    """Made a second time it has the same bytes, so that browsers keep theirs."""
    first = (project / "static" / "page" / "page.zip").read_bytes()
    shutil.rmtree(project / "static" / "page")
    pack(project)

    assert first == (project / "static" / "page" / "page.zip").read_bytes()
