"""Ten thousand browsers and their auth server, in virtual time; ``make fleet`` calls it.

    python -m tests.bench.fleet [--browsers 10000]

Each browser is one page with the library's engine as it is, whose user does something twice a minute. The
table says how the server's renewals bunch: the peak is the busiest five seconds, the mean that of a day like
any other. It is written to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from silent_refresh import Client, Headers, Request, Response, SilentRefreshError
from tests.bench.report import put_in_page
from tests.world.browser import Browser
from tests.world.loop import VirtualLoop

LIFE = 900.0  # s of an access token
PAUSE = 30.0  # s between two requests of a user, on average
BIN = 5.0  # s
TRIP = 0.02  # s to the server, and as long back
TROUBLE_AT = 1200.0  # s: everybody's first token has been renewed
OUTAGE = 60.0  # s
AFTERWARDS = 1.3 * LIFE  # s that are watched


class FleetServer:
    """Renews, rotates, and answers requests; as little as can be, for there are millions of them."""

    def __init__(self) -> None:
        self.is_down = False  # the auth server, not the API
        self.calls: Counter[int] = Counter()  # for a renewal, by BIN
        self._numbers = itertools.count(1)
        self._current: dict[str, str] = {}  # the refresh token, and whose it is
        self._access: dict[str, float] = {}  # until when, by the loop's clock

    def sign_in(self, user: str) -> dict[str, Any]:
        """Return the tokens that a sign-in gives."""
        now, number = asyncio.get_running_loop().time(), next(self._numbers)
        self._current[f"r{number}"] = user
        self._access[f"a{number}"] = now + LIFE
        return {"accessToken": f"a{number}", "refreshToken": f"r{number}", "expiresIn": LIFE}

    def revoke_access_tokens(self) -> None:
        """Let a deployment sign with another key: no access token is good any more."""
        self._access.clear()

    async def transport(self, request: Request) -> Response:
        """Answer one request."""
        await asyncio.sleep(TRIP)
        status, body = self._refresh(request) if request.url.endswith("/refresh") else self._serve(request)
        await asyncio.sleep(TRIP)
        return Response(status, Headers({}), request.sent_url(), request, text=json.dumps(body))

    def _refresh(self, request: Request) -> tuple[int, Any]:
        self.calls[int(asyncio.get_running_loop().time() / BIN)] += 1
        if self.is_down:
            return 503, {}
        body = request.sent_body()
        assert isinstance(body, str)
        user = self._current.pop(json.loads(body)["refreshToken"], None)
        return (401, {}) if user is None else (200, self.sign_in(user))

    def _serve(self, request: Request) -> tuple[int, Any]:
        token = request.sent_headers().get("authorization", "").removeprefix("Bearer ")
        is_good = asyncio.get_running_loop().time() < self._access.get(token, 0.0)
        return (200, {}) if is_good else (401, {})


class Fleet:
    """All browsers, and what became of their users' requests."""

    def __init__(self, browsers: int) -> None:
        self.browsers = browsers
        self.server = FleetServer()
        self.requests = 0
        self.lost: Counter[str] = Counter()
        self.last_loss = 0.0  # s, by the loop's clock
        self._random = Random(browsers)

    async def run(self, signed_in_within: float, trouble: Callable[[Fleet], Awaitable[None]]) -> None:
        """Sign everybody in within so many s, and let them work until some time after the trouble."""
        users = [
            asyncio.ensure_future(self._use(str(number), self._random.uniform(0, signed_in_within)))
            for number in range(self.browsers)
        ]
        await trouble(self)
        await asyncio.gather(*users)

    async def _use(self, user: str, begin: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(begin)
        tab = Browser(self.server).open()  # type: ignore[arg-type]  # a tab asks for its transport() alone
        auth, client = tab.sign()
        await auth.sign_in(self.server.sign_in(user))
        while loop.time() < TROUBLE_AT + AFTERWARDS:
            await asyncio.sleep(self._random.expovariate(1 / PAUSE))
            await self._ask(client)
        auth.close()

    async def _ask(self, client: Client) -> None:
        self.requests += 1
        try:
            response = await client.get("me")
            end = "" if response.status == 200 else str(response.status)
        except SilentRefreshError as error:
            end = type(error).__name__
        if end:
            self.lost[end] += 1
            self.last_loss = asyncio.get_running_loop().time()


async def none(fleet: Fleet) -> None:
    """Nothing happens."""


async def outage(fleet: Fleet) -> None:
    """The auth server is down for a minute."""
    await asyncio.sleep(TROUBLE_AT)
    fleet.server.is_down = True
    await asyncio.sleep(OUTAGE)
    fleet.server.is_down = False


async def revocation(fleet: Fleet) -> None:
    """A deployment signs with another key."""
    await asyncio.sleep(TROUBLE_AT)
    fleet.server.revoke_access_tokens()


class Story(NamedTuple):
    """What happens, and the time in which the renewals are looked at, in s."""

    what: str
    signed_in_within: float
    trouble: Callable[[Fleet], Awaitable[None]]
    since: float
    until: float = TROUBLE_AT + AFTERWARDS


AGAIN_UP = TROUBLE_AT + OUTAGE
STORIES = [
    Story("a day like any other", LIFE, none, TROUBLE_AT),
    Story("everybody signed in within the same minute", 60.0, none, 60.0),
    Story("the auth server was down for a minute: afterwards", LIFE, outage, AGAIN_UP),
    Story("the same, while it was down", LIFE, outage, TROUBLE_AT, AGAIN_UP),
    Story("all access tokens revoked at once: the first minute", LIFE, revocation, TROUBLE_AT, AGAIN_UP),
    Story("the same, from the second minute on", LIFE, revocation, AGAIN_UP),
]


def tell(stories: list[Story], browsers: int) -> Iterator[str]:
    """Play them, the first of which is a day like any other; yield the lines of the table."""
    yield f"{browsers:,} browsers, two requests a minute each; an access token lives {LIFE:g} s."
    yield "\n| story | busiest 5 s, renewals/s | ÷ mean | requests lost | all well after, s |"
    yield "| --- | --- | --- | --- | --- |"
    played: dict[tuple[float, Callable[..., Any]], Fleet] = {}
    mean = 0.0
    for story in stories:
        key = story.signed_in_within, story.trouble
        if key not in played:
            played[key] = Fleet(browsers)
            with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                runner.run(played[key].run(*key))
        fleet = played[key]
        calls = [fleet.server.calls[at] for at in range(int(story.since / BIN), int(story.until / BIN))]
        mean = mean or sum(calls) / len(calls) / BIN
        peak = max(calls) / BIN
        lost = ", ".join(f"{count} {end}" for end, count in fleet.lost.items()) or "0"
        well = max(0.0, fleet.last_loss - TROUBLE_AT - (OUTAGE if story.trouble is outage else 0.0))
        yield f"| {story.what} | {peak:.1f} | {peak / mean:.2f} | {lost} of {fleet.requests:,} | {well:.0f} |"
    yield f"\nOn a day like any other the mean is {mean:.1f} renewals/s."


def main() -> None:
    """Play all stories, print the table, and write it down."""
    parser = argparse.ArgumentParser(prog="make fleet", description=__doc__)
    parser.add_argument("--browsers", type=int, default=10_000)
    lines = []
    for line in tell(STORIES, parser.parse_args().browsers):
        print(line, flush=True)
        lines.append(line)
    put_in_page("make fleet", lines)


if __name__ == "__main__":
    main()
