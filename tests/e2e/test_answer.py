"""What a page's tasks see of ``browser/futures.py``: the very thing that they would see of an asyncio Future.

Each story is told twice in the real page, through the real transport: once with the library's ``Answer``,
once with a Future in its place. Both have to end as the table says.
"""

from __future__ import annotations

import pytest

from tests.e2e.answer_stories import STORIES

STUB = """() => {
    window.pagesFetch = window.fetch;
    window.fetch = async () => {
        const bytes = new TextEncoder().encode('{"id": 7}').buffer;
        const answer = new Response(bytes, { headers: { "content-type": "application/json" } });
        // Firefox reads a body in a turn of its own; here nothing but the library may ask for one.
        return Object.assign(answer, { arrayBuffer: async () => bytes });
    };
}"""
UNSTUB = "() => { window.fetch = window.pagesFetch; }"


async def wait_with(kind):
    import asyncio

    from silent_refresh.browser import transport

    ours = transport.__dict__.setdefault("ours", transport.Answered)

    class Plain(asyncio.Future):
        def __init__(self, loop, abort, ticket):
            super().__init__(loop=loop)
            self.abort, self.ticket = abort, ticket

        def go_on_with(self, outcome):
            if not self.done():
                self.set_result(outcome)

        def __await__(self):
            settled = ours(self.get_loop())
            settled.go_on_with((yield from super().__await__()))
            settled.fetch, settled.request, settled.url = self.fetch, self.request, self.url
            return (yield from settled.__await__())

        def cancel(self, msg=None):
            cancelled = super().cancel(msg)
            if cancelled:
                self.abort(self.ticket)
            return cancelled

    transport.Answered = {"Answer": ours, "Future": Plain}[kind]


@pytest.fixture(params=["Answer", "Future"])
def told(request, session):
    """Return what tells a story, with the one kind of future or with the other."""
    session.python(wait_with, request.param)
    yield session.python
    session.python(wait_with, "Answer")


@pytest.mark.parametrize(("story", "end"), STORIES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_request_ends_as_with_a_real_future(told, story, end):
    """Results, errors, contexts, cancellation and stack switching don't tell the two apart (F70)."""
    assert end == told(story)


async def settle(kind, how):
    import asyncio

    from silent_refresh.platform.current import current_platform

    loop = asyncio.get_running_loop()
    future = current_platform().future() if kind == "ours" else loop.create_future()
    seen = []

    async def wait():
        try:
            seen.append(["had", await future])
        except BaseException as error:
            seen.append(repr(error))
            raise

    if how == "settled before":
        future.set_result(1)
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    if how.startswith("result"):
        future.set_result(1)
        seen.append("set")  # nobody is woken in the middle of this task
    elif how == "exception":
        future.set_exception(LookupError("none"))
    elif how == "cancelled":
        seen.append([future.cancel("enough"), future.cancel("again")])
    elif how == "its task is cancelled":
        seen.append(task.cancel("enough"))
    if how == "result, then cancelled":
        task.cancel()
    await asyncio.wait([task])
    try:
        future.set_result(2)
    except asyncio.InvalidStateError:
        seen.append("InvalidStateError")
    return [seen, future.done(), future.cancelled(), task.cancelled()]


@pytest.mark.parametrize(
    "how",
    [
        "result",
        "settled before",
        "exception",
        "cancelled",
        "its task is cancelled",
        "result, then cancelled",
    ],
)
def test_a_future_of_the_queue_is_settled_as_a_real_one_is(page_python, how):
    """By Python in the middle of a task (F70)."""
    ours = page_python(settle, "ours", how)

    assert page_python(settle, "asyncio's", how) == ours
    assert "InvalidStateError" in ours[0]


async def race():
    import asyncio

    from opened import client

    seen = []
    asyncio.get_running_loop().call_soon(seen.append, "loop")
    await client.get("items/7")
    seen.append("answer")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return seen


@pytest.mark.parametrize(("kind", "order"), [("Answer", ["answer", "loop"]), ("Future", ["loop", "answer"])])
def test_a_request_with_a_good_token_takes_no_trip_through_the_loop(session, kind, order):
    """What is answered at once goes on before the event loop has its turn; with a Future it would not."""
    session.page.evaluate(STUB)
    session.python(wait_with, kind)
    seen = session.python(race)
    session.python(wait_with, "Answer")
    session.page.evaluate(UNSTUB)

    assert order == seen
