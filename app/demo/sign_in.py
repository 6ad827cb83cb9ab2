"""The view at ``/login``: a form, and back to where the user came from."""

from __future__ import annotations

import js

from demo.document import field, on_submit, say, show
from silent_refresh import Client, NetworkError, SilentRefresh

# What the library puts into ``?reason=``; other reasons need no words.
REASONS = {
    "rejected": "The server ended your session. Sign in again, and you are back where you were.",
    "elsewhere": "You signed out in another tab.",
    "sign_out": "You are signed out.",
    "no_refresh_token": "Your session is over. Sign in again, and you are back where you were.",
}


class SignIn:
    """The sign-in form."""

    def __init__(self, auth: SilentRefresh) -> None:
        self._auth = auth
        self._client = Client(auth=None)  # signing in needs no token, and a 401 here is about the password

    def open(self) -> None:
        """Show the view, or go on at once when the user is signed in already."""
        if self._auth.signed_in:
            self._leave()
            return
        reason = js.URLSearchParams.new(js.location.search).get("reason") or ""
        if reason in REASONS:
            say("sign-in-reason", REASONS[reason])
            show("sign-in-reason")
        on_submit("sign-in-form", self._submit)
        show("sign-in")
        field("sign-in-form", "username").focus()

    async def _submit(self) -> None:
        say("status", "Signing in …")
        credentials = {name: field("sign-in-form", name).value for name in ("username", "password")}
        try:
            response = await self._client.post("/login", json=credentials)
            if response.status == 401:
                self._refuse("The user name or the password is wrong.")
                return
            if not response.ok:
                self._refuse(f"The server could not sign you in (status {response.status}). Try again later.")
                return
            await self._auth.sign_in(await response.json())
        except NetworkError:
            self._refuse("The server can't be reached. See that it is running, then try again.")
            return
        self._leave()

    def _refuse(self, text: str) -> None:
        say("status", text)
        password = field("sign-in-form", "password")
        password.value = ""
        password.focus()

    def _leave(self) -> None:
        # Replaced, so that "back" doesn't lead to the form again.
        js.location.replace(self._auth.next_path())
