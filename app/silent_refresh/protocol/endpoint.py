"""The refresh call as data: what is sent, and what the answer means.

    RefreshEndpoint("/refresh")                                  # the article's shape, the default
    RefreshEndpoint.oauth2("/oauth/token", client_id="my-page")  # RFC 6749 §6

An answer is one of four things, and only ``Rejected`` ends a session:

| Rotated       | 2xx with an access token                                                        |
| Rejected      | the refresh token is refused: ``invalid_grant``, or a status in ``rejected``    |
| Unavailable   | 408, 425, 429, 5xx, a redirect, a page instead of JSON, something in front of   |
|               | the server that says no: later it may work                                      |
| Misconfigured | everything else: this client and that server don't understand each other        |
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ..http.credential import BEARER, AuthScheme, Secret, scheme_named
from ..http.form import encoded
from ..http.json import field_at
from ..http.messages import NO_HEADERS, Headers, Request, Response
from ..platform.current import current_platform
from ..platform.platform import Platform, place_named
from ..session.tokens import Tokens
from .options import Value, checked, present, put_at
from .result import RefreshResult

if TYPE_CHECKING:
    from typing import Unpack

    from ..platform.ports import Navigation
    from .preset_options import EndpointOptions

OwnRefresh: TypeAlias = Callable[..., object]
OwnRevocation: TypeAlias = Callable[[Tokens], Awaitable[object]]
REFRESH_FIELD = "refreshToken"
BARE = ("GET", "HEAD")  # methods without a body


class AuthorizationServer(NamedTuple):
    """Where people sign in.

    An answer that names another issuer than ``issuer`` isn't believed (``None``: any is); where the provider
    ``names_itself``, one that names none isn't either.
    """

    url: str
    client_id: str
    issuer: str | None = None
    names_itself: bool = False


class RefreshEndpoint:
    """How one kind of server renews tokens.

    ``url`` is the refresh endpoint; or a function of yours, ``async (tokens)`` or ``async (tokens, send)``:
    ``await send(Request("POST", "/refresh", …))`` follows no redirect, and waits for no renewal. It returns
    ``Tokens``, the server's JSON answer, or the ``Response`` itself, which is judged by these options. It
    raises ``RefreshRejected`` to end the session; any other error keeps it. ``tokens`` is ``None`` where
    nobody is signed in yet and a cookie may know better.

    The call: ``method``, and ``encoding``: ``"json"`` or ``"form"`` for the body, ``"empty"`` for none, as a
    GET has it. ``refresh_field`` names the refresh token in it, by default ``"refreshToken"``; it is left out
    with ``None`` (a cookie has it), in the header ``refresh_header``, or as the ``bearer``. ``access_field``
    names the access token, where that is wanted too. ``fields`` and ``headers`` are sent along; a value may
    be a function that is called each time.
    ``credentials`` is fetch's, ``"include"`` to send cookies.

    The answer: ``access_path``, ``refresh_path``, ``expires_path`` and ``error_path`` say where things are,
    with dots into nested objects and numbers into lists (``"errors.0.code"``), or ``"header:access-token"``
    for a header field. ``expires_unit`` is
    ``"s"``, ``"ms"``, or ``"date"`` (ISO 8601, or a time since the epoch); ``expires_in`` (s) counts where
    the answer has none. ``rejected`` are the statuses, ``rejected_errors`` further error codes, that mean a
    dead refresh token: what you name counts before all rules here. ``token_types`` are further ones, beside
    Bearer, that the API takes.

    ``next_token`` is the header field in which each answer of the API brings the access token for the next
    request; the refresh call then sends the one that there is, as the API gets it.

    The access token goes to the API in the field ``header``, behind the word ``scheme``, by default
    ``Authorization: Bearer …``; ``header="X-Session-Token"`` alone has no word.

    ``dpop`` binds the tokens to a key of this browser's that no script can read, so that nobody can use them
    elsewhere: each request has a proof (RFC 9449). The server must support that, and say so by
    ``"token_type": "DPoP"``; a sign-in of your own is sent with ``auth=auth.proving``. A function of yours
    takes ``send`` then.

    ``revoke`` is the URL that a sign-out sends the refresh token to, by ``revoke_method``, with the access
    token as the API gets it where ``revoke_signed``, as for a ``"DELETE"``; or ``async (Tokens) -> None``.
    Raises ``ValueError`` for what doesn't exist, ``TypeError`` for an async function as a value.
    """

    def __init__(
        self,
        url: str | OwnRefresh,
        *,
        method: str = "POST",
        encoding: str = "json",
        refresh_field: str | None = REFRESH_FIELD,
        access_field: str | None = None,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, Value] | None = None,
        bearer: bool = False,
        refresh_header: str | None = None,
        next_token: str | None = None,
        access_path: str | None = "accessToken",
        refresh_path: str = "refreshToken",
        expires_path: str = "expiresIn",
        expires_unit: str = "s",
        expires_in: float | None = None,
        error_path: str = "error",
        token_types: Collection[str] = (),
        rejected: Collection[int] | None = None,
        rejected_errors: Collection[str | int] = (),
        credentials: str = "omit",
        header: str | None = None,
        scheme: str | None = None,
        dpop: bool = False,
        revoke: str | OwnRevocation | None = None,
        revoke_method: str = "POST",
        revoke_signed: bool | None = None,
    ) -> None:
        if encoding not in ("json", "form", "empty"):
            raise ValueError(f'encoding must be "json", "form" or "empty", not {encoding!r}')
        if expires_unit not in ("s", "ms", "date"):
            raise ValueError(f'expires_unit must be "s", "ms" or "date", not {expires_unit!r}')
        for name, given in (("token_types", token_types), ("rejected_errors", rejected_errors)):
            if isinstance(given, str):
                raise TypeError(f"{name} is a set: pass {{{given!r}}}")
        if next_token is not None:  # it renews itself, and is found where each answer has it
            from .answer import IN_HEADER

            bearer, refresh_header = bearer or header is None, refresh_header or header
            access_path = refresh_path = f"{IN_HEADER}{next_token}"
        self.next_token = next_token
        self.function = url if callable(url) else None
        self.url = url if isinstance(url, str) else ""
        self.method = method.upper()
        self.encoding = encoding if self.method not in BARE else "empty"
        is_elsewhere = bearer or refresh_header is not None
        self.refresh_field = None if is_elsewhere and refresh_field == REFRESH_FIELD else refresh_field
        self.access_field = access_field
        self.fields = checked(fields or {}, "fields")
        self.own_fields = self.fields  # less the preset's
        self.headers = checked(headers or {}, "headers")
        self.bearer = bearer
        self.refresh_header = refresh_header
        self.access_path = access_path
        self.refresh_path = refresh_path
        self.expires_path = expires_path
        self.expires_unit = expires_unit
        self.expires_in = expires_in
        self.error_path = error_path
        self.token_types = frozenset(map(str.lower, (*token_types, scheme or "", BEARER.prefix.strip())))
        self.rejected_by_user = rejected is not None
        self.rejected = frozenset({401, 403} if rejected is None else rejected)
        self.rejected_errors = frozenset(map(str, rejected_errors))
        self.credentials = credentials
        self.auth_scheme: AuthScheme = scheme_named(header, scheme, dpop=dpop)
        self.dpop = dpop
        self.revoke = revoke
        self.revoke_method = revoke_method.upper()
        self.revoke_signed = self.revoke_method == "DELETE" if revoke_signed is None else revoke_signed
        self.authorization: AuthorizationServer | None = None
        self.end_session: str | None = None
        if dpop and self.function is None and not self.needs_refresh_token:
            raise ValueError("dpop is for tokens that the page has: a cookie can't be bound to a key")

    @classmethod
    def _preset(cls, url: str, preset: Mapping[str, Any], options: EndpointOptions) -> RefreshEndpoint:
        """Return a preset with the user's options, which count before it."""
        from .preset_options import combined  # not every page needs it

        endpoint = cls(url, **combined(preset, options))
        endpoint.rejected_by_user = options.get("rejected") is not None
        endpoint.own_fields = checked(options.get("fields", {}), "fields")
        return endpoint

    @classmethod
    def article(cls, url: str = "/refresh", **options: Unpack[EndpointOptions]) -> RefreshEndpoint:
        """``{"refreshToken": …}`` → ``{"accessToken": …, "refreshToken": …}``: the axios recipe's server.

        ``options`` are those of ``RefreshEndpoint``, as for all of these.
        """
        return cls(url, **options)

    @classmethod
    def oauth2(
        cls,
        url: str,
        client_id: str,
        *,
        scope: str | None = None,
        authorize: str | None = None,
        issuer: str | None = None,
        end_session: str | None = None,
        **options: Unpack[EndpointOptions],
    ) -> RefreshEndpoint:
        """Speak to an OAuth 2.0 token endpoint as a public client (RFC 6749 §6, RFC 7009 for ``revoke``).

        ``authorize`` is the authorization endpoint, for ``auth.authorize()``; ``issuer`` is whose answers are
        believed there (RFC 9207); ``end_session`` is where ``auth.sign_out(provider=True)`` goes (OpenID
        Connect RP-Initiated Logout). ``discover`` finds out all of these.
        """
        from . import presets  # not every page needs it

        endpoint = cls._preset(url, presets.oauth2(client_id, scope), options)
        if authorize is not None:
            endpoint.authorization = AuthorizationServer(authorize, client_id, issuer)
        endpoint.end_session = end_session
        return endpoint

    @classmethod
    async def discover(
        cls,
        issuer: str,
        client_id: str,
        *,
        scope: str | None = None,
        platform: Platform | None = None,
        **options: Unpack[EndpointOptions],
    ) -> RefreshEndpoint:
        """Read an OAuth 2.0 or OpenID provider's metadata (RFC 8414); return its ``oauth2`` endpoint.

        ``issuer`` is its identifier, letter by letter. ``dpop`` is on where they say that the provider takes
        proofs by ES256 (RFC 9449 §5.1), and this browser can sign: pass ``dpop=False`` where its APIs don't
        take the tokens that it then gives. Raises ``AuthorizationError`` when its metadata are
        missing or don't fit, and ``ValueError`` for an issuer that is none.
        """
        from .discovery import discover  # not every page needs it

        found = await discover(issuer, platform or current_platform())
        options.setdefault("revoke", found.revocation)
        options.setdefault("dpop", found.proves and (platform or current_platform()).prover is not None)
        endpoint = cls.oauth2(found.token, client_id, scope=scope, end_session=found.end_session, **options)
        endpoint.authorization = AuthorizationServer(
            found.authorization, client_id, issuer, found.names_itself
        )
        return endpoint

    @classmethod
    def simplejwt(
        cls, url: str = "/api/token/refresh/", **options: Unpack[EndpointOptions]
    ) -> RefreshEndpoint:
        """Speak to Django REST framework with SimpleJWT; ``revoke`` is its blacklist view."""
        from . import presets  # not every page needs it

        return cls._preset(url, presets.simplejwt(), options)

    @classmethod
    def flask_jwt_extended(cls, url: str = "/refresh", **options: Unpack[EndpointOptions]) -> RefreshEndpoint:
        """Speak to Flask-JWT-Extended: the refresh token is the bearer, a malformed one is answered 422."""
        from . import presets  # not every page needs it

        return cls._preset(url, presets.flask_jwt_extended(), options)

    @classmethod
    def supabase(cls, url: str, apikey: str, **options: Unpack[EndpointOptions]) -> RefreshEndpoint:
        """Speak to Supabase Auth; ``url`` is the project's, ``https://….supabase.co``."""
        from . import presets  # not every page needs it

        token_url = url.rstrip("/") + "/auth/v1/token?grant_type=refresh_token"
        return cls._preset(token_url, presets.supabase(apikey), options)

    @classmethod
    def cookie(
        cls,
        url: str,
        csrf_header: tuple[str, Value] = ("X-Requested-With", "silent-refresh"),
        **options: Unpack[EndpointOptions],
    ) -> RefreshEndpoint:
        """Speak to a server that keeps the refresh token in an HttpOnly cookie; ``revoke`` clears it.

        ``csrf_header`` is a name and a value, or a function that returns it: a form on another site can't
        send one. A 403 means that the server misses it, and ends no session.
        """
        from . import presets  # not every page needs it

        return cls._preset(url, presets.cookie(csrf_header), options)

    def resolved(self, navigation: Navigation) -> RefreshEndpoint:
        """Return a copy with whole URLs: a ``<base>`` that comes into the page later moves none of them.

        Raises ``ValueError`` for a URL that is none.
        """
        endpoint = copy(self)
        if self.function is None:
            endpoint.url = place_named(self.url, navigation).url
        if isinstance(self.revoke, str):
            endpoint.revoke = place_named(self.revoke, navigation).url
        if self.end_session is not None:
            endpoint.end_session = place_named(self.end_session, navigation).url
        if self.authorization is not None:
            url = place_named(self.authorization.url, navigation).url
            endpoint.authorization = self.authorization._replace(url=url)
        return endpoint

    def asking_for(self, fields: Mapping[str, str]) -> RefreshEndpoint:
        """Return a copy whose refresh call has these fields as well."""
        endpoint = copy(self)
        endpoint.fields = {**self.fields, **fields}
        return endpoint

    @property
    def begins_by_itself(self) -> bool:
        """Whether a cookie may sign in where nobody is: the browser sends it."""
        hides = not (self.bearer or self.refresh_header is not None or self.refresh_field is not None)
        return hides and self.credentials != "omit"

    @property
    def needs_refresh_token(self) -> bool:
        """Whether page code must hold the refresh token; a function of the page's may know better."""
        if self.function is not None:
            return False
        return self.bearer or self.refresh_header is not None or self.refresh_field is not None

    @property
    def is_complete(self) -> bool:
        """Whether its call has all that RFC 6749 §6 wants of a public client: nothing in it is amiss."""
        wanted = self.encoding == "form" and self.refresh_field == "refresh_token"
        return wanted and {"grant_type", "client_id"} <= self.fields.keys()

    def request(self, tokens: Tokens | None) -> Request:
        """Build the refresh call. It follows no redirect: its body is the secret (RFC 9700 §4.12).

        Where a cookie is the secret it outlives the page: the browser takes the next one from the answer.
        """
        request = self._call(self.method, self.url, tokens)
        return outliving(request) if self.begins_by_itself else request

    def revocation(self, tokens: Tokens, key: str | None = None) -> Request | None:
        """Build the call that revokes the refresh token (RFC 7009 §2.1 where the body is a form).

        ``key`` is the name of the one that they are bound to.

        It outlives the page, which whoever signs out may leave in the next moment.
        """
        if not isinstance(self.revoke, str):
            return None
        if self.encoding == "form" and tokens.refresh_token:
            client = {"client_id": self.fields["client_id"]} if "client_id" in self.fields else {}
            token = {"token": tokens.refresh_token, "token_type_hint": "refresh_token"}
            request = self.post(self.revoke, {**token, **client}, self.revoke_method)
        else:
            request = self._call(self.revoke_method, self.revoke, tokens)
        request = outliving(request)
        if self.revoke_signed and request.credential is None:
            request = request.with_credential(self.auth_scheme.credential(tokens.access_token))
        return request.with_proof(key) if self.dpop else request

    def _call(self, method: str, url: str, tokens: Tokens | None) -> Request:
        fields, refresh_token = self.fields, tokens.refresh_token if tokens is not None else None
        if self.refresh_field and refresh_token:
            fields = self._with(fields, self.refresh_field, refresh_token)
        if self.access_field and tokens is not None:
            fields = self._with(fields, self.access_field, tokens.access_token)
        request = self.post(url, fields, method)
        if not refresh_token:
            return request
        if self.bearer:
            return request.with_credential(BEARER.credential(refresh_token))
        if self.refresh_header is not None:
            return request.with_credential(AuthScheme(self.refresh_header, "").credential(refresh_token))
        return request

    def _with(self, fields: dict[str, Any], path: str, token: str) -> dict[str, Any]:
        return put_at(fields, path, token) if self.encoding == "json" else {**fields, path: token}

    def post(self, url: str, fields: Mapping[str, Any], method: str = "POST") -> Request:
        """Build a call to this server in its encoding; it follows no redirect."""
        given, body, fields = present(self.headers), None, present(fields)
        headers = Headers((name, value) for name, value in given.items() if value is not None)
        headers = headers.with_field("Accept", headers.get("accept", "application/json"))
        kind = ""
        if method not in BARE and self.encoding == "json":
            kind, body = "application/json", Secret(json.dumps(fields))
        elif method not in BARE and self.encoding == "form":
            kind, body = "application/x-www-form-urlencoded", Secret(encoded(fields))
        if kind and "content-type" not in headers:
            headers = headers.with_field("Content-Type", kind)
        options = {"cache": "no-store", "credentials": self.credentials, "redirect": "manual"}
        return Request(method, url, headers=headers, body=body, timeout=None, options=options)

    async def read(self, response: Response, *, now: float, is_proven: bool = False) -> RefreshResult:
        """Decide what an answer means; ``now`` (s since the epoch) is for dates in it.

        ``is_proven`` says that this client was understood before: then ``invalid_request`` is a dead token.
        """
        from .answer import read_answer  # many a page gets none

        return await read_answer(self, response, now=now, is_proven=is_proven)

    def read_tokens(self, answer: Any, *, now: float | None = None) -> Tokens:
        """Take the tokens out of a server's JSON answer. Raises ``ValueError`` that says what is missing."""
        from .answer import read_tokens  # many a page gets none

        return read_tokens(self, answer, NO_HEADERS, now)


def outliving(request: Request) -> Request:
    """Return a call that the browser goes on with when its page is left."""
    outlives = request.with_headers(request.headers)
    outlives.options = {**(request.options or {}), "keepalive": True}
    return outlives


def read_sign_in(answer: Any, endpoint: object, now: float | None = None) -> Tokens:
    """Take the tokens out of the answer to a sign-in: as the refresh endpoint names them, else as OAuth does.

    Raises ``ValueError`` that tells the answer's field names, not their values.
    """
    own = endpoint if isinstance(endpoint, RefreshEndpoint) else None
    if own is not None and own.access_path is None:
        return Tokens.in_cookies()
    for shape in _shapes(own):
        if shape.access_path is not None and field_at(answer, shape.access_path) is not None:
            return shape.read_tokens(answer, now=now)
    fields = ", ".join(map(repr, answer)) if isinstance(answer, dict) and answer else "none"
    raise ValueError(
        f"no access token in the answer to the sign-in (its fields: {fields}). Pass Tokens(access_token=…, "
        "refresh_token=…), or check that the sign-in succeeded before calling sign_in()"
    )


def _shapes(own: RefreshEndpoint | None) -> Iterator[RefreshEndpoint]:
    """Yield what an answer may look like, one after the other: a preset is loaded when it's its turn."""
    if own is not None:
        yield own
    dpop = own is not None and own.dpop
    yield RefreshEndpoint.article(dpop=dpop)
    yield RefreshEndpoint.oauth2("", "", dpop=dpop)
