"""What is answered comes to Python through a piece of its memory that has room for one answer at a time.

The page's own fetch stands in for servers that answer in the same moment, at length, or in another charset.
"""

from __future__ import annotations

import pytest

from silent_refresh import Client

STUB = """() => {
    window.pagesFetch = window.fetch;
    const ENDS = { broken: [0x22, 0xff, 0x22], marked: [0xef, 0xbb, 0xbf, 0x37], none: [] };
    const answer = ({ searchParams, pathname }) => {
        const number = (name) => Number(searchParams.get(name));
        const headers = { "content-type": "application/json", "x-filler": "ä".repeat(number("fields")) };
        const text = JSON.stringify({ path: pathname, filler: "é".repeat(number("body")) });
        const bytes = ENDS[searchParams.get("end")];
        const content = bytes ? new Uint8Array(bytes) : text;
        const status = number("status") || 200;
        const response = new Response(content, { headers, status });
        if (!number("url")) return response;
        const url = `${location.origin}/elsewhere/${"x".repeat(number("url"))}`;
        return Object.defineProperties(response, { url: { value: url }, redirected: { value: true } });
    };
    window.fetch = async (url) => answer(new URL(url));
}"""
UNSTUB = "() => { window.fetch = window.pagesFetch; }"


@pytest.fixture
def stubbed(session):
    """Return the session of a page whose fetch answers by itself."""
    session.page.evaluate(STUB)
    yield session
    session.page.evaluate(UNSTUB)


async def get_at_once(paths):
    import asyncio

    from opened import client

    async def get(path):
        response = await client.get(path)
        answer = await response.json()
        filler = response.headers["x-filler"]
        return [response.status, answer["path"], len(answer["filler"]), len(filler), set(filler) <= {"ä"}]

    return await asyncio.gather(*map(get, paths))


def test_each_of_many_answers_is_its_requests_own(stubbed):
    """All come in one moment: each finds its own there, whichever was written last."""
    sizes = [(n, n * 37 % 400, n * 91 % 3000) for n in range(60)]
    paths = [f"items/{n}?status={210 + n}&fields={fields}&body={body}" for n, fields, body in sizes]

    told = stubbed.python(get_at_once, paths)

    assert [[210 + n, f"/api/items/{n}", body, fields, True] for n, fields, body in sizes] == told


@pytest.mark.parametrize("fields", [0, 1, 16_000, 16_384, 40_000])
@pytest.mark.parametrize("body", [0, 30_000, 33_000, 200_000])
def test_what_has_no_room_there_comes_all_the_same(stubbed, fields, body):
    """Long header fields, long bodies, and both."""
    (told,) = stubbed.python(get_at_once, [f"items/1?status=201&fields={fields}&body={body}"])

    assert [201, "/api/items/1", body, fields, True] == told


async def get_redirected(length):
    from opened import client

    response = await client.get(f"items/1?url={length}")
    return [
        response.redirected,
        len(response.url.partition("/elsewhere/")[2]),
        (await response.json())["path"],
    ]


@pytest.mark.parametrize("length", [1, 1000, 17_000])
def test_the_final_url_comes_too(stubbed, length):
    """However long it is."""
    assert [True, length, "/api/items/1"] == stubbed.python(get_redirected, length)


async def get_bytes(end):
    from opened import client

    response = await client.get(f"items/1?end={end}")
    return [list(await response.bytes()), await response.text()]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("broken", [[0x22, 0xFF, 0x22], '"\ufffd"']),
        ("marked", [[0xEF, 0xBB, 0xBF, 0x37], "7"]),
        ("none", [[], ""]),
    ],
)
def test_bytes_come_as_they_were_sent(stubbed, end, told):
    """What is no UTF-8, or begins with a byte order mark, isn't lost."""
    assert told == stubbed.python(get_bytes, end)


async def grow():
    from opened import client
    from pyodide_js import _module

    before = _module.HEAPU8.length
    kept = []
    seen = []
    while _module.HEAPU8.length < before + 50_000_000:
        kept.append(bytearray(10_000_000))
        seen.append(int((await (await client.get(f"items/{len(kept)}")).json())["item"]))
    return [seen == list(range(1, len(kept) + 1)), len(kept) > 3]


def test_pythons_memory_may_grow(session):
    """It is another one then for JavaScript."""
    assert [True, True] == session.python(grow)


async def send_by_tasks():
    import asyncio

    async def twice(request, send):
        first, second = await asyncio.gather(asyncio.create_task(send(request)), send(request))
        return first if first.status == second.status else None

    return (await Client("/api", interceptors=[twice]).get("items/1?status=234")).status


def test_an_interceptor_may_make_tasks_of_what_it_sends(stubbed):
    """Without a session, too, where nothing stands between it and the transport."""
    assert 234 == stubbed.python(send_by_tasks)
