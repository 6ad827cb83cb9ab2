"""The page's entry: the script of index.html, which is served at ``/`` and at ``/login``.

First the library and its first request. All else is read while the answer is on its way, and each view only
where it's shown.
"""

import asyncio

import js

from silent_refresh import Client, LocalStorage, SilentRefresh

store = LocalStorage()
auth = SilentRefresh(store=store)

if js.location.pathname == "/login":
    from demo.sign_in import SignIn

    SignIn(auth, store).open()
else:
    from demo.kept_events import KeptEvents

    events = KeptEvents()
    auth.listen(events.hear)
    api = Client("/api", auth=auth)
    await auth.restored()  # else the request would wait for the journal, and leave after all that follows
    profile = asyncio.ensure_future(api.get("profile"))
    await asyncio.wait({profile}, timeout=0)  # now it has left; after sleep(0) it may not

    from demo.dashboard import Dashboard

    await Dashboard(auth, api, store).open(profile, events)
