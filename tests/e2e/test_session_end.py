"""A session that nobody has used for long, in a real browser: its storage, its journal, the server."""

from __future__ import annotations

import json
import time

import pytest

from tests.e2e.page_session import KEY, PageSession
from tests.e2e.running_server import Lab

ENDED = """async () => {
    const opening = indexedDB.open("silent-refresh", 1);
    await new Promise((resolve) => { opening.onsuccess = resolve; });
    const database = opening.result;
    const reading = database.transaction("marks").objectStore("marks").getAll();
    await new Promise((resolve) => { reading.onsuccess = resolve; });
    database.close();
    const [entry] = reading.result.filter((text) => text.startsWith("{"));
    return JSON.parse(entry).ended && entry;
}"""


@pytest.mark.parametrize("option", ["idle", "max_age"])
def test_it_ends_when_a_page_starts(session: PageSession, lab: Lab, option: str) -> None:
    """Before anything is sent with its token: the record is gone, and the journal says so, too."""
    record = session.record()
    assert record is not None
    long_ago = time.time() - 1000
    session.store(**{KEY: json.dumps({**record, "issued_at": long_ago, "began_at": long_ago})})
    session.open(**{option: 900})
    lab.reset()

    assert ["NotSignedIn"] == session.get("profile")
    assert 1 == lab.counters()["unauthorized"]
    assert session.record() is None
    # The page ends it by itself, and may still be writing that down when a request meets nobody signed in.
    entry = session.page.wait_for_function(ENDED).json_value()
    assert json.loads(entry)["record"] is None
    session.page.wait_for_function("() => redirects.length > 0")  # then it leads to the login
    assert [f"/login?next=%2Ftests%2Fe2e%2Fpage%2Findex.html&reason={option}"] == session.redirects()


def test_a_session_that_is_used_goes_on(session: PageSession, lab: Lab) -> None:
    """What was used since counts, not when its token was issued."""
    record = session.record()
    assert record is not None
    session.open(idle=900, max_age=2000)
    assert [200] == session.get("profile")
    long_ago = time.time() - 1000
    session.store(**{KEY: json.dumps({**record, "issued_at": long_ago, "began_at": long_ago})})
    session.open(idle=900, max_age=2000)

    assert [200] == session.get("profile")
    assert [] == session.redirects()
