"""What a page loads that only uses ``Client`` and ``SilentRefresh``: each module costs it time.

tests/e2e/test_page_modules.py has the same in a browser.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import silent_refresh


def _in(folder: str, names: str) -> list[str]:
    return [folder, *(f"{folder}.{name}" for name in names.split())]


AT_THE_START = [  # of a page in CPython; a browser's has IN_A_BROWSER as well
    "auth",
    "client",
    "errors",
    "events",
    *_in(
        "engine",
        "backoff in_flight limiter local_session login login_address origins pipeline refusals renewal",
    ),
    *_in("http", "body challenges credential fields form json messages"),
    *_in("platform", "current platform values"),
    *_in("protocol", "endpoint guard options result token_request"),
    *_in("session", "durable manager memory reconciled record shared time_limit tokens"),
]
IN_A_BROWSER = [
    *_in("browser", "bridge coordinator futures page storage sync transport"),
    "session.journal",
]
WITH_AN_ANSWER = ["protocol.answer", "protocol.presets", "protocol.words"]  # to a sign-in or a refresh call
WITH_THE_END = ["protocol.revocation"]

PAGE = """
import asyncio, json, sys
from silent_refresh import Client, SilentRefresh

def loaded():
    names = {name.partition(".")[2] for name in sys.modules if name.split(".")[0] == "silent_refresh"}
    return sorted(name for name in names if name and not name.startswith("testing"))

at_import = loaded()
from silent_refresh.testing import FakeServer

async def live():
    server = FakeServer()
    server.answer("GET", "/api/profile", {})
    with server.page():
        auth = SilentRefresh()
        client = Client("/api", auth=auth)
        steps = [loaded()]
        for step in (
            lambda: auth.sign_in(server.sign_in()),
            lambda: client.get("profile"),
            auth.refresh,
            lambda: client.get("profile"),
            auth.sign_out,
        ):
            await step()
            steps.append(loaded())
        return steps

print(json.dumps([at_import, *asyncio.run(live())]))
"""


def test_a_page_that_only_uses_client_and_silentrefresh_imports_these_modules_and_no_other() -> None:
    """More comes with the first answer that has tokens, and when a session ends."""
    page = subprocess.run(
        [sys.executable, "-c", PAGE],
        cwd=Path(silent_refresh.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    imported, made, signed_in, *others, signed_out = map(set, json.loads(page.stdout))

    assert set(AT_THE_START) == imported == made
    assert set(WITH_AN_ANSWER) == signed_in - made
    assert all(signed_in == later for later in others)
    assert set(WITH_THE_END) == signed_out - signed_in
