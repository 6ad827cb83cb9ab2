"""The view at ``/``: profile, notes and session of whoever is signed in, and buttons to try it with.

Not one line here is about expired tokens: that is what the library is for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from demo.document import field, fill_list, on_click, on_submit, say, show
from demo.event_log import EventLog
from demo.session_card import SessionCard
from silent_refresh import (
    Client,
    NotSignedIn,
    RefreshRejected,
    SessionChanged,
    SessionStore,
    SilentRefresh,
    SilentRefreshError,
)


class Dashboard:
    """The page of a signed-in user."""

    def __init__(self, auth: SilentRefresh, store: SessionStore) -> None:
        self._auth = auth
        self._api = Client("/api", auth=auth)
        self._lab = Client("/lab", auth=None)
        self._card = SessionCard(auth, store)

    async def open(self) -> None:
        """Show the view, once the server said who the user is; it goes to ``/login`` if nobody is."""
        self._auth.listen(EventLog().add)
        on_click("load-profile", told(self._load_profile))
        on_submit("note-form", told(self._add_note))
        on_click("expire", told(self._expire))
        on_click("revoke", told(self._revoke))
        on_click("sign-out", self._auth.sign_out)
        await told(self._load)()

    async def _load(self) -> None:
        await self._load_profile()
        self._card.open()
        show("dashboard")
        await self._load_notes()
        # A server without its lab answers 404: then there is nothing to press.
        if (await self._lab.get("counters")).ok:
            show("lab")

    async def _load_profile(self) -> None:
        response = await self._api.get("profile")
        profile = await response.raise_for_status().json()
        for name in ("name", "username", "email"):
            say(f"profile-{name}", profile[name])
        say("status", "The profile is loaded.")

    async def _load_notes(self) -> None:
        response = await self._api.get("notes")
        notes = (await response.raise_for_status().json())["notes"]
        fill_list("notes", [note["text"] for note in notes])

    async def _add_note(self) -> None:
        text = field("note-form", "text")
        (await self._api.post("notes", json={"text": text.value})).raise_for_status()
        text.value = ""
        await self._load_notes()
        say("status", "The note is added.")

    async def _expire(self) -> None:
        (await self._lab.post("expire")).raise_for_status()
        say("status", "The access token has expired. Load the profile or add a note: it just works.")

    async def _revoke(self) -> None:
        (await self._lab.post("revoke")).raise_for_status()
        say("status", "The refresh token is revoked. The session lasts as long as the access token does.")


def told(act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Return `act` with its errors told to the user instead of raised."""

    async def act_and_tell() -> None:
        say("status", "")  # so that the same words said again are read out again
        try:
            await act()
        except (NotSignedIn, RefreshRejected, SessionChanged):
            say("status", "The session is over: going to the sign-in page …")
        except SilentRefreshError as error:
            say("status", str(error))

    return act_and_tell
