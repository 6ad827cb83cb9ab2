import pytest

from silent_refresh import RefreshRejected


async def test_an_expired_token_is_renewed_unseen(page, fake_server):
    fake_server.expire()

    assert await page.greeting() == "Hello, Ada"
    assert fake_server.refreshes == 1


async def test_a_revoked_session_ends_at_the_login(page, fake_server, fake_page):
    fake_server.revoke()

    with pytest.raises(RefreshRejected):
        await page.greeting()
    assert fake_page.gone_to == ["/login?next=%2F&reason=rejected"]
