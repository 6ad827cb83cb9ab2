"""Two tabs of this demo, working together on one experiment. They talk of what to do, never of tokens.

    {"say": "here", "tab": "B"}
    {"say": "send", "tab": "A", "to": "B"}
    {"say": "sent", "tab": "B", "to": "A", "end": 200, "adopted": true}

A tab's name is a letter, which it keeps over a reload.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import js
from pyodide.ffi import JsException, create_proxy

from demo.document import keep, recall, remember
from demo.observed import Observed, names_of
from silent_refresh import Client, Event, SilentRefresh

CHANNEL = "silent-refresh-demo"
NAME = "demo-tab"
OPENS_WITHIN = 90.0  # s; it has its own Python to start
ANSWERS_WITHIN = 60.0  # s


class Told(NamedTuple):
    """What the other tab says of its request: a status or the name of an error."""

    end: int | str | None
    adopted: bool


class TabMissing(Exception):
    """The other tab didn't open, or didn't answer."""


class SecondTab:
    """This tab's name, and its line to the others."""

    def __init__(self, auth: SilentRefresh, api: Client) -> None:
        self._auth = auth
        self._api = api
        self.name = _own_name()
        self._channel: Any = None
        self._other = ""
        self.last_adopted = 0  # the generation that this tab last took over from another
        self._awaited: tuple[str, asyncio.Future[dict[str, Any]]] | None = None

    def listen(self) -> None:
        """Listen to the other tabs from now on, and tell them that there's a new one."""
        self._channel = js.BroadcastChannel.new(CHANNEL)
        self._channel.onmessage = create_proxy(self._heard)  # for the life of the page, so never destroyed
        self._auth.listen(self._note)
        self._say("here")

    async def open(self) -> None:
        """Open another tab and return when it is ready. Raises TabMissing."""
        ready = self._await("here")
        js.window.open("/", "_blank", "noopener")
        self._other = (await self._wait(ready, OPENS_WITHIN))["tab"]

    async def ask_to_send(self) -> Told:
        """Have the other tab send a request, and return what came of it. Raises TabMissing."""
        done = self._await("sent")
        self._say("send", to=self._other)
        told = await self._wait(done, ANSWERS_WITHIN)
        return Told(told.get("end"), told.get("adopted") is True)

    def _await(self, word: str) -> asyncio.Future[dict[str, Any]]:
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._awaited = word, future
        return future

    async def _wait(self, future: asyncio.Future[dict[str, Any]], seconds: float) -> dict[str, Any]:
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError as error:
            raise TabMissing(f"no word from another tab within {seconds:g} s") from error
        finally:
            self._awaited = None

    def _say(self, word: str, **more: object) -> None:
        self._channel.postMessage(json.dumps({"say": word, "tab": self.name, **more}))

    def _heard(self, message: Any) -> None:
        told = json.loads(message.data)
        if told.get("to", self.name) != self.name:
            return
        if told["say"] == "send":
            keep(self._send(told["tab"]))
        elif self._awaited is not None and told["say"] == self._awaited[0] and not self._awaited[1].done():
            self._awaited[1].set_result(told)

    async def _send(self, asked_by: str) -> None:
        events: list[Event] = []
        stop = self._auth.listen(events.append)
        ends = names_of(await asyncio.gather(self._api.get("items/2"), return_exceptions=True))
        await asyncio.sleep(0)  # the last events are told now
        stop()
        seen = Observed(ends, tuple(events))
        self._say("sent", to=asked_by, end=ends[0], adopted=seen.generation == self.last_adopted)

    def _note(self, event: Event) -> None:
        if event.name == "adopted":
            self.last_adopted = event.generation


def _own_name() -> str:
    try:
        name = js.sessionStorage.getItem(NAME)
    except JsException:
        return "A"
    if not isinstance(name, str):
        last = recall(NAME) or ""
        number = int(last) + 1 if last.isdecimal() else 0
        remember(NAME, str(number))
        name = chr(ord("A") + number % 26)
        js.sessionStorage.setItem(NAME, name)
    return name
