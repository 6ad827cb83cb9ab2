"""Where tokens may go is the page's to say, whatever a worker asks for."""

from __future__ import annotations

from silent_refresh import Client, Headers, Request, Response
from tests.e2e.workers import Side

ELSEWHERE = "https://evil.example"


async def are_signed(base, urls):
    from opened import auth

    if base is not None:
        Client(base, auth=auth)
        auth.trust(base)
    signed = []

    async def send(request):
        signed.append(request.credential is not None)
        return Response(200, Headers(), request.sent_url(), request)

    for url in urls:
        await auth(Request("GET", url), send)
    return signed


def test_a_worker_widens_no_origins(signed_in: tuple[Side, Side]) -> None:
    """Its client for another server gets no token, and the page sends none there either afterwards."""
    page, worker = signed_in
    urls = [f"{ELSEWHERE}/api", "/api/profile"]

    assert [False, True] == worker.python(are_signed, ELSEWHERE, urls)
    assert [False, True] == page.python(are_signed, None, urls)
    assert [True, True] == page.python(are_signed, ELSEWHERE, urls)
    assert [True, True] == worker.python(are_signed, None, urls)
