"""Every redirect to the sign-in arrives, or is asked for again, in a real browser; row F74."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from silent_refresh import Client, LoginLoop, NotSignedIn, SilentRefresh
from tests.e2e.page_python import ADDRESS, PagePython
from tests.e2e.page_session import PageSession

ASK_BEFORE_LEAVING = "() => addEventListener('beforeunload', (event) => event.preventDefault())"
COME_BACK = "() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
SET_POLICY = """addEventListener("DOMContentLoaded", () => {
    const meta = document.createElement("meta");
    meta.name = "referrer";
    meta.content = "POLICY";
    document.head.append(meta);
});"""
MOVED = "/shown/elsewhere"


def end(session: PageSession, lab) -> None:
    """Let the server end the session."""
    lab.expire()
    lab.revoke()
    assert ["RefreshRejected"] == session.get("profile")


@pytest.mark.needs("dialogs that a test answers")
def test_who_stays_is_sent_again_at_the_next_click(fresh_page, lab):
    """A page that asks whether to leave, and is told to stay, is no dead end: it asks at the next need."""
    session = PageSession(fresh_page())
    session.open(lab.sign_in())
    session.let_go()
    page: Page = session.page
    questions = []

    def answer(dialog):
        questions.append(dialog.type)
        if len(questions) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", answer)
    page.get_by_text("Ready").click()  # nobody is asked in a page that nobody uses
    page.evaluate(ASK_BEFORE_LEAVING)
    end(session, lab)
    assert ["NotSignedIn"] * 2 == session.get("profile", "profile")
    assert (["beforeunload"], ADDRESS) == (questions, page.url.removeprefix(lab.url))

    page.get_by_text("Ready").click()
    session.start(["GET", "profile", {}])

    expect(page).to_have_url(re.compile("/login"))
    assert ["beforeunload"] * 2 == questions


def test_a_page_from_the_bfcache_leaves_at_once(session, lab):
    """Unless somebody signed in meanwhile."""
    session.sign_out()
    assert 1 == len(session.redirects())

    session.page.evaluate(COME_BACK)
    assert ["/login?reason=sign_out"] * 2 == session.redirects()

    session.store(**{"silent-refresh": stored(session, lab)})
    session.page.evaluate(COME_BACK)
    assert [200] == session.get("profile")
    assert 2 == len(session.redirects())


def stored(session, lab):
    tokens = lab.sign_in()
    return f'{{"access_token": "{tokens["accessToken"]}", "refresh_token": "{tokens["refreshToken"]}"}}'


async def ask(login):
    auth = SilentRefresh(login=login)
    try:
        return (await Client("/api", auth=auth).get("profile")).status
    except NotSignedIn as error:
        return [type(error).__name__, str(error)]
    finally:
        auth.close()


def ask_and_leave(page: PagePython, login: str) -> None:
    """Let the page ask who is signed in, which sends it to the sign-in, and wait until that is loaded."""
    with page.page.expect_event("load"):
        page.start(ask, login)
    page.wait_until_ready()


def test_a_hash_router_shows_its_sign_in(fresh_page):
    """The page stays loaded, its route changes, and the sign-in knows itself."""
    page = fresh_page()
    page.page.evaluate("() => { location.hash = '#/orders' }")

    assert "NotSignedIn" == page(ask, "#/login")[0]
    expect(page.page).to_have_url(re.compile(r"#/login\?next=\S*%23%2Forders&reason=not_signed_in$"))
    assert 401 == page(ask, "#/login")


@pytest.mark.needs("redirects answered by a test")
@pytest.mark.parametrize("policy", ["strict-origin-when-cross-origin", "no-referrer"])
def test_a_sign_in_that_the_server_moved_is_reached_in_one_go(fresh_page, policy):
    """It knows itself by what the redirect said; when the server drops that, the loop ends and is told."""
    page, went = fresh_page(), []
    keeps_query = True

    def move(route: Route) -> None:
        query = re.sub(r"^[^?]*", "", route.request.url) if keeps_query else ""
        route.fulfill(status=302, headers={"Location": f"{ADDRESS}{query}"})

    page.page.route(f"**{MOVED}*", move)
    page.page.add_init_script(SET_POLICY.replace("POLICY", policy))
    page.page.on("framenavigated", lambda frame: went.append(frame.url))
    page.open()
    ask_and_leave(page, MOVED)
    assert 401 == page(ask, MOVED)

    keeps_query = False
    page.page.evaluate("() => sessionStorage.clear()")
    page.open()
    went.clear()
    ask_and_leave(page, MOVED)
    ask_and_leave(page, MOVED)
    outcome = page(ask, MOVED)

    assert LoginLoop.__name__ == outcome[0]
    assert f"led to {ADDRESS}" in outcome[1]
    assert 2 == len(went)
