"""Faults and users' deeds that strike when a refresh call arrives at the server.

Each is ``async def fault(world, call) -> Answer``: it does its worst and answers in the server's place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from silent_refresh import Client, NetworkError, RefreshEndpoint, Request, SilentRefresh
from tests.engine.watch import Watch
from tests.world.browser import Browser, Tab
from tests.world.loop import later
from tests.world.server import Answer, Call, Server, silence


@dataclass
class Page:
    """A tab and what runs in it."""

    tab: Tab
    auth: SilentRefresh
    client: Client


@dataclass
class World:
    """All there is."""

    server: Server
    browser: Browser
    watch: Watch
    pages: list[Page] = field(default_factory=list)
    deeds: list[asyncio.Task[Any]] = field(default_factory=list)
    requests: list[asyncio.Task[Any]] = field(default_factory=list)
    was_full: bool = False
    dpop: bool = False  # whether tokens are bound to a key

    def open(self) -> Page:
        """Open one more page."""
        tab = self.browser.open()
        page = Page(tab, *tab.sign(refresh=RefreshEndpoint.article(dpop=self.dpop)))
        self.watch.listen(page.auth)
        self.pages.append(page)
        return page

    def ask(self, page: Page, number: int, **arguments: Any) -> asyncio.Task[Any]:
        """Send a request from a page."""
        name = {"X-Request-ID": f"{number}"}
        task = asyncio.ensure_future(page.client.post(f"things/{number}", headers=name, **arguments))
        self.requests.append(task)
        return task

    async def sign_in(self, page: Page, user: str = "ada") -> None:
        """Sign in, by the page's own call."""
        key = await page.auth._session.proving_key()
        await page.auth.sign_in(self.server.sign_in(user, key))

    async def sign_out(self, page: Page) -> None:
        """Sign out; from then on that session must stay dead."""
        session = page.auth._session._manager.session
        await page.auth.sign_out()
        if session is not None and page.tab.alive:
            self.watch.ended.add(session.id)
            # A page that asked the journal just before has the message on its way, and can know no better.
            if self.browser.messages:
                await self.browser.all_heard.wait()
            self.watch.is_heard.add(session.id)

    def do(self, deed: Awaitable[Any]) -> None:
        """Let somebody do something meanwhile."""
        self.deeds.append(asyncio.ensure_future(deed))


Fault = Callable[[World, Call], Awaitable[Answer]]


async def nothing(world: World, call: Call) -> Answer:
    """Everything works."""
    return await world.server.refresh(call)


async def unavailable(world: World, call: Call) -> Answer:
    """The server is in trouble for a moment."""
    return Answer(503)


async def lost_before(world: World, call: Call) -> Answer:
    """The call gets lost on its way."""
    world.watch.retries += 1
    raise NetworkError("lost", request=Request("POST", "/refresh"))


async def lost_after(world: World, call: Call) -> Answer:
    """The answer gets lost, and the token is rotated."""
    world.watch.may_reuse = True
    await world.server.refresh(call)
    raise NetworkError("lost", request=Request("POST", "/refresh"))


async def hanging(world: World, call: Call) -> Answer:
    """No answer ever comes."""
    return await silence(call)


async def misconfigured(world: World, call: Call) -> Answer:
    """The endpoint moved."""
    world.watch.retries += 1
    return Answer(404, "gone")


async def revoked(world: World, call: Call) -> Answer:
    """An administrator ends all sessions."""
    world.server.revoke()
    return await world.server.refresh(call)


async def killed_before(world: World, call: Call) -> Answer:
    """The tab that renews is closed, and the server never hears of it."""
    _holder(world).kill()
    world.watch.retries += 1
    return Answer(503)


async def killed_after(world: World, call: Call) -> Answer:
    """The tab that renews is closed before the answer arrives."""
    world.watch.may_reuse = True
    _holder(world).kill()
    return await world.server.refresh(call)


async def frozen(world: World, call: Call) -> Answer:
    """The tab that renews stands still while it holds the lock."""
    _holder(world).alive = False
    world.watch.retries += 1
    return Answer(503)


async def signed_out_here(world: World, call: Call) -> Answer:
    """The user signs out in the first tab."""
    world.do(world.sign_out(world.pages[0]))
    return await world.server.refresh(call)


async def signed_out_there(world: World, call: Call) -> Answer:
    """The user signs out in the last tab."""
    world.do(world.sign_out(world.pages[-1]))
    return await world.server.refresh(call)


async def switched_user(world: World, call: Call) -> Answer:
    """Somebody else signs in, in the last tab."""
    world.do(world.sign_in(world.pages[-1], "bob"))
    return await world.server.refresh(call)


async def full(world: World, call: Call) -> Answer:
    """The store takes nothing more."""
    world.browser.full = world.was_full = True
    return await world.server.refresh(call)


async def cleared(world: World, call: Call) -> Answer:
    """The user clears this site's data."""
    for tab in world.browser.tabs:
        tab.view.clear()
        for changed in list(tab.storage_listeners):
            asyncio.get_running_loop().call_soon(changed)
    world.browser.stored.clear()
    return await world.server.refresh(call)


async def cancelled(world: World, call: Call) -> Answer:
    """The request that began it is given up."""
    world.requests[0].cancel()
    return await world.server.refresh(call)


async def slow(world: World, call: Call) -> Answer:
    """The server takes its time."""
    await later(8)
    return await world.server.refresh(call)


ALL: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        *(nothing, unavailable, lost_before, lost_after, hanging, misconfigured, revoked, killed_before),
        *(
            killed_after,
            frozen,
            signed_out_here,
            signed_out_there,
            switched_user,
            full,
            cleared,
            cancelled,
            slow,
        ),
    )
}
ENDS_THE_SESSION = {"lost_after", "revoked", "killed_after", "signed_out_here", "signed_out_there", "cleared"}


def _holder(world: World) -> Tab:
    assert world.browser.holder is not None, "somebody refreshes without the lock"
    return world.browser.holder
