"""A page whose engine runs in CPython and whose server is a real one, at another origin."""

from __future__ import annotations

from typing import Any

from silent_refresh import Client, Headers, Request, Response, Tokens
from silent_refresh.protocol.endpoint import read_sign_in
from tests.interop.network import Network
from tests.interop.presets import Preset
from tests.interop.running import InteropServer
from tests.world.browser import Browser


class Page:
    """One page, which uses ``preset`` for its server.

    ``changed`` are arguments of the preset that a developer got wrong. With ``taken_for`` the developer took
    the server for one of another kind, and so chose another preset.
    """

    def __init__(
        self,
        preset: Preset,
        server: InteropServer,
        network: Network,
        *,
        taken_for: Preset | None = None,
        **changed: Any,
    ) -> None:
        self.preset = preset
        self.server = server
        self.network = network
        self.right_endpoint = preset.endpoint(server.url)
        self.tab = Browser(network).open("/orders")  # type: ignore[arg-type]  # it asks for transport() alone
        endpoint = (taken_for or preset).endpoint(server.url, **changed)
        if taken_for is not None:
            endpoint.url = self.right_endpoint.url
        self.auth, _ = self.tab.sign(refresh=endpoint, is_refused=preset.is_refused)
        self.client = Client(server.url, auth=self.auth, headers=preset.headers)

    async def sign_in(self) -> Tokens:
        """Sign the demo user in, and count from here."""
        how = self.preset.sign_in(self.server.url)
        options = {"credentials": self.right_endpoint.credentials}
        headers = Headers({**how["headers"], **self.preset.headers})
        request = Request("POST", how["url"], headers=headers, body=how["body"], options=options)
        response = (await self.network.transport(request)).raise_for_status()
        if self.preset.granted is None:
            response = await self.network.transport(self.right_endpoint.request(None))
        answer = await response.json()
        granted = answer[self.preset.granted] if self.preset.granted else answer
        await self.auth.sign_in(read_sign_in(granted, self.right_endpoint))
        self.server.lab.reset()
        return self.tokens

    @property
    def tokens(self) -> Tokens:
        """The tokens that the engine holds."""
        assert self.auth.tokens is not None
        return self.auth.tokens

    @property
    def refresh_token(self) -> str | None:
        """What renews the access token: held by the engine, or by the cookie jar."""
        if self.right_endpoint.needs_refresh_token:
            return self.tokens.refresh_token
        return next(cookie.value for cookie in self.network.cookies)

    async def go_on_with(self, refresh_token: str | None) -> None:
        """Go on with another refresh token, with one of an old backup say."""
        if self.right_endpoint.needs_refresh_token:
            await self.auth.sign_in(Tokens(self.tokens.access_token, refresh_token))
            return
        for cookie in self.network.cookies:
            cookie.value = refresh_token

    async def me(self) -> Response:
        """Ask the server who is signed in."""
        return await self.client.get(self.preset.me)
