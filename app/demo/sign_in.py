"""The view at ``/login``: a form, and back to where the user came from."""

from __future__ import annotations

from typing import Any

import js

from demo.document import field, on_submit, show
from demo.words import Words
from silent_refresh import Client, NetworkError, SessionStore, SilentRefresh


class SignIn:
    """The sign-in form."""

    def __init__(self, auth: SilentRefresh, store: SessionStore) -> None:
        self._auth = auth
        self._store = store
        self._words = Words()
        self._client = Client(auth=None)  # signing in needs no token, and a 401 here is about the password

    def open(self) -> None:
        """Show the view, or go on at once when the user is signed in already."""
        self._words.open()
        if self._auth.signed_in:
            self._leave()
            return
        # What the library puts into ``?reason=``; other reasons need no words.
        reason = f"reason-{js.URLSearchParams.new(js.location.search).get('reason') or ''}"
        if self._words.has(reason):
            self._words.say("sign-in-reason", reason)
            show("sign-in-reason")
            is_gone = not self._store.get(self._store.key)
            self._words.say("sign-in-proof", "tokens-gone" if is_gone else "tokens-left")
            show("sign-in-proof")
        on_submit("sign-in-form", self._submit)
        show("sign-in")
        show("story")
        field("sign-in-form", "username").focus()

    async def _submit(self) -> None:
        self._words.say("status", "signing-in")
        credentials = {name: field("sign-in-form", name).value for name in ("username", "password")}
        try:
            response = await self._client.post("/login", json=credentials)
            if response.status == 401:
                self._refuse("wrong-password")
                return
            if not response.ok:
                self._refuse("sign-in-failed", status=response.status)
                return
            await self._auth.sign_in(await response.json())
        except NetworkError:
            self._refuse("server-missing")
            return
        self._leave()

    def _refuse(self, key: str, **values: Any) -> None:
        self._words.say("status", key, **values)
        password = field("sign-in-form", "password")
        password.value = ""
        password.focus()

    def _leave(self) -> None:
        # Replaced, so that "back" doesn't lead to the form again.
        js.location.replace(self._auth.next_path())
