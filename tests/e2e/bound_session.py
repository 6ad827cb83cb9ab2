"""A page's session whose tokens are bound to a key: begun in the page itself, for the key is made there."""

from __future__ import annotations

from silent_refresh import Client, RefreshEndpoint, SilentRefresh
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession, hold_redirects
from tests.e2e.running_server import Lab


async def open_bound(signs_in):
    """Make an `auth` whose tokens are bound to a key, and sign in by a call of the page's own."""
    import sys
    from types import SimpleNamespace

    if "opened" in sys.modules:
        sys.modules["opened"].auth.close()
    auth = SilentRefresh(RefreshEndpoint("/refresh", dpop=True, revoke="/logout"))
    client = Client("/api", auth=auth)
    sys.modules["opened"] = SimpleNamespace(auth=auth, client=client)
    if signs_in:
        fields = {"username": "demo", "password": "demo-password"}
        answer = await Client().post("/login", json=fields, auth=auth.proving)
        await auth.sign_in(await answer.json())
    await auth.restored()


async def sign_out():
    from opened import auth

    await auth.sign_out()


def open_page(page: PagePython, *, signs_in: bool = True) -> PageSession:
    """Return that page's session."""
    hold_redirects(page)
    page(open_bound, signs_in)
    return PageSession(page)


def order_nonces(lab: Lab) -> None:
    """Let each proof need a nonce, and those that were handed out before be stale."""
    lab._post("/lab/nonces", {"required": True})


KEYS = """async () => {
    const database = await new Promise((resolve, reject) => {
        const opening = indexedDB.open("silent-refresh");
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
    });
    if (!database.objectStoreNames.length) return [];
    const request = database.transaction("marks").objectStore("marks").getAllKeys();
    const names = await new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    database.close();
    return names.filter((name) => name.startsWith("key:") || name.startsWith("pending-key:"));
}"""


def keys_of(session: PageSession) -> list[str]:
    """Return the names of the keys that the page's database has."""
    found: list[str] = session.page.evaluate(KEYS)
    return [name.partition(":")[0] for name in found]
