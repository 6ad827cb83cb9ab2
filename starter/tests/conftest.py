import sys

import pytest

pytest_plugins = ["silent_refresh.testing.fixtures"]


@pytest.fixture
async def page(fake_server, fake_page):
    """The page's code, imported anew: it makes its session when it's imported."""
    fake_server.answer("GET", "/api/profile", {"name": "Ada"})
    for name in ("session", "hello"):
        sys.modules.pop(name, None)
    import hello
    import session

    await session.auth.sign_in(fake_server.sign_in("ada"))
    return hello
