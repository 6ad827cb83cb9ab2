"""The page's entry: the script of index.html, which is served at ``/`` and at ``/login``."""

import js

from demo.words import Words
from silent_refresh import LocalStorage, SilentRefresh

store = LocalStorage()
auth = SilentRefresh(store=store)
words = Words()
words.open()

# Each view is read only where it's shown.
if js.location.pathname == "/login":
    from demo.sign_in import SignIn

    SignIn(auth, store, words).open()
else:
    from demo.dashboard import Dashboard

    await Dashboard(auth, store, words).open()
