"""Watches a world and says which invariant it broke.

The numbers are those of the list of invariants that this project holds itself to; ``Broken`` names one.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter, defaultdict
from typing import Any

from silent_refresh import Request, Response, SilentRefresh, SilentRefreshError
from tests.world.browser import Browser, Tab
from tests.world.server import Answer, Call, Server

SECRET = re.compile(r"(access|refresh)-(ada|bob)-[0-9]")
LONGEST_HOLD = 10.0 + 5.0  # s: the deadline of a refresh, and what catching up may take


class Broken(AssertionError):
    """An invariant doesn't hold."""


def holds(number: int, truth: object, told: str) -> None:
    """Raise ``Broken`` unless it's true."""
    if not truth:
        raise Broken(f"invariant {number}: {told}")


class Watch(logging.Handler):
    """Sees every call, answer, write, event and log line of one world."""

    def __init__(self, server: Server, browser: Browser) -> None:
        super().__init__()
        self.server = server
        self.browser = browser
        self.may_reuse = False  # a tab died, or an answer was lost, in mid-commit
        self.ended: set[str] = set()  # sessions that were signed out, and the sign-out has returned
        self.is_heard: set[str] = set()  # those of them of which every tab has heard
        self.network_faults: Counter[str] = Counter()  # by request
        self.broken: list[Broken] = []
        self._in_flight: Counter[str] = Counter()
        self._superseded: set[str] = set()
        self._refresh_token_of: dict[str, str] = {}
        self._generation: Counter[str] = Counter()  # by session
        self._stored: set[str] = set()
        self._users: defaultdict[str, set[str]] = defaultdict(set)
        self._last_status: dict[str, int] = {}
        self._refused: set[str] = set()
        self.retries = 0
        self._refresh_calls = 0
        server.arrived, server.answered = self._guard(self._arrived), self._guard(self._answered)
        browser.wrote, browser.held = self._guard(self._wrote), self._guard(self._held)
        browser.sent = self._guard(self._sent)
        self._session_of: dict[str, str] = {}  # by access token
        self._session_presenting: dict[str, str] = {}  # by refresh token
        self._key_of: dict[str, str | None] = {}  # by session
        logging.getLogger("silent_refresh").addHandler(self)

    def close(self) -> None:
        """Stop listening."""
        logging.getLogger("silent_refresh").removeHandler(self)
        super().close()

    def _guard(self, look: Any) -> Any:
        def guarded(*arguments: Any) -> None:
            try:
                look(*arguments)
            except Broken as broken:  # raised here it would look like a fault of the network
                self.broken.append(broken)

        return guarded

    def emit(self, record: logging.LogRecord) -> None:
        """See a log line."""
        self._guard(self._told)(record.getMessage())

    def listen(self, auth: SilentRefresh) -> None:
        """See the events of one page."""
        auth.listen(lambda event: self._guard(self._told)(repr(event)))

    def _told(self, text: str) -> None:
        holds(17, not SECRET.search(text), f"a token was told: {text}")

    def _look_at_proof(self, call: Call) -> None:
        """See that where tokens are bound to a key a call has the proof that it needs, and no other."""
        if call.path == "/refresh":
            token, session = None, self._session_presenting.get(call.body["refreshToken"])
        else:
            token, session = call.token, self._session_of.get(call.token or "")
        if session is None:
            return  # never stored: the store is full
        key = self._key_of.get(session)
        if key is None:
            holds(22, call.proof is None, "a proof was sent that nobody asked for")
            return
        expected = {"key": key, "htm": call.method, "htu": call.url.partition("?")[0], "ath": token}
        holds(22, call.proof == expected, f"a request left with {call.proof}, not {expected}")
        holds(22, call.scheme == ("DPoP" if token else ""), f"a token left behind {call.scheme!r}")

    def _arrived(self, call: Call) -> None:
        if call.token or call.path == "/refresh":
            self._look_at_proof(call)
        holds(
            8,
            call.token is None or call.token.startswith("access-"),
            f"{call.token} was sent as access token",
        )
        if call.path == "/refresh":
            token = call.body["refreshToken"]
            self._refresh_calls += 1
            self._in_flight[token] += 1
            holds(1, self._in_flight[token] == 1, f"{token} is presented twice at once")
            holds(2, token not in self._superseded, f"{token} is presented after its successor was stored")
            return
        times = self.server.sent[call.id]
        holds(5, times <= 2, f"request {call.id} was sent {times} times")
        if times == 2:
            holds(5, self._last_status.get(call.id) == 401, f"request {call.id} was resent without a 401")
            holds(6, not self.network_faults[call.id], f"request {call.id} was resent after a network error")
            known = self.browser.full or call.token in self._stored
            holds(12, known, f"request {call.id} was replayed with a token that was not stored")
        if call.token:
            self._users[call.id].add(call.token.split("-")[1])
            holds(7, len(self._users[call.id]) == 1, f"request {call.id} was sent as {self._users[call.id]}")

    def _answered(self, call: Call, answer: Answer) -> None:
        if call.path == "/refresh":
            self._in_flight[call.body["refreshToken"]] -= 1
            if answer.status == 0 or answer.status >= 500:
                self.retries += 1
        else:
            self._last_status[call.id] = answer.status
            if answer.status == 401 and call.token:
                self._refused.add(call.token)

    def _sent(self, tab: Tab, request: Request) -> None:
        token = request.credential.token if request.credential is not None else ""
        session = self._session_of.get(token)
        holds(
            19, session not in self.is_heard, "a request left with a token of a session that was signed out"
        )

    def _wrote(self, tab: Tab, text: str) -> None:
        record = json.loads(text)
        session = record["id"]
        self._session_of[record["access_token"]] = session
        self._session_presenting[record["refresh_token"]] = session
        holds(22, self._key_of.setdefault(session, record.get("key")) == record.get("key"), "another key")
        grows = record["generation"] >= self._generation[session]
        holds(11, grows, f"the generation fell from {self._generation[session]} to {record['generation']}")
        self._generation[session] = record["generation"]
        self._stored.add(record["access_token"])
        before = self._refresh_token_of.get(session)
        if before is not None and before != record["refresh_token"]:
            self._superseded.add(before)
        self._refresh_token_of[session] = record["refresh_token"]
        holds(9, session not in self.ended, "a session was stored after its sign-out")

    def _held(self, seconds: float) -> None:
        holds(13, seconds <= LONGEST_HOLD, f"the lock was held for {seconds} s")

    def settled(self, result: Any) -> None:
        """See what a request came to."""
        if isinstance(result, Response):
            return
        holds(18, isinstance(result, SilentRefreshError), f"a request raised {result!r}")
        self._told(f"{result!r} {vars(result)}")

    def check(self) -> None:
        """Raise what was seen so far."""
        if self.broken:
            raise self.broken[0]
        holds(3, self.may_reuse or self.server.reuses == 0, "the server took a tab for a thief")

    def check_in_the_end(self) -> None:
        """Check what holds when nothing is under way any more."""
        self.check()
        stored = self.browser.stored.get("silent-refresh")
        if stored:
            holds(9, json.loads(stored)["id"] not in self.ended, "a session came back after its sign-out")
        holds(
            16,
            self.may_reuse or self._refresh_calls <= len(self._refused) + self.retries,
            f"{self._refresh_calls} refreshes, {len(self._refused)} refused tokens, {self.retries} retries",
        )
