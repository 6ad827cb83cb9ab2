"""An OAuth 2.0 provider with PKCE for the engine's tests: metadata, codes that are good once, revocation.

With ``openid`` in the scope it is an OpenID provider.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from silent_refresh import RefreshEndpoint, SilentRefresh

from .browser import Tab
from .server import Answer, Call, Server

ISSUER = "https://id.example/realm"

NOW = 1_764_000_000  # s since the epoch: when the world begins
WELL_KNOWN = f"{ISSUER}/.well-known/openid-configuration"


class Provider:
    """Answers at ``ISSUER``, in the world's one network; ``metadata`` can be changed, ``revoked`` be read.

    ``claims`` are put into ID tokens in place of what belongs there; ``None`` leaves one out.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "end_session_endpoint": f"{ISSUER}/logout",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.revoked: list[str] = []
        self.exchanges: list[dict[str, str]] = []
        self.claims: dict[str, Any] = {}
        self.issues_id_tokens = True
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
        if form["grant_type"] == "refresh_token":
            renewed = await self.server.refresh(replace(call, body={"refreshToken": form["refresh_token"]}))
            return Answer(
                renewed.status, self._named(renewed.body) if renewed.status == 200 else renewed.body
            )
        self.exchanges.append(form)
        asked = self._asked.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        expected = {"code_challenge": challenge}
        expected |= {name: form[name] for name in ("client_id", "redirect_uri")}
        if asked is None or not expected.items() <= asked.items():
            return Answer(400, {"error": "invalid_grant"})
        key = call.proof["key"] if call.proof is not None else None
        if asked.get("dpop_jkt") != key:
            return Answer(400, {"error": "invalid_grant"})
        answer = self._named(self.server.sign_in(key=key))
        if "openid" in asked.get("scope", "").split() and self.issues_id_tokens:
            answer["id_token"] = self.id_token(asked)
        return Answer(200, answer)

    @staticmethod
    def _named(granted: dict[str, Any]) -> dict[str, Any]:
        """Return the server's answer as OAuth names it."""
        return {
            "access_token": granted["accessToken"],
            "refresh_token": granted["refreshToken"],
            "token_type": granted.get("tokenType", "Bearer"),
            "expires_in": granted["expiresIn"],
        }

    def id_token(self, asked: dict[str, str]) -> str:
        """Return the ID token that answers what was asked."""
        claims = {"iss": ISSUER, "aud": asked["client_id"], "sub": "ada", "name": "Ada", "iat": NOW}
        claims |= {"exp": NOW + 300, "nonce": asked.get("nonce"), **self.claims}
        return jwt({name: value for name, value in claims.items() if value is not None})

    async def _revoke(self, call: Call) -> Answer:
        self.revoked.append(parse_qs(call.body)["token"][0])
        return Answer(200, "")


def jwt(claims: Any) -> str:
    """Return a token with these claims, which nobody signed."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.c2ln"


async def discovered(tab: Tab) -> SilentRefresh:
    """Return a page's auth that found its provider out."""
    endpoint = await RefreshEndpoint.discover(ISSUER, "my-page", platform=tab.platform)
    return tab.sign(refresh=endpoint)[0]


async def come_back(
    auth: SilentRefresh, tab: Tab, provider: Provider, scope: str = "profile", **changed: str | None
) -> str | None:
    """Go to the provider, agree, and complete the sign-in with its answer, some of it changed."""
    await auth.authorize(scope=scope)
    tab.url = provider.authorize(tab.gone_to[-1], **changed)
    return await auth.complete_authorization()
