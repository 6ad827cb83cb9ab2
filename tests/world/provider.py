"""An OAuth 2.0 provider with PKCE for the engine's tests: metadata, codes that are good once, revocation."""

from __future__ import annotations

import base64
import hashlib
import itertools
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from silent_refresh import RefreshEndpoint, SilentRefresh

from .browser import Tab
from .server import Answer, Call, Server

ISSUER = "https://id.example/realm"

WELL_KNOWN = f"{ISSUER}/.well-known/openid-configuration"


class Provider:
    """Answers at ``ISSUER``, in the world's one network; ``metadata`` can be changed, ``revoked`` be read."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.revoked: list[str] = []
        self.exchanges: list[dict[str, str]] = []
        self._asked: dict[str, dict[str, str]] = {}
        self._numbers = itertools.count(1)
        server.routes[f"{ISSUER}/.well-known/openid-configuration"] = self._tell
        server.routes[f"{ISSUER}/token"] = self._exchange
        server.routes[f"{ISSUER}/revoke"] = self._revoke

    def authorize(self, url: str, **changed: str | None) -> str:
        """Let the user agree to what ``url`` asks; return where the browser is sent, some of it changed."""
        place = urlsplit(url)
        assert f"{ISSUER}/authorize" == f"{place.scheme}://{place.netloc}{place.path}"
        asked = dict(parse_qsl(place.query))
        assert ("1", "code", "S256") == (
            asked["tenant"],
            asked["response_type"],
            asked["code_challenge_method"],
        )
        code = f"code-{next(self._numbers)}"
        self._asked[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": ISSUER, **changed}
        back_to, query = asked["redirect_uri"], urlencode({k: v for k, v in answer.items() if v is not None})
        return back_to + ("&" if "?" in back_to else "?") + query

    async def _tell(self, call: Call) -> Answer:
        return Answer(200, self.metadata)

    async def _exchange(self, call: Call) -> Answer:
        form = {name: values[0] for name, values in parse_qs(call.body).items()}
        self.exchanges.append(form)
        asked = self._asked.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        expected = {"code_challenge": challenge}
        expected |= {name: form[name] for name in ("client_id", "redirect_uri")}
        if asked is None or not expected.items() <= asked.items():
            return Answer(400, {"error": "invalid_grant"})
        granted = self.server.sign_in()
        return Answer(
            200,
            {
                "access_token": granted["accessToken"],
                "refresh_token": granted["refreshToken"],
                "token_type": "Bearer",
                "expires_in": granted["expiresIn"],
            },
        )

    async def _revoke(self, call: Call) -> Answer:
        self.revoked.append(parse_qs(call.body)["token"][0])
        return Answer(200, "")


async def discovered(tab: Tab) -> SilentRefresh:
    """Return a page's auth that found its provider out."""
    endpoint = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)
    return tab.sign(refresh=endpoint)[0]


async def come_back(auth: SilentRefresh, tab: Tab, provider: Provider, **changed: str | None) -> str | None:
    """Go to the provider, agree, and complete the sign-in with its answer, some of it changed."""
    await auth.authorize(scope="profile")
    tab.url = provider.authorize(tab.gone_to[-1], **changed)
    return await auth.complete_authorization()
