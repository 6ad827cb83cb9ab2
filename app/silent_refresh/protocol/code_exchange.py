"""The way back from an OAuth 2.0 provider: whom to believe, and a code for tokens.

Everything in the answer is checked against the ``Transaction`` that this tab began before the code is sent
anywhere, and taken out of the address line and the history first.

RFC 6749 §4.1.2, §4.1.3, RFC 7636 §4.5, RFC 9207 (issuer), RFC 9700 §4.4 (mix-up), OpenID Connect Core §3.1.3.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import AuthorizationError, KeyGone, NetworkError, ProofRefused
from ..http.json import field_at, parse_json
from ..http.messages import Request, without_query
from ..platform.platform import own_path
from .authorization import memory_of, provider_of
from .discovery import WAIT
from .endpoint import AuthorizationServer, RefreshEndpoint
from .id_token import checked_claims
from .redirect_answer import RedirectAnswer, answer_at
from .result import Rejected, Rotated
from .transaction import KEY, Transaction, identity_of

if TYPE_CHECKING:
    from ..platform.platform import Platform
    from ..platform.ports import Navigation
    from ..session.tokens import Tokens

log = logging.getLogger("silent_refresh")

# OpenID Connect Core §3.1.2.6: what a silent sign-in may come to.
QUESTIONS = ("login_required", "interaction_required", "consent_required", "account_selection_required")
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,500}")  # RFC 6749 §4.1.2.1
_ERROR_CODE = re.compile(r"[a-z0-9_.-]{1,60}", re.IGNORECASE)


class SignedIn:
    """What a sign-in came to; ``id_token`` and its ``claims`` where OpenID Connect was used.

    ``key`` names the one that the tokens are bound to.
    """

    def __init__(
        self,
        tokens: Tokens,
        path: str,
        id_token: str | None,
        claims: Mapping[str, Any] | None,
        key: str | None,
    ) -> None:
        self.tokens = tokens
        self.path = path
        self.id_token = id_token
        self.claims = claims
        self.key = key


def is_answered(platform: Platform) -> bool:
    """Tell whether the answer to a sign-in of this tab's is in the page's URL."""
    answer = answer_at(platform.navigation.here())
    return answer is not None and Transaction.remembered_in(memory_of(platform)).is_answered_by(answer)


async def complete(endpoint: object, platform: Platform) -> SignedIn | None:
    """Take the provider's answer out of the page's URL; return what the sign-in came to.

    ``None`` when there's no answer, or it is the one to a sign-in that was begun at another provider. Raises
    as ``SilentRefresh.complete_authorization`` does.
    """
    (tokens_from, server), memory = provider_of(endpoint), memory_of(platform)
    answer = answer_at(platform.navigation.here())
    if answer is None:
        return None
    transaction = Transaction.remembered_in(memory)
    is_ours = transaction.server == identity_of(tokens_from, server)
    if transaction.is_answered_by(answer) and not is_ours:
        return None
    memory.show(answer.rest)
    memory.forget(KEY)
    _check(answer, transaction, server, platform.navigation)
    signed_in = await _exchange(tokens_from, server, platform, answer, transaction)
    signed_in.path = own_path(transaction.next, platform.navigation)
    return signed_in


def _check(
    answer: RedirectAnswer, transaction: Transaction, server: AuthorizationServer, navigation: Navigation
) -> None:
    """Raise ``AuthorizationError`` unless this is the answer to that transaction, and a code."""
    if answer.fault is not None:
        raise AuthorizationError(
            f"the answer in this page's address is not believed: {answer.fault} (RFC 6749 §3.1, §4.1.2)",
            reason="malformed",
        )
    if not transaction.is_answered_by(answer):
        raise AuthorizationError(
            "the answer in this page's address belongs to no sign-in that this tab began: begin a new one",
            reason="state",
        )
    asked, arrived = navigation.parse(transaction.redirect_uri), navigation.parse(answer.address)
    if asked.resource != arrived.resource:
        raise AuthorizationError(
            f"the answer arrived at {arrived.path}, which isn't the redirect_uri that was asked for, "
            f"{without_query(asked.path)}: pass authorize() the address at which the page is shown",
            reason="redirect_uri",
        )
    if not _is_issued_by(server, answer.get("iss"), navigation):
        raise AuthorizationError(
            f"the answer does not come from {server.issuer or without_query(server.url)}: begin a new "
            "sign-in, and pass issuer= where the provider's is another (RFC 9207 §2.4)",
            reason="issuer",
        )
    error = answer.get("error")
    if error is not None or answer.get("code") is None:
        raise _refusal(error or "", answer.get("error_description"))


def _is_issued_by(server: AuthorizationServer, named: str | None, navigation: Navigation) -> bool:
    if named is None:
        return not (server.names_itself and server.issuer is not None)
    if server.issuer is not None:
        return named == server.issuer
    try:  # nobody said who the provider is: then it is of the origin where people sign in
        return navigation.parse(named).origin == navigation.parse(server.url).origin
    except ValueError:
        return False


def _refusal(code: str, description: str | None) -> AuthorizationError:
    refusal = _told(code)
    if description is not None and _DESCRIPTION.fullmatch(description):
        refusal.description = description
    return refusal


def _told(code: str) -> AuthorizationError:
    code = code if _ERROR_CODE.fullmatch(code) else "unknown"
    if code == "access_denied":
        return AuthorizationError("the sign-in was cancelled or denied: begin a new one", reason=code)
    if code in QUESTIONS:
        told = f'the provider has to ask the user something ({code}): authorize() without prompt="none"'
        return AuthorizationError(told, reason=code)
    told = f"the provider refused the sign-in ({code}): check client_id, redirect_uri and scope"
    return AuthorizationError(told, reason=code)


async def _exchange(
    endpoint: RefreshEndpoint,
    server: AuthorizationServer,
    platform: Platform,
    answer: RedirectAnswer,
    transaction: Transaction,
) -> SignedIn:
    """Exchange the code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
    request = _token_request(endpoint, server, answer, transaction)
    key = transaction.key or None
    if endpoint.dpop:
        request = request.with_proof(key)
    try:
        response = await platform.transport(request)
        outcome = await endpoint.read(response, now=platform.clock.time())
    except KeyGone as error:
        raise AuthorizationError(
            "the key that this sign-in was begun with is gone: it took longer than an hour, or this site's "
            "data were cleared meanwhile. Begin a new one",
            reason="key",
        ) from error
    except ProofRefused as error:
        raise AuthorizationError(f"the code could not be exchanged: {error}", reason="exchange") from error
    except NetworkError as error:
        error.request = Request("POST", endpoint.url)  # the one that was sent holds the code
        raise AuthorizationError(
            "no answer came from the token endpoint (offline, or its CORS headers don't allow this page): "
            "begin a new sign-in",
            reason="unavailable",
        ) from error
    if isinstance(outcome, Rejected):
        told = f"the code was refused ({outcome.reason}), it is good once and for a short time"
        raise AuthorizationError(f"{told}: begin a new sign-in", reason=outcome.reason)
    if not isinstance(outcome, Rotated):
        told = f"the code could not be exchanged: {outcome.detail}"
        raise AuthorizationError(told, reason="exchange")
    if transaction.wants_refresh and outcome.tokens.refresh_token is None:
        log.warning(
            "silent-refresh: offline_access was asked for, and no refresh token came: this session ends with "
            "its access token. Let the client have refresh tokens at the provider, or ask for consent: "
            'authorize(scope=…, prompt="consent") (OpenID Connect Core §11).'
        )
    if not transaction.nonce:
        return SignedIn(outcome.tokens, "/", None, None, key)
    id_token = field_at(parse_json(await response.text()), "id_token")
    claims = checked_claims(
        id_token,
        issuer=server.issuer,
        client_id=server.client_id,
        nonce=transaction.nonce,
        now=platform.clock.time(),
    )
    return SignedIn(outcome.tokens, "/", id_token, claims, key)


def _token_request(
    endpoint: RefreshEndpoint, server: AuthorizationServer, answer: RedirectAnswer, transaction: Transaction
) -> Request:
    request = endpoint.post(
        endpoint.url,
        {
            **endpoint.own_fields,  # a client_secret, say, where a provider wants one of a page, too
            "grant_type": "authorization_code",
            "code": answer.get("code") or "",
            "redirect_uri": transaction.redirect_uri,
            "client_id": server.client_id,
            "code_verifier": transaction.verifier,
        },
    )
    request.timeout = WAIT
    return request
