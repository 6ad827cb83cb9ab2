"""The refresh call as data: what is sent, and what the answer means.

    RefreshEndpoint("/refresh")                                  # the article's shape, the default
    RefreshEndpoint.oauth2("/oauth/token", client_id="my-page")  # RFC 6749 §6

An answer is one of four things, and only ``Rejected`` ends a session:

| Rotated       | 2xx with an access token                                                        |
| Rejected      | the refresh token is refused: ``invalid_grant``, or a status in ``rejected``    |
| Unavailable   | 408, 425, 429, 5xx, a redirect, a page instead of JSON: later it may work       |
| Misconfigured | everything else: this client and that server don't understand each other        |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .json_text import parse_json
from .messages import Headers, Request, Response
from .outcome import (
    Misconfigured,
    Outcome,
    Rejected,
    Rotated,
    Unavailable,
    field_at,
    hint_at,
    outcome_of_status,
    outcome_of_words,
)
from .ports import Platform, this_browser
from .session import Tokens

if TYPE_CHECKING:
    from .authorization import AuthorizationServer


class RefreshEndpoint:
    """How one kind of server renews tokens.

    ``encoding``: ``"json"`` or ``"form"`` for the body, ``"empty"`` for none. ``refresh_field`` names the
    refresh token in it; ``None`` leaves it out (it is in a cookie, or in the header when ``bearer``).
    ``fields`` and ``headers`` are sent along. ``access_path``, ``refresh_path``, ``expires_path`` and
    ``error_path`` say where the answer keeps things, with dots into nested objects. ``rejected`` are the
    statuses, ``rejected_errors`` the error codes, that mean a dead refresh token. ``credentials`` is
    fetch's, ``"include"`` to send cookies. ``revoke`` is the URL that a sign-out posts the refresh token to.
    Raises ``ValueError`` for an encoding that doesn't exist.
    """

    def __init__(
        self,
        url: str,
        *,
        encoding: str = "json",
        refresh_field: str | None = "refreshToken",
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: bool = False,
        access_path: str = "accessToken",
        refresh_path: str = "refreshToken",
        expires_path: str = "expiresIn",
        error_path: str = "error",
        rejected: frozenset[int] = frozenset({401, 403}),
        rejected_errors: frozenset[str] = frozenset({"invalid_grant"}),
        credentials: str = "omit",
        revoke: str | None = None,
    ) -> None:
        if encoding not in ("json", "form", "empty"):
            raise ValueError(f'encoding must be "json", "form" or "empty", not {encoding!r}')
        self.url = url
        self.encoding = encoding
        self.refresh_field = refresh_field
        self.fields = dict(fields or {})
        self.headers = Headers(headers or {})
        self.bearer = bearer
        self.access_path = access_path
        self.refresh_path = refresh_path
        self.expires_path = expires_path
        self.error_path = error_path
        self.rejected = rejected
        self.rejected_errors = rejected_errors
        self.credentials = credentials
        self.revoke = revoke
        self.authorization: AuthorizationServer | None = None

    @classmethod
    def article(cls, url: str = "/refresh", *, revoke: str | None = None) -> RefreshEndpoint:
        """``{"refreshToken": …}`` → ``{"accessToken": …, "refreshToken": …}``: the axios recipe's server."""
        return cls(url, revoke=revoke)

    @classmethod
    def oauth2(
        cls,
        url: str,
        client_id: str,
        *,
        scope: str | None = None,
        revoke: str | None = None,
        authorize: str | None = None,
        issuer: str | None = None,
    ) -> RefreshEndpoint:
        """Speak to an OAuth 2.0 token endpoint as a public client (RFC 6749 §6, RFC 7009 for ``revoke``).

        ``authorize`` is the authorization endpoint, for ``auth.authorize()``; ``issuer`` is whose answers are
        believed there (RFC 9207). ``discover`` finds out all of these.
        """
        fields = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            **({"scope": scope} if scope else {}),
        }
        endpoint = cls(
            url,
            encoding="form",
            refresh_field="refresh_token",
            fields=fields,
            access_path="access_token",
            refresh_path="refresh_token",
            expires_path="expires_in",
            rejected=frozenset(),
            revoke=revoke,
        )
        if authorize is not None:
            from .authorization import AuthorizationServer  # not every page needs it

            endpoint.authorization = AuthorizationServer(authorize, client_id, issuer)
        return endpoint

    @classmethod
    async def discover(
        cls, issuer: str, client_id: str, *, scope: str | None = None, platform: Platform | None = None
    ) -> RefreshEndpoint:
        """Read an OAuth 2.0 or OpenID provider's metadata (RFC 8414); return its ``oauth2`` endpoint.

        ``issuer`` is its identifier, letter by letter. Raises ``AuthorizationError`` when its metadata are
        missing or don't fit, and ``ValueError`` for an issuer that is none.
        """
        from .discovery import discover

        return await discover(cls, issuer, client_id, scope, platform or this_browser())

    @classmethod
    def simplejwt(cls, url: str = "/api/token/refresh/", *, revoke: str | None = None) -> RefreshEndpoint:
        """Speak to Django REST framework with SimpleJWT; ``revoke`` is its blacklist view."""
        return cls(
            url,
            refresh_field="refresh",
            access_path="access",
            refresh_path="refresh",
            error_path="code",
            rejected=frozenset({401}),
            rejected_errors=frozenset({"token_not_valid"}),
            revoke=revoke,
        )

    @classmethod
    def flask_jwt_extended(cls, url: str = "/refresh", *, revoke: str | None = None) -> RefreshEndpoint:
        """Speak to Flask-JWT-Extended: the refresh token is the bearer, a malformed one is answered 422."""
        return cls(
            url,
            encoding="empty",
            refresh_field=None,
            bearer=True,
            access_path="access_token",
            refresh_path="refresh_token",
            expires_path="expires_in",
            rejected=frozenset({401, 422}),
            revoke=revoke,
        )

    @classmethod
    def supabase(cls, url: str, apikey: str) -> RefreshEndpoint:
        """Speak to Supabase Auth; ``url`` is the project's, ``https://….supabase.co``."""
        return cls(
            url.rstrip("/") + "/auth/v1/token?grant_type=refresh_token",
            refresh_field="refresh_token",
            headers={"apikey": apikey},
            access_path="access_token",
            refresh_path="refresh_token",
            expires_path="expires_in",
            error_path="error_code",
            rejected=frozenset({403}),
            rejected_errors=frozenset(
                {
                    "invalid_grant",
                    "refresh_token_not_found",
                    "refresh_token_already_used",
                    "session_not_found",
                    "session_expired",
                    "user_not_found",
                    "user_banned",
                }
            ),
        )

    @classmethod
    def cookie(
        cls,
        url: str,
        csrf_header: tuple[str, str] = ("X-Requested-With", "silent-refresh"),
        *,
        revoke: str | None = None,
    ) -> RefreshEndpoint:
        """Speak to a server that keeps the refresh token in an HttpOnly cookie; ``revoke`` clears it.

        ``csrf_header`` is a name and a value: a form on another site can't send one. A 403 means that the
        server misses it, and ends no session.
        """
        return cls(
            url,
            encoding="empty",
            refresh_field=None,
            headers=dict([csrf_header]),
            rejected=frozenset({401}),
            credentials="include",
            revoke=revoke,
        )

    @property
    def needs_refresh_token(self) -> bool:
        """Whether page code must hold the refresh token."""
        return self.bearer or self.refresh_field is not None

    def request(self, refresh_token: str | None) -> Request:
        """Build the refresh call. It follows no redirect: its body is the secret (RFC 9700 §4.12)."""
        return self._call(self.url, refresh_token)

    def revocation(self, refresh_token: str | None) -> Request | None:
        """Build the call that revokes the refresh token (RFC 7009 §2.1 where the body is a form)."""
        if self.revoke is None:
            return None
        if self.encoding == "form" and refresh_token:
            client = {"client_id": self.fields["client_id"]} if "client_id" in self.fields else {}
            return self.post(
                self.revoke, {"token": refresh_token, "token_type_hint": "refresh_token", **client}
            )
        return self._call(self.revoke, refresh_token)

    def _call(self, url: str, refresh_token: str | None) -> Request:
        token = {self.refresh_field: refresh_token} if self.refresh_field and refresh_token else {}
        request = self.post(url, {**self.fields, **token})
        return request.with_bearer(refresh_token) if self.bearer and refresh_token else request

    def post(self, url: str, fields: Mapping[str, str]) -> Request:
        """Build a call to this server in its encoding; it follows no redirect."""
        headers, body = self.headers.with_field("Accept", "application/json"), None
        if self.encoding == "json":
            headers, body = headers.with_field("Content-Type", "application/json"), json.dumps(fields)
        elif self.encoding == "form":
            from urllib.parse import urlencode  # costly to load in a browser, and not every page needs it

            headers = headers.with_field("Content-Type", "application/x-www-form-urlencoded")
            body = urlencode(fields)
        options = {"cache": "no-store", "credentials": self.credentials, "redirect": "manual"}
        return Request("POST", url, headers=headers, body=body, timeout=None, options=options)

    async def read(self, response: Response, *, now: float) -> Outcome:
        """Decide what an answer means; ``now`` (s since the epoch) is for a ``Retry-After`` with a date."""
        if response.status == 0 or 300 <= response.status < 400:
            return Unavailable(
                "it answered with a redirect, which is not followed because the body holds the refresh "
                "token: a captive portal, or a URL that isn't the final one (a missing trailing slash?)"
            )
        text = await response.text()
        try:
            answer = parse_json(text)
        except ValueError:
            answer = None
            if response.ok:
                return Unavailable(
                    f"it answered {response.status} without JSON: a captive portal or a proxy?"
                )
        return self._judge(response, answer, now)

    def _judge(self, response: Response, answer: Any, now: float) -> Outcome:
        status = response.status
        error = field_at(answer, self.error_path)
        if not isinstance(error, str):
            error = field_at(answer, "error")
        if isinstance(error, str) and error in self.rejected_errors:
            return Rejected(error)
        known = outcome_of_words(response, answer, error, now) or outcome_of_status(response, now)
        if known is not None:
            return known
        if status in self.rejected:
            return Rejected(f"status {status}")
        if not response.ok:
            return Misconfigured(f"it answered {status}: {hint_at(status)}")
        if error:
            return Misconfigured(f"it answered {status} with an error in its body that isn't known here")
        try:
            return Rotated(self.read_tokens(answer))
        except ValueError as wrong:
            return Misconfigured(f"it answered {status}, but {wrong}")

    def read_tokens(self, answer: Any) -> Tokens:
        """Take the tokens out of a server's JSON answer. Raises ``ValueError`` that says what is missing."""
        access_token = field_at(answer, self.access_path)
        if access_token is None:
            raise ValueError(f"without {self.access_path!r} (see access_path of RefreshEndpoint)")
        for name in ("token_type", "tokenType"):
            kind = field_at(answer, name)
            if isinstance(kind, str) and kind.lower() != "bearer":
                raise ValueError(f"with {name} {kind[:20]!r}: only Bearer tokens can be used (RFC 6750)")
        expires_in = field_at(answer, self.expires_path)
        return Tokens(access_token, field_at(answer, self.refresh_path), expires_in=expires_in)
