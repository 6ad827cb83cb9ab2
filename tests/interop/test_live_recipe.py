"""docs/recipes/websocket.md does what it says: its code, as it stands, against a real server."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import WebSocket

from tests.e2e.page_python import PagePython
from tests.interop.running import InteropServer

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "websocket.md"
EXAMPLE = "https://live.example.com"


def code(url: str) -> str:
    """Return all of the recipe's Python, for the server at ``url``."""
    blocks = re.findall(
        r"^```python\n(.*?)^```$", RECIPE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert f'API = "{EXAMPLE}"' in blocks[0]
    return "\n".join(blocks).replace(EXAMPLE, url)


async def follow(recipe, tokens, show, until_new):
    """Show what comes; expire the tokens after three lines, and stop ``until_new`` lines after a renewal."""
    import asyncio

    import js

    lines, enough, renewed_at = [], asyncio.Event(), []
    names = {"print": lambda *what: note(" ".join(map(str, what)))}
    exec(recipe, names)
    auth = names["auth"]
    await auth.sign_in(tokens)
    first = auth.tokens.access_token

    def note(line):
        lines.append(line)
        if len(lines) == 3:
            js.fetch(names["API"] + "/lab/expire", method="POST", mode="no-cors")
        if auth.tokens.access_token != first:
            renewed_at.append(len(lines))
        if len(renewed_at) == until_new:
            enough.set()

    task = asyncio.ensure_future(names[show]())
    stop = asyncio.ensure_future(enough.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    task.cancel()
    await asyncio.wait({task})
    auth.close()
    return {"lines": lines, "renewed at": renewed_at}


@pytest.fixture(scope="module")
def live_server(base_url: str):
    """Run the server, which lets the test page's origin in."""
    with InteropServer("live", "--allow-origin", base_url) as server:
        yield server


@pytest.fixture
def tokens(live_server: InteropServer) -> dict[str, str]:
    """Sign in, and count from there."""
    tokens: dict[str, str] = httpx.post(f"{live_server.url}/login", trust_env=False).json()
    live_server.lab.reset()
    return tokens


def test_a_socket_is_opened_again_with_a_new_token(
    page_python: PagePython, live_server: InteropServer, tokens: dict[str, str]
) -> None:
    """The token is the first message and never in the URL; when it ends, one refresh and a new connection."""
    sockets: list[WebSocket] = []

    def see(socket: WebSocket) -> None:
        sockets.append(socket)

    page_python.page.on("websocket", see)
    told = page_python(follow, code(live_server.url), tokens, "show_live", 2)
    page_python.page.remove_listener("websocket", see)

    assert ["1", "2", "3"] == told["lines"][:3]
    assert ["1", "2"] == told["lines"][-2:]
    assert 1 == live_server.lab.counters()["refresh"]
    assert [live_server.url.replace("http", "ws") + "/live"] * 2 == [socket.url for socket in sockets]


def test_a_stream_of_events_goes_on_where_it_was(
    page_python: PagePython, live_server: InteropServer, tokens: dict[str, str]
) -> None:
    """No event is lost or comes twice when the token ends in the middle; that costs one refresh."""
    told = page_python(follow, code(live_server.url), tokens, "show_events", 2)

    count = len(told["lines"])
    assert [f"number the number\n{number} é" for number in range(1, count + 1)] == told["lines"]
    assert 2 == len(told["renewed at"])
    assert {"refresh": 1, "unauthorized": 1} == live_server.lab.counters()
