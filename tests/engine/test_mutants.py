"""The tests would notice: each mutant of the engine is made, and must be caught.

A mutant is a copy of the library in which one precaution is missing. The other tests of this folder and
``tests/unit`` run over it; the first that fails has caught it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OTHER_TESTS = [
    "--ignore=tests/engine/test_mutants.py",
    "--ignore=tests/unit/test_project_files.py",
    "tests/unit",
    "tests/engine",
]
PUBLISH = "        await self._publish(Mark(session.generation, session.id, ended=False))\n        return not"

# name: (module, what is there, what the mutant has), …
MUTANTS = {
    "no fence": [
        (
            "vault.py",
            "        mark = await self._coordinator.read_mark()\n        if mark is not None and not self",
            "        mark = None\n        if mark is not None and not self",
        )
    ],
    "two storage keys": [
        (
            "record.py",
            "            self._store.set(self._store.key, session.to_json())\n",
            "            self._store.set(self._store.key, session.to_json())\n"
            '            self._store.set("refreshToken", session.tokens.refresh_token or "")\n',
        )
    ],
    "no session check before replay": [
        ("auth.py", "        if self._vault.is_over(session) or self", "        if self"),
        ("renewal.py", "if current is None or current.id != refused.id:", "if current is None:"),
    ],
    "retry on a rejected refresh token": [
        (
            "renewal.py",
            "        if not isinstance(outcome, Unavailable) or attempt >= self._retries:\n",
            "        if isinstance(outcome, Rejected) and attempt == 0:\n            return 0.0\n"
            "        if not isinstance(outcome, Unavailable) or attempt >= self._retries:\n",
        )
    ],
    "state not reset on failure": [
        (
            "renewal.py",
            "        if self._flight is flight:\n",
            "        if self._flight is flight and isinstance(outcome, Session):\n",
        )
    ],
    "stale-token check removed": [
        ("renewal.py", "        elif self._flight is None:\n", "        elif False:\n")
    ],
    "subscribers dropped on failure": [
        (
            "flight.py",
            "                waiter.set_exception(copy_of(outcome))\n",
            "                waiter.set_exception(copy_of(outcome))\n                return\n",
        )
    ],
    "waiters go on before the commit": [
        (
            "vault.py",
            "        self._keep(session)\n" + PUBLISH,
            "        self.session = session\n"
            "        asyncio.get_running_loop().call_later(0.5, self._keep, session)\n        return not",
        )
    ],
    "a turn that is lost": [("crowd.py", "            if not turn.cancelled():", "            if False:")],
    "no session check after the turn": [
        (
            "auth.py",
            "            if session is not None and self._vault.is_over(session):\n",
            "            if False:\n",
        )
    ],
    "nobody has a turn": [("auth.py", "            if crowd.held:\n", "            if False:\n")],
    "a sign-out that other tabs may undo": [
        (
            "vault.py",
            "        if stored is not None and stored.generation <= self._dead.get(stored.id, 0):\n",
            "        if False:\n",
        )
    ],
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, tmp_path: Path) -> None:
    """Without this precaution the tests fail."""
    shutil.copytree(ROOT / "app" / "silent_refresh", tmp_path / "silent_refresh")
    for module, original, mutated in MUTANTS[name]:
        path = tmp_path / "silent_refresh" / module
        text = path.read_text(encoding="utf-8")
        assert 1 == text.count(original), f"{module} has changed: write this mutant anew"
        path.write_text(text.replace(original, mutated), encoding="utf-8")
    pytest_run = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "--tb=line",
        "-p",
        "no:cacheprovider",
    ]

    result = subprocess.run(
        [*pytest_run, "-o", f"pythonpath={tmp_path} app .", *OTHER_TESTS],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "examples")},
        capture_output=True,
        text=True,
    )

    assert pytest.ExitCode.TESTS_FAILED == result.returncode, result.stdout + result.stderr
