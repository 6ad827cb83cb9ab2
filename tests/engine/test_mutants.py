"""The tests would notice: each mutant of the engine is made, and must be caught.

A mutant is a copy of the library in which one precaution is missing. The tests of one file in ``tests/unit``
run over it; the first that fails has caught it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# name: (the tests that catch it, [(module, what is there, what the mutant has), …])
MUTANTS = {
    "no journal in the lock": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "        entry = await self._read()\n        await self._until_visible(entry)\n",
                "        entry = None\n        await self._until_visible(entry)\n",
            )
        ],
    ),
    "no journal at the start": (
        "test_bound_tokens",
        [
            (
                "session/reconciled.py",
                "        if not self.is_known:\n            await self._ask_journal()\n",
                "        if False:\n            await self._ask_journal()\n",
            )
        ],
    ),
    "the journal is written when the lock is free": (
        "test_journal",
        [
            (
                "session/durable.py",
                "        await self._do(self._tell_tabs(entry))\n",
                "        asyncio.get_running_loop().call_later(0.5, self._spawn, self._tell_tabs(entry))\n",
            )
        ],
    ),
    "a sign-out that is not in the journal": (
        "test_bound_tokens",
        [
            (
                "session/manager.py",
                "        await self._publish(JournalEntry(number, ended.id, ended=True))\n",
                "        self._coordinator.announce(Mark(number, ended.id, ended=True))\n",
            )
        ],
    ),
    "a store that is behind is trusted": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "        return session.generation <= entry.generation\n",
                "        return False\n",
            ),
        ],
    ),
    "a dead end where nothing newer is to be had": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "            return  # then what there is has to do; the token server has the last word\n",
                '            raise RefreshUnavailable("another tab has it") from None\n',
            )
        ],
    ),
    "a store that was cleared is filled again": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "session is not None or not self._is_in_store(entry) or self._record.is_foreign",
                "True",
            )
        ],
    ),
    "a record stays hidden beside another session's": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "stored is None or stored.generation < entry.generation",
                "True",
            )
        ],
    ),
    "a worker's session is not in the journal": (
        "test_worker_hosts",
        [("session/reconciled.py", "return entry.in_store and self._keeps", "return entry.in_store")],
    ),
    "what a crash has lost counts as cleared": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "        if not self.is_known and self._was_lost(entry):\n",
                "        if False:\n",
            )
        ],
    ),
    "tokens are sent before the journal was asked": (
        "test_bound_tokens",
        [
            (
                "engine/renewal.py",
                "        return session if self._manager.is_known else None\n",
                "        return session\n",
            )
        ],
    ),
    "a sign-in that other tabs may undo before it is settled": (
        "test_journal",
        [
            (
                "session/reconciled.py",
                "        if session.id in self._unsettled:\n            return False  # it is about",
                "        if False:\n            return False  # it is about",
            )
        ],
    ),
    "another application's record": (
        "test_journal",
        [
            (
                "session/record.py",
                "        if _owner_of(text) in (None, self.owner):\n",
                "        if True:\n",
            )
        ],
    ),
    "two storage keys": (
        "test_record",
        [
            (
                "session/record.py",
                "            self._store.set(self._find()[0], self.text_of(session))\n",
                "            self._store.set(self._find()[0], self.text_of(session))\n"
                '            self._store.set("refreshToken", session.tokens.refresh_token or "")\n',
            )
        ],
    ),
    "no session check before replay": (
        "test_on_the_wire",
        [
            ("engine/pipeline.py", "        if self._manager.is_over(session) or self", "        if self"),
            ("engine/renewal.py", "if current is None or current.id != refused.id:", "if current is None:"),
        ],
    ),
    "retry on a rejected refresh token": (
        "test_resumed",
        [
            (
                "engine/backoff.py",
                "    if not isinstance(result, Unavailable) or not result.again:\n",
                "    if isinstance(result, Rejected) and attempt == 0:\n        return 0.0\n"
                "    if not isinstance(result, Unavailable) or not result.again:\n",
            ),
            (
                "engine/backoff.py",
                "import LONGEST_PAUSE, RefreshResult, Unavailable",
                "import LONGEST_PAUSE, RefreshResult, Rejected, Unavailable",
            ),
        ],
    ),
    "state not reset on failure": (
        "test_answered_tokens",
        [
            (
                "engine/renewal.py",
                "        if self._in_flight is in_flight:\n",
                "        if self._in_flight is in_flight and isinstance(outcome, Session):\n",
            )
        ],
    ),
    "stale-token check removed": (
        "test_journal",
        [("engine/renewal.py", "        elif self._in_flight is None:\n", "        elif False:\n")],
    ),
    "subscribers dropped on failure": (
        "test_bound_tokens",
        [
            (
                "engine/in_flight.py",
                "                waiter.set_exception(copy_of(self._outcome))\n",
                "                waiter.set_exception(copy_of(self._outcome))\n                return\n",
            )
        ],
    ),
    "waiters go on before the commit": (
        "test_answered_tokens",
        [
            (
                "session/manager.py",
                "        await self._commit(session)\n        if self.is_over(session):\n",
                "        self.session = session\n"
                "        asyncio.get_running_loop().call_later(0.5, self._spawn, self._commit(session))\n"
                "        if self.is_over(session):\n",
            )
        ],
    ),
    "an admission that is lost": (
        "test_limiter",
        [("engine/limiter.py", "            if not admission.cancelled():", "            if False:")],
    ),
    "no session check after the wait": (
        "test_limiter",
        [
            (
                "engine/pipeline.py",
                "            if session is not None and self._manager.is_over(session):\n",
                "            if False:\n",
            )
        ],
    ),
    "nobody is admitted": (
        "test_limiter",
        [("engine/pipeline.py", "            if limiter.waiting:\n", "            if False:\n")],
    ),
    "a sign-out that other tabs may undo": (
        "test_what_the_user_does",
        [
            (
                "session/reconciled.py",
                "        if stored is not None and stored.generation <= self._dead.get(stored.id, 0):\n",
                "        if False:\n",
            )
        ],
    ),
    "a renewal that was ended is waited for": (
        "test_endings",
        [("engine/in_flight.py", "        self._task.add_done_callback(self._ended)\n", "")],
    ),
    "a renewal that is overdue is waited for": (
        "test_endings",
        [("engine/in_flight.py", "loop.time() + patience", "loop.time() + 1e9")],
    ),
    "what waited in vain is sent as another user": (
        "test_cookies_alone",
        [
            (
                "engine/pipeline.py",
                "before is not None and (current is None or current.id != before.id)",
                "current is None",
            )
        ],
    ),
    "one request waits in vain twice": (
        "test_renewals_ahead",
        [("engine/pipeline.py", "        if unavailable is not None and", "        if False and")],
    ),
    "a renewal ahead that fails holds the request up": (
        "test_cookies_alone",
        [("engine/pipeline.py", "            return current, before, error\n", "            raise\n")],
    ),
    "the page's last requests wait": (
        "test_renewals_ahead",
        [
            (
                "engine/pipeline.py",
                "    return request.options is not None and bool(",
                "    return False and bool(",
            )
        ],
    ),
    "renewals in vain without a pause": (
        "test_refusals",
        [("engine/refusals.py", "return now < self._until or (", "return (")],
    ),
    "a renewal without its proof": (
        "test_bound_tokens",
        [
            (
                "protocol/token_request.py",
                "            if endpoint.dpop:\n                request = request.with_proof(",
                "            if False:\n                request = request.with_proof(",
            )
        ],
    ),
    "a pause though renewals help": (
        "test_refusals",
        [("engine/pipeline.py", "            self._refusals.forget()\n", "            pass\n")],
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, tmp_path: Path) -> None:
    """Without this precaution the tests fail."""
    shutil.copytree(ROOT / "app" / "silent_refresh", tmp_path / "silent_refresh")
    tests, changes = MUTANTS[name]
    for module, original, mutated in changes:
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
        [*pytest_run, "-o", f"pythonpath={tmp_path} app .", f"tests/unit/{tests}.py"],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "examples")},
        capture_output=True,
        text=True,
    )

    assert pytest.ExitCode.TESTS_FAILED == result.returncode, result.stdout + result.stderr
