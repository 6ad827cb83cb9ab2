"""A page that the browser really sets aside and brings back, where it does.

https://html.spec.whatwg.org/multipage/nav-history-apis.html#note-bfcache
"""

from __future__ import annotations

import pytest

from tests.e2e.conftest import FreshPage
from tests.e2e.page_session import KEY, PageSession
from tests.e2e.running_server import Lab


@pytest.mark.every_engine("the bfcache")
def test_a_page_that_was_set_aside_reads_the_session_again(fresh_page: FreshPage, lab: Lab) -> None:
    """Meanwhile the session ended, without a word: it sends nothing with the tokens that were (F64)."""
    session = PageSession(fresh_page())
    session.open(lab.sign_in())
    session.page.evaluate("() => { window.wasSetAside = true; }")
    session.let_go()
    session.page.goto("/static/icon.svg")
    session.page.evaluate("key => localStorage.removeItem(key)", KEY)
    lab.reset()
    session.page.go_back()
    if not session.page.evaluate("() => window.wasSetAside"):
        pytest.skip("there is not: a bfcache for this page")

    session.wait_for("signed-out")
    session.page.wait_for_url("**/login?*")
    assert 0 == lab.counters()["refresh"]
