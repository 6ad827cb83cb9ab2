"""A server and a page in memory: tests of page code in CPython, in milliseconds, without a browser.

    from silent_refresh import Client, SilentRefresh
    from silent_refresh.testing import FakeServer

    async def test_an_expired_token_is_renewed_unseen():
        server = FakeServer()
        server.answer("GET", "/api/profile", {"name": "Ada"})
        with server.page():  # what a page's code makes in here talks to this server
            auth = SilentRefresh()
            await auth.sign_in(server.sign_in())
            server.expire()
            response = await Client("/api", auth=auth).get("profile")

        assert response.status == 200
        assert server.refreshes == 1

With ``pytest_plugins = ["silent_refresh.testing.fixtures"]`` pytest has the fixtures ``fake_server`` and
``fake_page``. The engine is the very one that runs in a browser. What only a browser has isn't here: other
tabs, a disk, CORS.
"""

from .page import FakePage
from .server import Call, FakeServer

__all__ = ["Call", "FakePage", "FakeServer"]
