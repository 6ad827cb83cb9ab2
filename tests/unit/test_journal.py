"""What survives: the journal beside the store, whatever either of them has."""

from __future__ import annotations

import json
from asyncio import ensure_future, gather

import pytest

from silent_refresh import Client, MemoryStorage, NotSignedIn, RefreshRejected, SilentRefresh
from silent_refresh.platform.values import JournalEntry, Mark
from silent_refresh.session.journal import from_text, newest, to_text
from tests.world.browser import Browser, Tab
from tests.world.loop import later, until
from tests.world.server import Server

OWNER = "silent-refresh https://app.example/refresh"


async def user_of(client: Client) -> str:
    """Ask who is signed in."""
    return str((await (await client.get("me", timeout=20)).raise_for_status().json())["user"])


async def test_f90_a_renewal_that_the_storage_lost_is_adopted(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """The browser dies with the renewed record on no disk: the next one has it from the journal (F90)."""
    browser.write_down()
    server.expire()
    assert "ada" == await user_of(client)
    browser.die()

    page = browser.open("/orders")
    assert "ada" == await user_of(page.sign()[1])
    assert (1, 0) == (server.refreshes, server.reuses)
    assert [] == page.gone_to


async def test_f91_who_signed_out_stays_so(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """The disk still has the record, the journal has its end: nothing is sent with it (F91)."""
    browser.write_down()
    await auth.sign_out()
    browser.die()
    calls = len(server.calls)

    page = browser.open("/orders")
    again, client = page.sign()
    with pytest.raises(NotSignedIn):
        await user_of(client)
    assert {None} == {call.token for call in server.calls[calls:]}
    assert not again.signed_in
    assert "silent-refresh" not in browser.stored
    assert 1 == len(page.gone_to)


async def test_f92_the_second_user_comes_back(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """Never the first, whose record the disk has (F92)."""
    browser.write_down()
    await auth.sign_in(server.sign_in("bob"))
    browser.die()

    assert "bob" == await user_of(browser.open().sign()[1])


async def test_f93_a_sign_in_that_returned_has_survived(
    auth: SilentRefresh, browser: Browser, server: Server
) -> None:
    """Though the storage has nothing at all of it (F93)."""
    await auth.sign_in(server.sign_in())
    browser.die()

    assert "ada" == await user_of(browser.open().sign()[1])


async def test_f93_of_two_sign_ins_the_one_that_returned_has_survived(
    auth: SilentRefresh, browser: Browser, server: Server
) -> None:
    """Another tab's was in the storage when the browser died, of the same number, and not yet final (F93)."""
    await auth.sign_in(server.sign_in())
    other = server.sign_in("bob")
    unfinished = json.loads(browser.stored["silent-refresh"])
    unfinished.update(
        id="0123456789abcdef", access_token=other["accessToken"], refresh_token=other["refreshToken"]
    )
    browser.store("silent-refresh", json.dumps(unfinished))
    browser.write_down()
    browser.die()

    client = browser.open().sign()[1]
    await later(120)
    server.expire()
    assert "ada" == await user_of(client)
    assert (1, 0) == (server.refreshes, server.reuses)


async def test_f95_without_a_journal_the_store_counts(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """IndexedDB is blocked, or was evicted (F95)."""
    browser.journal_works = False
    server.expire()
    assert "ada" == await user_of(browser.open().sign()[1])
    browser.journal_works = True
    browser.journal.clear()

    page, other = browser.open().sign()
    assert "ada" == await user_of(other)
    await later(2)
    assert page.tokens is not None
    entry = from_text(browser.journal[OWNER])
    assert entry is not None
    assert entry.record == browser.stored["silent-refresh"]


async def test_f96_who_clears_the_store_signs_out(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """A page that knows nothing of the journal did it long ago; it stays so (F96)."""
    await later(200)
    browser.stored.clear()
    browser.write_down()
    browser.die()

    for _ in range(2):
        with pytest.raises(NotSignedIn):
            await user_of(browser.open("/orders").sign()[1])
        await later(3)
    entry = from_text(browser.journal[OWNER])
    assert entry is not None
    assert entry.ended


async def test_f96_a_tab_that_saw_the_record_knows_that_it_was_cleared(
    auth: SilentRefresh, client: Client, tab: Tab, browser: Browser
) -> None:
    """However recently it was written: the browser hasn't died since (F96)."""
    browser.stored.clear()
    tab.view.clear()
    tab.alive = False
    reloaded = browser.open("/orders")
    reloaded.stored = tab.stored

    with pytest.raises(NotSignedIn):
        await user_of(reloaded.sign()[1])


async def test_f97_an_old_copy_of_both_is_the_servers_to_judge(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """A restored profile presents its token once; then the page is at the login (F97)."""
    browser.write_down()
    stored, journal = dict(browser.stored), dict(browser.journal)
    server.expire()
    await user_of(client)
    browser.die()
    browser.stored, browser.journal = stored, journal
    page = browser.open("/orders")

    with pytest.raises(RefreshRejected):
        await user_of(page.sign()[1])
    assert 1 == len(page.gone_to)


async def test_f99_an_entry_whose_record_cannot_be_read_is_no_dead_end(
    client: Client, browser: Browser, server: Server
) -> None:
    """It is newer, and nobody has what it tells of: the old refresh token is presented once (F99)."""
    entry = from_text(browser.journal[OWNER])
    assert entry is not None
    browser.commit(OWNER, to_text(entry._replace(generation=entry.generation + 1, record="{}")))
    server.expire()

    assert "ada" == await user_of(client)
    assert (1, 0) == (server.refresh_calls, server.reuses)


async def test_f22_a_sign_out_elsewhere_ends_no_sign_in_that_came_after_it(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """Though it ends a later generation of the session before, and is committed first (F22)."""
    browser.delay = {"storage": 0.9, "journal": 0.002, "lock": 0.05, "channel": 0.003}.__getitem__
    browser.tell_by_channel = False  # of the renewals this tab hears nothing yet
    elsewhere, _ = browser.open().sign()
    for _ in range(3):
        await elsewhere.refresh()
    browser.tell_by_channel = True
    leaving = ensure_future(elsewhere.sign_out())
    await until(lambda: browser.holder is not None)
    await auth.sign_in(server.sign_in("bob"))
    await leaving
    await later(10)

    assert "bob" == await user_of(client)


async def test_a_full_store_strands_no_other_tab(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """They have the new tokens from the journal, and so has the next start (F27)."""
    other = browser.open().sign()[1]
    assert "ada" == await user_of(other)
    browser.full = True
    server.expire()
    assert ["ada", "ada"] == list(await gather(user_of(client), user_of(other)))
    browser.die()

    assert "ada" == await user_of(browser.open().sign()[1])
    assert (1, 0) == (server.refreshes, server.reuses)


async def test_no_token_is_sent_before_the_journal_was_asked(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """Requests wait for it by themselves; who wants to know awaits ``restored`` (F91)."""
    browser.delay = lambda what: 0.5 if what == "journal" else 0.0
    page = browser.open()
    again, client = page.sign()
    calls = len(server.calls)
    waiting = gather(user_of(client), again.restored())
    await later(0.4)
    assert calls == len(server.calls)

    assert "ada" == (await waiting)[0]


async def test_two_on_one_memory_are_one_session(tab: Tab, server: Server) -> None:
    """They take the same lock, and what one does is the other's (F10)."""
    store = MemoryStorage()
    gone: list[str | None] = []
    one, first = tab.sign(store=store, login=lambda event: gone.append(event.reason))
    two, second = tab.sign(store=store, login=lambda event: gone.append(event.reason))
    told: list[str] = []
    two.listen(lambda event: told.append(f"{event.name} {event.reason}"))
    await one.sign_in(server.sign_in())
    assert two.signed_in
    server.expire()
    assert ["ada", "ada"] == list(await gather(user_of(first), user_of(second)))
    assert 1 == server.refreshes

    await one.sign_out()
    await later(0)
    assert not two.signed_in
    assert ["sign_out"] == gone
    assert "signed-out sign_out" in told


async def test_two_applications_of_one_origin_leave_each_other_alone(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """A record names the endpoint that it belongs to; the second application's is beside it."""
    page = browser.open("/b/")
    second, its_client = page.sign(refresh="/b/refresh")
    await second.restored()
    assert not second.signed_in
    await second.sign_in(server.sign_in("bob"))
    assert ["ada", "bob"] == list(await gather(user_of(client), user_of(its_client)))

    await second.sign_out()
    await later(2)
    assert "ada" == await user_of(client)
    reloaded = browser.open().sign()[1]
    assert "ada" == await user_of(reloaded)


async def test_the_servers_word_ends_it_at_the_first_request_of_a_new_life(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server
) -> None:
    """Revoked while the browser was closed: cleared, told, and to the login (F98)."""
    browser.write_down()
    browser.die()
    server.revoke()
    server.expire()
    page = browser.open("/orders")
    again, client = page.sign()
    told: list[str | None] = []
    again.listen(lambda event: told.append(event.reason if event.name == "signed-out" else None))

    with pytest.raises(RefreshRejected):
        await user_of(client)
    await later(0)
    assert "rejected" in told
    assert ["/login?next=%2Forders&reason=rejected"] == page.gone_to
    assert "silent-refresh" not in browser.stored


@pytest.mark.parametrize("asks_first", [True, False], ids=["before the journal", "after"])
async def test_f98_a_token_that_was_only_adopted_is_renewed_when_it_is_refused(
    auth: SilentRefresh, client: Client, browser: Browser, server: Server, asks_first: bool
) -> None:
    """It isn't this page's renewal that was in vain: the server ended the session meanwhile (F98, F90)."""
    browser.write_down()
    server.expire()
    assert "ada" == await user_of(client)
    browser.die()
    server.revoke()
    server.expire()

    page = browser.open("/orders")
    again, client = page.sign()
    if not asks_first:
        await again.restored()
    with pytest.raises(RefreshRejected):
        await user_of(client)
    assert not again.signed_in
    assert 1 == len(page.gone_to)


async def test_a_late_refusal_of_the_token_before_says_nothing_of_a_new_one(
    auth: SilentRefresh, client: Client, server: Server
) -> None:
    """It came after a renewal that had nothing to do with it; then the session ended (F98)."""
    server.delay = lambda what: 5.0 if what == "back" and server.calls[-1].path == "/api/slow" else 0.02
    server.expire()
    slow = ensure_future(client.get("slow", timeout=20))
    await later(1)
    assert "ada" == await user_of(client)
    server.revoke()
    server.expire()

    assert 401 == (await slow).status
    with pytest.raises(RefreshRejected):
        await client.get("slow", timeout=20)


def test_what_a_version_without_a_journal_marked_counts() -> None:
    """Its tabs may be open beside this one's; a mark of another application says nothing."""
    entry = JournalEntry(3, "ours", ended=False, record="{}")

    assert entry is newest(entry, None)
    assert entry is newest(entry, Mark(3, "ours", ended=False))
    assert entry is newest(entry, Mark(9, "another's", ended=True))
    assert JournalEntry(4, "ours", ended=False, is_legacy=True) == newest(entry, Mark(4, "ours", ended=False))
    assert JournalEntry(3, "ours", ended=True, is_legacy=True) == newest(entry, Mark(3, "ours", ended=True))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "null",
        "[1, 2]",
        '{"generation": 1}',
        json.dumps({"generation": 2**60, "session": "a", "ended": False}),
        json.dumps({"generation": 1, "session": 5, "ended": False}),
        json.dumps({"generation": 1, "session": "a", "ended": 0}),
        json.dumps({"generation": True, "session": "a", "ended": False}),
        json.dumps({"generation": 1, "session": "a", "ended": False, "record": {}}),
        "[" * 100_000,
        '{"generation": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_entry_is_read_as_none(text: object) -> None:
    """Whoever wrote it (F99)."""
    assert from_text(text) is None


def test_an_entry_shows_no_token() -> None:
    """Its record is as secret as the store's (F80)."""
    entry = JournalEntry(3, "ours", ended=False, record='{"access_token": "secret"}', at=5.0)

    assert "secret" not in repr(entry)
    assert entry == from_text(to_text(entry))
