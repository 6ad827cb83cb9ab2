"""A system's stock Firefox for Playwright, which speaks WebDriver BiDi to it.

Playwright sends commands that this Firefox doesn't have yet. So it is given a launcher that starts a relay,
which starts Firefox with the same arguments, stands between the two, and answers such commands itself.

https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.browsers.priority import with_priority

# Nothing leaves the machine, and nothing but the page speaks.
FIREFOX_PREFERENCES: dict[str, str | float | bool] = {
    # Playwright's roles, and axe, read ``ariaLabelledByElements``: the second time the page's process dies.
    "accessibility.ARIAElementReflection.enabled": False,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.trr.mode": 5,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.server": "",
}
UNKNOWN_COMMANDS = {"emulation.setMediaFeaturesOverride"}  # to Firefox 153
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
ROOT = Path(__file__).resolve().parents[2]


def write_launcher(folder: Path, firefox: str) -> Path:
    """Write a program that Playwright takes for Firefox; return its path."""
    launcher = folder / "firefox"
    # From the root: Python would else put this folder first, whose names aren't the standard library's.
    command = shlex.join([sys.executable, "-m", "tests.browsers.firefox", firefox])
    launcher.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {command} "$@"\n')
    launcher.chmod(0o755)
    return launcher


async def relay(browser_url: str, client: ServerConnection) -> None:
    """Pass messages on, both ways, until one side is gone."""
    options = {"max_size": None, "compression": None, "ping_interval": None}
    async with connect(f"{browser_url}/session", proxy=None, **options) as browser:

        async def to_browser() -> None:
            async for message in client:
                command = json.loads(message)
                if command["method"] in UNKNOWN_COMMANDS:
                    await client.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
                else:
                    await browser.send(message)

        async def to_client() -> None:
            async for message in browser:
                await client.send(message)

        directions = [asyncio.create_task(to_browser()), asyncio.create_task(to_client())]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)


async def run(command: list[str]) -> None:
    """Run Firefox, and tell on stderr, as it does, where to speak to it."""
    firefox = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE, limit=2**20)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, firefox.terminate)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        assert firefox.stderr is not None
        async for line in firefox.stderr:
            text = line.decode(errors="replace")
            if (listening := LISTENING.search(text)) and not found.done():
                found.set_result(listening[1])
            else:
                print(text, end="", file=sys.stderr, flush=True)
        if not found.done():
            found.set_exception(RuntimeError("Firefox did not start; what it said is above"))

    reading = asyncio.create_task(read())
    url = await found
    async with serve(
        lambda client: relay(url, client), "127.0.0.1", 0, max_size=None, compression=None, ping_interval=None
    ) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
        await firefox.wait()
    await reading


if __name__ == "__main__":
    asyncio.run(run(with_priority(sys.argv[1:])))
