"""Whatever is stored, in a real page's localStorage and IndexedDB: answered, or at the login (F99).

The states are those of ``tests/engine/test_any_stored_state.py``, and values that no text can hold; fifty
of them in one page, one after the other, two hundred with ``SOAK=1``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from silent_refresh import Client, SilentRefresh, SilentRefreshError
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import hold_redirects
from tests.e2e.running_server import Lab
from tests.engine.test_any_stored_state import entries, filled_in, texts

STATES = 200 if os.environ.get("SOAK") else 50
WRITE = """async ([texts, journal, value, forgets]) => {
    localStorage.clear();
    if (forgets) sessionStorage.clear();
    for (const [key, text] of Object.entries(texts)) {
        if (text !== null) localStorage.setItem(key, text);
    }
    const odd = { bytes: new Uint8Array([1, 2]), date: new Date(), map: new Map([[1, 2]]), number: 7 };
    const database = await new Promise((resolve, reject) => {
        const opening = indexedDB.open("silent-refresh", 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore("marks");
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
    });
    const transaction = database.transaction("marks", "readwrite");
    transaction.objectStore("marks").clear();
    if (value !== null) transaction.objectStore("marks").put(odd[value] ?? value, journal);
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    database.close();
}"""
odd_values = st.sampled_from(["bytes", "date", "map", "number"])


@pytest.fixture(scope="module")
def page_of_states(browser: Browser, base_url: str) -> Iterator[PagePython]:
    """Open one page for all of them."""
    with browser.new_context(base_url=base_url) as context:
        page = PagePython(context.new_page())
        page.open()
        hold_redirects(page)
        yield page


async def ask_and_sign_in(tokens):
    auth = SilentRefresh()
    client = Client("/api", auth=auth)
    ends = []
    try:
        for _ in range(2):
            try:
                ends.append((await client.get("profile", timeout=20)).status)
            except SilentRefreshError as error:
                ends.append(type(error).__name__)
            await auth.sign_in(tokens)
    finally:
        auth.close()
    return ends


@settings(
    max_examples=STATES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(record=texts | st.none(), value=entries | odd_values, forgets=st.booleans(), expires=st.booleans())
def test_no_stored_state_leaves_a_page_stuck(
    page_of_states: PagePython,
    base_url: str,
    lab: Lab,
    record: str | None,
    value: Any,
    forgets: bool,
    expires: bool,
) -> None:
    """From each, and a new sign-in heals it (F99)."""
    page = page_of_states.page
    answer = lab.sign_in()
    stored, entry = filled_in(record, answer, answer), filled_in(value, answer, answer)
    if isinstance(stored, str):
        stored = stored.replace("https://app.example", base_url)
    if isinstance(entry, str):
        entry = entry.replace("https://app.example", base_url)
    journal = f"silent-refresh:silent-refresh:journal:{base_url}/refresh"
    entry = "bytes" if isinstance(entry, bytes) else entry
    page.evaluate(WRITE, [{"silent-refresh": stored}, journal, entry, forgets])
    page.evaluate("() => { window.redirects = []; }")
    if expires:
        lab.expire()

    first, second = page_of_states(ask_and_sign_in, lab.sign_in())

    at_login = [path for path in page.evaluate("window.redirects") if path.startswith("/login")]
    assert 200 == first or (first in ("NotSignedIn", "RefreshRejected") and at_login), (first, record, value)
    assert 200 == second
