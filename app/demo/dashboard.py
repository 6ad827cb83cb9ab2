"""The view at ``/``: what somebody works on, and around it the picture of what goes on unseen.

Not one line about the profile and the notes is about expired tokens: that is what the library is for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from demo.compare_card import CompareCard
from demo.document import element, field, fill_list, on_click, on_submit, put, show
from demo.event_log import EventLog
from demo.experiments import Bench
from demo.kept_events import KeptEvents
from demo.lab import Lab
from demo.second_tab import SecondTab
from demo.session_card import SessionCard
from demo.steal_card import StealCard
from demo.timeline_picture import TimelinePicture
from demo.try_it import TryIt
from demo.ways_card import WaysCard
from demo.words import Words
from silent_refresh import (
    Client,
    Event,
    NotSignedIn,
    RefreshRejected,
    Response,
    SessionChanged,
    SessionStore,
    SilentRefresh,
    SilentRefreshError,
)


class Dashboard:
    """The page of a signed-in user."""

    def __init__(self, auth: SilentRefresh, api: Client, store: SessionStore) -> None:
        self._api = api
        self._words = words = Words()
        self._log = EventLog()
        self._lab = Lab()
        self._tab = SecondTab(auth, self._api)
        self._bench = Bench(auth, self._api, self._lab, self._tab)
        self._card = SessionCard(auth, store, words, self._tab.name)
        self._picture = TimelinePicture(words)
        self._try_it = TryIt(self._bench, words, self._told, self._picture.cut)
        self._compare = CompareCard(self._lab, words, self._told)
        self._ways = WaysCard(auth, self._api, self._lab, words, self._told)
        self._steal = StealCard(self._lab, words, self._told)

    async def open(self, profile: Awaitable[Response], events: KeptEvents) -> None:
        """Show the view, once the server said who the user is; it goes to ``/login`` if nobody is."""
        self._words.open()
        self._picture.open()
        events.pass_on(self._show_event)
        on_click(element("load-profile"), self._told(self._load_profile))
        on_submit("note-form", self._told(self._add_note))
        await self._told(lambda: self._load(profile))()

    def _show_event(self, event: Event) -> None:
        self._log.add(event)
        self._picture.add(event)

    async def _load(self, profile: Awaitable[Response]) -> None:
        await self._show_profile(await profile)
        self._card.open()
        self._bench.has_lab = await self._lab.is_open()
        self._try_it.open()
        if self._bench.has_lab:
            self._compare.open()
            self._ways.open()
            self._steal.open()
        show("dashboard")
        self._tab.listen()
        await self._load_notes()

    async def _load_profile(self) -> None:
        await self._show_profile(await self._api.get("profile"))
        self._words.say("status", "profile-loaded")

    async def _show_profile(self, response: Response) -> None:
        profile = await response.raise_for_status().json()
        for name in ("name", "username", "email"):
            put(f"profile-{name}", profile[name])
        self._card.tell_end(profile["refreshExpiresIn"])

    async def _load_notes(self) -> None:
        response = await self._api.get("notes")
        notes = (await response.raise_for_status().json())["notes"]
        fill_list("notes", [note["text"] for note in notes])

    async def _add_note(self) -> None:
        text = field("note-form", "text")
        (await self._api.post("notes", json={"text": text.value})).raise_for_status()
        text.value = ""
        await self._load_notes()
        self._words.say("status", "note-added")

    def _told(self, act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Return `act` with its errors told to the user instead of raised."""

        async def act_and_tell() -> None:
            put("status", "")  # so that the same words said again are read out again
            try:
                await act()
            except (NotSignedIn, RefreshRejected, SessionChanged):
                self._words.say("status", "session-over")
            except SilentRefreshError as error:
                key = f"error-{type(error).__name__}"
                self._words.say("status", key if self._words.has(key) else "error", message=error)

        return act_and_tell
