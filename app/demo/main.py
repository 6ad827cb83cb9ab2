"""The page's entry: the script of index.html, which is served at ``/`` and at ``/login``."""

import js

from demo.dashboard import Dashboard
from demo.sign_in import SignIn
from silent_refresh import LocalStorage, SilentRefresh

store = LocalStorage()
auth = SilentRefresh(store=store)

if js.location.pathname == "/login":
    SignIn(auth).open()
else:
    await Dashboard(auth, store).open()
