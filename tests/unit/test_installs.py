"""What `make` installs: wheels, by hash. Building a source distribution would run its code."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGETS = [
    ".venv/.server-ready",
    ".venv/.ready",
    ".venv/.wheel-ready",
    ".venv/.niquests-ready",
    ".venv/.httpx-ready",
    ".venv/.notebooks-ready",
    ".venv/.conformance-ready",
    ".venv/.lock-ready",
    "static/wheels/.ready",
]
INSTALL = re.compile(r"python -m pip .*?\b(install|download) (?P<options>.*) -r (?P<lock>\S+)$", re.MULTILINE)
SOURCE = {
    "PKG-INFO": "Metadata-Version: 2.1\nName: helpful\nVersion: 1.0\n",
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": 'open({ran!r}, "w").close()\n',
}


def installs() -> dict[str, str]:
    """Return the options with which `make` installs each lock file."""
    command = ["make", "--dry-run", "--always-make", *TARGETS]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {found["lock"]: found["options"] for found in INSTALL.finditer(said)}


def test_each_install_takes_wheels_of_known_hashes():
    """Each lock file is installed so, and is compiled from what has wheels."""
    found = installs()

    assert {f"requirements/{path.name}" for path in ROOT.glob("requirements/*.txt")} == found.keys()
    for options in found.values():
        assert "--require-hashes --only-binary :all:" in options
    assert '"--only-binary=:all:"' in (ROOT / "tools" / "lock.py").read_text()


def test_a_source_distribution_is_not_built(tmp_path):
    """Even one of the right hash: its build would run code, with tools that nobody pinned."""
    ran, archive = tmp_path / "ran", tmp_path / "helpful-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as source:
        for name, text in SOURCE.items():
            content = text.format(ran=str(ran)).encode() if name.endswith(".py") else text.encode()
            entry = tarfile.TarInfo(f"helpful-1.0/{name}")
            entry.size = len(content)
            source.addfile(entry, io.BytesIO(content))
    lock = tmp_path / "lock.txt"
    lock.write_text(f"helpful==1.0 --hash=sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}\n")
    here = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "target")]
    options = installs()["requirements/server.txt"].split()

    ended = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, *here, "-r", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert not ran.exists()
    assert "No matching distribution found for helpful==1.0" in ended.stderr
