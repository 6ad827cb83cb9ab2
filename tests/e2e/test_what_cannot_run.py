"""Where the library can't run it says so at once, in words of that host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = """
import { loadPyodide } from "pyodide";
const pyodide = await loadPyodide();
pyodide.mountNodeFS("/app", "./app");
pyodide.runPython("import sys; sys.path.append('/app'); from silent_refresh import SilentRefresh");
try { pyodide.runPython("SilentRefresh()"); } catch (error) { console.log(error.message); }
"""
DENO = ("node_modules/deno/bin.cjs", "run", "--allow-all", "--node-modules-dir=manual", "--ext=mjs")
HOSTS = {"node": ("node", "--input-type=module", "-"), "deno": ("node", *DENO, "-")}
# MicroPython calls itself so; it reads the file down to there.
IN_MICROPYTHON = "import sys; sys.implementation.name = 'micropython'; import silent_refresh"


def said_by(*command: str, given: str = "") -> str:
    """Return what a command says to a text that it is given, of errors too."""
    ran = subprocess.run(
        command, cwd=ROOT, input=given, capture_output=True, text=True, check=False, timeout=300
    )
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("host", ["node", "deno"])
def test_no_browser(host: str) -> None:
    """The import works, for tests and for code that is shared; a session needs a browser."""
    said = said_by(*HOSTS[host], given=ELSEWHERE)

    assert "RuntimeError: silent_refresh needs a browser's page or worker" in said
    assert "silent_refresh.testing" in said


def test_micropython() -> None:
    """It isn't the ImportError of __future__ that people have to make sense of."""
    said = said_by(sys.executable, "-c", f"import sys; sys.path.insert(0, 'app'); {IN_MICROPYTHON}")

    assert 'ImportError: silent_refresh needs Pyodide, which is CPython: write <script type="py">' in said
