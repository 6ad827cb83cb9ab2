"""What is said on the channel between tabs, who hears it, and what comes of nonsense; rows F23 and F86."""

from __future__ import annotations

import json

import pytest

from silent_refresh import SilentRefresh
from tests.e2e.page_session import KEY
from tests.e2e.tabs import open_all, open_pages, signed_in_tabs

CHANNEL = f"silent-refresh:{KEY}"
OVERHEAR = """(name) => {
    window.overheard = [];
    window.channel = new BroadcastChannel(name);
    window.channel.onmessage = ({ data }) => window.overheard.push(data);
}"""
GARBAGE = [  # JavaScript; ID is that of the session
    *("undefined", "null", "0", "true", "{}", "[9, 'ID', true]", "new Map()", "new ArrayBuffer(8)"),
    *("''", "'x'", "'{}'", "'null'", "'[]'", "'[1]'", "'abc'", "'\"abc\"'", "'[9, \"ID\", true, 4]'"),
    *("'[9, \"ID\", 1]'", '\'[9, "ID", "true"]\'', "'[9, [\"ID\"], true]'", "'[9, null, true]'"),
    *("'[true, \"ID\", true]'", "'[1.5, \"ID\", true]'", "'[-1, \"ID\", true]'", '\'["9", "ID", true]\''),
    *("'[NaN, \"ID\", true]'", "'[1e999, \"ID\", true]'", '\'{"9": 1, "ID": 2, "true": 3}\'', "'\\ud800'"),
    *("'[' + '9'.repeat(5000) + ', \"ID\", true]'", "'['.repeat(200000)", "'x'.repeat(2 ** 22)"),
]


@pytest.fixture(scope="module")
def pages(browser, base_url):
    """Open two tabs, once for all tests."""
    with open_pages(browser, base_url, 2) as pages:
        yield pages


@pytest.fixture
def tabs(pages, lab):
    """Return both tabs' sessions; the demo user is signed in."""
    return signed_in_tabs(pages, lab)


@pytest.fixture
def stranger(pages):
    """Open a page of the same origin that has nothing to do with the library, and listens."""
    page = pages[0].page.context.new_page()
    page.goto("/static/icon.svg")
    page.evaluate(OVERHEAR, CHANNEL)
    yield page
    page.close()


async def two_in_one_page(answers):
    """Sign in, sign in anew, renew and sign out with one of two ``auth``; return what both knew each time."""
    from asyncio import Event

    import js

    from silent_refresh import install

    one, two = SilentRefresh(login=None), SilentRefresh(login=None)
    undo = install(two)
    known = []
    for act, told in (
        (lambda: one.sign_in(answers[0]), "signed-in"),
        (lambda: one.sign_in(answers[1]), "signed-in"),
        (one.refresh, "adopted"),
        (one.sign_out, "signed-out"),
    ):
        heard, came = [], Event()
        stops = [
            one.listen(
                lambda event, heard=heard: heard.append(event.name), "signed-in", "refresh-done", "signed-out"
            ),
            two.listen(lambda event, told=told, came=came: event.name == told and came.set()),
        ]
        await act()
        await came.wait()
        for stop in stops:
            stop()
        fetched = await js.fetch("/api/profile")
        known.append([heard[-1], one.tokens == two.tokens, two.signed_in, fetched.status])
    undo()
    return known


def test_a_page_hears_of_what_it_did_itself(page_python, lab):
    """The browser tells a storage's other tabs only: who wrote knows, and so does its neighbour (F23)."""
    known = page_python(two_in_one_page, [lab.sign_in(), lab.sign_in()])

    assert [
        ["signed-in", True, True, 200],
        ["signed-in", True, True, 200],
        ["refresh-done", True, True, 200],
        ["signed-out", True, False, 401],
    ] == known
    assert 1 == lab.counters()["refresh"]


def test_messages_between_tabs_hold_no_token(tabs, lab, stranger):
    """Who listens through a whole session hears generations, and never a token (F86)."""
    secrets = set()
    for tab in tabs:
        for _ in range(2):
            record = tab.record()
            secrets |= {record["access_token"], record["refresh_token"]}
            lab.expire()
            assert [200] * 5 == tab.get(*["profile"] * 5)
    second = lab.sign_in()
    open_all(tabs, second)
    record = tabs[1].record()
    secrets |= {record["access_token"], record["refresh_token"]}
    tabs[1].sign_out()
    tabs[0].wait_for("signed-out")
    overheard = stranger.evaluate("() => window.overheard")

    assert 10 == len(secrets)
    assert [True] == json.loads(overheard[-1])[2:]
    for message in overheard:
        assert [int, str, bool] == [type(part) for part in json.loads(message)]
        assert not [secret for secret in secrets if secret in message or secret.split(".")[-1] in message]


def test_garbage_from_another_page_changes_nothing(tabs, lab, stranger):
    """A message is believed only if it is one; after all that isn't, the session is as it was (F86)."""
    troubles: list[str] = []
    page = tabs[0].page
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    record = tabs[0].record()
    for garbage in GARBAGE:
        text = garbage.replace("ID", record["id"])
        stranger.evaluate(f"() => {{ window.channel.postMessage({text}); }}")
    # No event tells a tab of what it wrote itself: this is found when a message that is one says so.
    newer = {**record, "generation": record["generation"] + 1}
    tabs[0].store(**{KEY: json.dumps(newer)})
    mark = json.dumps([newer["generation"], record["id"], False])
    stranger.evaluate("(mark) => window.channel.postMessage(mark)", mark)
    tabs[0].wait_for("adopted")

    assert ["signed-in", "adopted"] == tabs[0].events()
    assert newer == tabs[0].record()
    assert [200] == tabs[0].get("profile")
    assert {"refresh": 0, "reuse": 0, "api": 1, "unauthorized": 0} == lab.counters()
    assert [] == troubles
