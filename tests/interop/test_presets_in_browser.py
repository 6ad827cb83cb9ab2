"""Each preset in a real page, its server at another origin: with a browser's preflights and cookies."""

from __future__ import annotations

from typing import Any

import pytest

from silent_refresh import Client, Headers, RefreshEndpoint, Request, SilentRefresh
from tests.e2e.page_python import PagePython
from tests.interop.conftest import ServerOf
from tests.interop.presets import PRESETS, Preset
from tests.interop.running import InteropServer

each_preset = pytest.mark.parametrize("preset", PRESETS, ids=str)


async def sign_in(preset, arguments, call, headers):
    from silent_refresh.platform.current import current_platform

    endpoint = getattr(RefreshEndpoint, preset)(**arguments)
    auth = SilentRefresh(endpoint)
    options = {"credentials": endpoint.credentials}
    headers = Headers({**call["headers"], **headers})
    request = Request("POST", call["url"], headers=headers, body=call["body"], options=options)
    response = await current_platform().transport(request)
    await auth.sign_in(await response.raise_for_status().json())
    auth.close()


async def ask_ten_times(preset, arguments, url, headers):
    import asyncio

    auth = SilentRefresh(getattr(RefreshEndpoint, preset)(**arguments), login=None)
    client = Client(url, auth=auth, headers=headers)
    answers = await asyncio.gather(*(client.get("") for _ in range(10)), return_exceptions=True)
    told = [getattr(answer, "status", type(answer).__name__) for answer in answers]
    auth.close()
    return {"told": told, "signed in": auth.signed_in}


class SignedInPage:
    """A page of another origin than its API, the demo user signed in and counted from there."""

    def __init__(self, page_python: PagePython, preset: Preset, server: InteropServer) -> None:
        self._page_python = page_python
        self._preset = preset
        self._server = server
        self.lab = server.lab
        self._run(sign_in, preset.sign_in(server.url))
        self.lab.reset()

    def ask_ten_times(self) -> dict[str, Any]:
        """Send ten requests at once; return ``{"told": [status or error], "signed in": bool}``."""
        answer: dict[str, Any] = self._run(ask_ten_times, self._server.url + self._preset.me)
        return answer

    def _run(self, function: Any, what: Any) -> Any:
        arguments = self._preset.arguments_at(self._server.url)
        return self._page_python(function, self._preset.name, arguments, what, self._preset.headers)


@pytest.fixture
def signed_in(page_python: PagePython, server_of: ServerOf, base_url: str, preset: Preset) -> SignedInPage:
    """Return the shared page, signed in at a server that lets its origin call."""
    return SignedInPage(page_python, preset, server_of(preset, "--allow-origin", base_url))


@each_preset
def test_ten_requests_to_another_origin_cost_one_refresh(signed_in: SignedInPage) -> None:
    """All are refused, one refresh is sent, and all are answered, twice over."""
    for _ in range(2):
        signed_in.lab.expire()
        signed_in.lab.reset()

        assert {"told": [200] * 10, "signed in": True} == signed_in.ask_ten_times()
        assert {"refresh": 1, "unauthorized": 10} == signed_in.lab.counters()


@each_preset
def test_a_refusal_from_another_origin_signs_out(signed_in: SignedInPage) -> None:
    """The page can read the answer to the refresh call, and knows that the session is over."""
    signed_in.lab.expire_refresh_tokens()

    assert {"told": ["RefreshRejected"] * 10, "signed in": False} == signed_in.ask_ten_times()
    assert 1 == signed_in.lab.counters()["refresh"]
