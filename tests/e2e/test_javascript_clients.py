"""JavaScript's HTTP clients under ``install()``: they know nothing of it, and each is answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from silent_refresh import SilentRefresh, install
from tests.e2e.page_bundles import give_bundle
from tests.e2e.page_python import PagePython
from tests.e2e.running_server import Lab

pytestmark = pytest.mark.needs("long answers by a test")  # the bundle
CLIENTS = ["apollo", "axios", "htmx", "ky", "ofetch", "openapi-fetch", "supabase", "tus", "wretch"]
CALL = """async (client) => (await import("/tests/e2e/page/clients.js")).call(client)"""


async def wrap_fetch(tokens):
    import sys
    from types import SimpleNamespace

    auth = SilentRefresh(login=None)
    await auth.sign_in(tokens)
    sys.modules["wrapped"] = SimpleNamespace(auth=auth, undo=install(auth))


async def unwrap_fetch():
    from wrapped import auth, undo

    undo()
    auth.close()


@pytest.fixture
def wrapped(page_python: PagePython, lab: Lab) -> Iterator[PagePython]:
    """Return the shared page, its fetch wrapped, the demo user signed in, the clients at hand."""
    give_bundle(page_python.page, "clients.js")
    page_python(wrap_fetch, lab.sign_in())
    yield page_python
    page_python(unwrap_fetch)
    page_python.page.unroute_all()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_with_an_expired_token_is_answered(wrapped: PagePython, lab: Lab, client: str) -> None:
    """What it sent arrives, after one refresh."""
    lab.expire()

    assert '{"text":"two words"}' == wrapped.page.evaluate(CALL, client)
    assert 1 == lab.counters()["refresh"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_is_refused_tells_so_in_its_own_way(wrapped: PagePython, lab: Lab, client: str) -> None:
    """Its own class of error, with the server's 401."""
    lab.expire()
    lab.revoke()

    assert 401 == wrapped.page.evaluate(CALL, client)
    assert 1 == lab.counters()["refresh"]
