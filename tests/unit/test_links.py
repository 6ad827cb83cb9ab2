"""Where an answer leads: to the next page of a list, say (RFC 8288)."""

from __future__ import annotations

import pytest

from silent_refresh import Client, Headers, Request, Response, SilentRefresh
from tests.world.browser import ORIGIN
from tests.world.server import Answer, Call, Server


@pytest.mark.parametrize(
    ("field", "links"),
    [
        ("", {}),
        ("</a>", {}),
        ('</api/items?page=2>; rel="next"', {"next": "/api/items?page=2"}),
        ("<a,b;c>; rel=next", {"next": "a,b;c"}),
        ('<a>; title="x; rel=no"; REL="Next last", <b>; rel=last', {"next": "a", "last": "a"}),
        ('<a>; rel="next"; rel="prev"', {"next": "a"}),
        ("<a; rel=next", {}),
    ],
)
def test_the_field_is_read(field: str, links: dict[str, str]) -> None:
    """As far as it can be; URLs are whole ones."""
    response = Response(200, Headers({"Link": field}), f"{ORIGIN}/api/list", Request("GET", "/api/list"))
    whole = {name: f"{ORIGIN}{url if url.startswith('/') else '/api/' + url}" for name, url in links.items()}

    assert whole == response.links


async def test_a_client_takes_them_as_they_are(auth: SilentRefresh, client: Client, server: Server) -> None:
    """On a base, too, under which they are: no part of it comes twice; and with the token."""

    async def page_of_items(call: Call) -> Answer:
        page = int(call.url.partition("page=")[2] or 1)
        assert server.user_of(call.token) == "ada"
        more = {"Link": f'</api/items?page={page + 1}>; rel="next"'} if page < 3 else {}
        return Answer(200, [page], more)

    server.routes["/api/items"] = page_of_items
    items, url = [], "items"
    for _ in range(3):
        response = (await client.get(url)).raise_for_status()
        items += await response.json()
        url = response.links.get("next", "")

    assert ([1, 2, 3], "") == (items, url)
