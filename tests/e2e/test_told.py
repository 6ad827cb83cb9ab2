"""What is told of secrets in a real page: error reporters write down the local variables of each frame."""

from __future__ import annotations

import pytest

from silent_refresh import Request
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab


async def locals_of_failures(urls):
    import traceback

    from opened import auth, client

    async def told_by(call):
        try:
            await call
        except Exception as error:
            found = ""
            while error is not None:
                frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
                found += "".join(repr(f.f_locals) for f in frames if "silent_refresh" in f.f_code.co_filename)
                error = error.__cause__
            return found

    return [await told_by(auth.refresh()), *[await told_by(client.get(url)) for url in urls]]


async def locals_of_a_blocking_call(url):
    import traceback

    from opened import auth

    from silent_refresh.platform.current import current_platform

    request = Request("POST", url).with_bearer(auth.tokens.access_token)
    try:
        await current_platform().blocking.send(request)
    except Exception as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        return "".join(repr(f.f_locals) for f in frames if "silent_refresh" in f.f_code.co_filename)


@pytest.mark.needs("synchronous requests answered by a test")
@pytest.mark.parametrize("problem", ["failed", "timedout"])
def test_f80_no_frame_holds_a_token(session: PageSession, lab: Lab, problem: str) -> None:
    """Offline, neither a refresh nor a request nor a call that blocks leaves one in a local variable."""
    record = session.record()
    assert record is not None
    for path in ("**/refresh", "**/api/*"):
        session.page.route(path, lambda route: route.abort(problem))
    try:
        told = session.python(locals_of_failures, ["profile"])
        told.append(session.python(locals_of_a_blocking_call, "/api/echo"))
    finally:
        session.page.unroute_all()

    assert ["request" in text for text in told] == [True] * 3
    for token in (record["access_token"], record["refresh_token"]):
        assert token not in "".join(told)
