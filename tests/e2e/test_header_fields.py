"""Header fields cross to JavaScript once, and are known there again; still each request sends its own."""

from __future__ import annotations

MARK_EACH = """() => {
    window.pagesFetch = window.fetch;
    window.fetch = (url, init) => {
        init.headers.push(["X-Trace", "1"]);
        return window.pagesFetch(url, init);
    };
}"""
UNMARK = "() => { window.fetch = window.pagesFetch; }"


async def send_one_after_the_other():
    import asyncio

    from opened import auth, client

    from silent_refresh import Headers, Request

    transport = client._platform.transport
    fields = {"Authorization": f"Bearer {auth.tokens.access_token}"}
    one, other, none = (Headers({**fields, **mark}) for mark in ({"X-Mark": "one"}, {"X-Mark": "other"}, {}))

    class Broken:
        def __bool__(self):
            raise LookupError

    async def mark_of(headers, **options):
        response = await transport(Request("GET", "/api/echo", headers=headers, **options))
        return (await response.json())["headers"].get("x-mark")

    seen = [await mark_of(headers) for headers in (one, one, other, none, none, one)]
    (broken,) = await asyncio.gather(mark_of(other, timeout=Broken()), return_exceptions=True)
    seen += [type(broken).__name__, await mark_of(other), await mark_of(one)]
    cancelled = asyncio.ensure_future(mark_of(other))
    await asyncio.sleep(0)
    cancelled.cancel()
    return [*seen, await mark_of(one), *await asyncio.gather(*map(mark_of, (other, other, none, one)))]


def test_each_request_sends_its_own_fields(page_session, lab):
    """Whether the last one sent the same, failed before it left, was cancelled, or is still under way."""
    page_session.open(lab.sign_in())
    seen = page_session.python(send_one_after_the_other)

    assert ["one", "one", "other", None, None, "one"] == seen[:6]
    assert ["LookupError", "other", "one"] == seen[6:9]
    assert ["one", "other", "other", None, "one"] == seen[9:]


async def traces(count):
    from opened import client

    return [(await (await client.get("echo")).json())["headers"]["x-trace"] for _ in range(count)]


def test_what_the_page_adds_to_one_request_stays_there(page_session, lab):
    """A fetch of the page's own may write into the fields that it is given."""
    page_session.open(lab.sign_in())
    page_session.page.evaluate(MARK_EACH)
    seen = page_session.python(traces, 3)
    page_session.page.evaluate(UNMARK)

    assert ["1"] * 3 == seen
