"""A storage that is full, blocked or broken: never a reason to lose a request that the server answered."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.e2e.page_session import KEY, PageSession
from tests.e2e.tabs import open_pages

FILL = """() => {
    let size = 2 ** 22;
    for (let i = 0; size >= 1; i++) {
        try {
            localStorage.setItem(`filler ${i}`, "x".repeat(size));
        } catch {
            size /= 2;
        }
    }
}"""
REFUSE_RECORDS = """(key) => {
    const setItem = Storage.prototype.setItem;
    Storage.prototype.setItem = function (name, text) {
        if (name === key) throw Object.assign(new Error(text), { name: "QuotaExceededError" });
        setItem.call(this, name, text);
    };
    window.takeRecords = () => (Storage.prototype.setItem = setItem);
}"""
# What the browser itself throws for blocked storage; a `new DOMException` lacks the stack that its own have.
DENIED = "() => { document.domain = 'denied.example'; }"
BLOCKED = "['localStorage', 'sessionStorage'].forEach((a) => Object.defineProperty(window, a, { get: %s }))"
DATABASE = """{
    const open = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (name, version) {
        return name === "silent-refresh" ? (%s)() : open.call(this, name, version);
    };
}"""


@pytest.fixture
def session(page_session):
    """Return the shared page's session; nobody is signed in."""
    return page_session


@contextmanager
def warnings(page):
    """Collect what the library says in the console."""
    texts: list[str] = []

    def note(message):
        if "silent-refresh:" in message.text:
            texts.append(message.text)

    page.on("console", note)
    yield texts
    page.remove_listener("console", note)


def renew_twice(session, lab):
    """Let the token expire twice; each time all requests are answered for one refresh."""
    for refreshes in (1, 2):
        lab.expire()
        assert [200] * 10 == session.get(*["profile"] * 10)
        assert refreshes == lab.counters()["refresh"]
    assert 0 == lab.counters()["reuse"]


@pytest.mark.every_engine("localStorage")
def test_f27_a_storage_that_is_full_at_the_sign_in(session, lab):
    """The session lives in memory, is renewed there, and one line says so."""
    session.page.evaluate(FILL)
    with warnings(session.page) as told:
        session.open(lab.sign_in())
        renew_twice(session, lab)

    assert session.record() is None
    assert 1 == len(told)
    assert "could not be stored (QuotaExceededError)" in told[0]
    assert [] == session.redirects()


def test_f27_a_storage_that_is_full_after_the_rotation(session, lab):
    """The new tokens are kept in memory, and stored as soon as there is room."""
    session.open(lab.sign_in())
    before = session.record()
    session.page.evaluate(REFUSE_RECORDS, KEY)
    with warnings(session.page) as told:
        renew_twice(session, lab)
    session.page.evaluate("() => window.takeRecords()")

    assert before == session.record()
    assert 1 == len(told)
    assert before["refresh_token"] not in told[0]
    lab.expire()
    assert [200] == session.get("profile")
    assert before["generation"] + 3 == session.record()["generation"]
    assert {"refresh": 3, "reuse": 0} == {name: lab.counters()[name] for name in ("refresh", "reuse")}


@pytest.mark.every_engine("IndexedDB")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (BLOCKED % DENIED, "localStorage can't be used here (SecurityError)"),
        (DATABASE % DENIED, "IndexedDB can't be used (SecurityError)"),
        (DATABASE % "() => ({})", "IndexedDB can't be used (TimeoutError)"),
    ],
    ids=["F24 blocked storage", "F24 blocked database", "F24 a database that never answers"],
)
def test_a_page_whose_storage_is_blocked(browser, base_url, lab, script, words):
    """The library loads, signs in and renews, and one line says what is missing (F24)."""
    with open_pages(browser, base_url, 1, init_script=script) as (page,), warnings(page.page) as told:
        session = PageSession(page)
        session.open(lab.sign_in())
        renew_twice(session, lab)
        assert [] == session.redirects()

    assert 1 == len(told)
    assert words in told[0]


async def tokens_at_the_answer():
    import json

    import js
    from opened import auth, client

    await client.get("profile")
    return [json.loads(js.localStorage.getItem("silent-refresh"))["access_token"], auth.tokens.access_token]


def test_f33_new_tokens_are_stored_before_a_request_goes_on(session, lab):
    """Whoever sees the answer may leave the page: the tokens are safe."""
    session.open(lab.sign_in())
    lab.expire()
    stored, current = session.python(tokens_at_the_answer)

    assert stored == current


TEAR = "(key) => localStorage.setItem(key, localStorage.getItem(key).slice(0, 99))"


@pytest.mark.parametrize("damage", ["() => localStorage.clear()", TEAR], ids=["F31 cleared", "F29 torn"])
def test_a_record_that_is_damaged_while_the_page_lives(session, lab, damage):
    """The session goes on while its token is good, and ends without a crash when it isn't (F29, F31)."""
    session.open(lab.sign_in())
    session.page.evaluate(damage, KEY)

    assert [200] == session.get("profile")
    lab.expire()
    assert ["SessionChanged"] * 5 == session.get(*["profile"] * 5)
    assert 0 == lab.counters()["refresh"]
    assert 1 == len(session.redirects())
