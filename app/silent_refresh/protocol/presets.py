"""What single kinds of servers need: the options of ``RefreshEndpoint`` for each, and the words that it uses.

One chapter a server, learnt from the real ones. ``RefreshEndpoint`` has a classmethod for each of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .options import Value

# OAuth 2.0 (RFC 6749)

OAUTH_FIELDS = {
    "access_path": "access_token",
    "refresh_path": "refresh_token",
    "expires_path": "expires_in",
}
OAUTH_UNAVAILABLE_ERRORS = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
# "Sign in again", whatever the reason: the user may do that, and nobody else can help.
OAUTH_REJECTED_ERRORS = frozenset(
    {
        "invalid_grant",  # §5.2
        "access_denied",  # a policy of the provider's, Auth0 and Okta say
        "interaction_required",  # OpenID Connect Core §3.1.2.6; Entra ID
        "login_required",
        "consent_required",
        "account_selection_required",
        "mfa_required",  # Auth0
        "token_inactive",  # Hydra
        "bad_refresh_token",  # GitHub, with a 200
        "invalid_refresh_token",  # Slack, with a 200
    }
)
AMBIGUOUS_ERRORS = frozenset({"invalid_request"})  # a dead token at Discord, X, and Laravel Passport up to 12
# What they say of it then, and what servers say of a call that they don't understand.
DEAD_WORDS = ("invalid", "revoked", "expired", "unknown", "not found", "inactive", "decrypt")
MISTAKE_WORDS = ("missing", "required", "duplicate", "must", "unsupported", "malformed", "parameter")
OAUTH_MISCONFIGURED_ERRORS = {  # §5.2
    "invalid_client": "check client_id",
    "unauthorized_client": "let this client use refresh tokens at the server",
    "unsupported_grant_type": "choose the preset of RefreshEndpoint that fits the server",
    "invalid_request": "check the encoding and the field names of RefreshEndpoint; where that is its word "
    'for a dead refresh token, pass rejected_errors={"invalid_request"}',
    "invalid_scope": "ask for no other scope than at sign-in",
    # Of a proof (RFC 9449 §5, §8)
    "use_dpop_nonce": "let it expose the nonce to pages, by Access-Control-Expose-Headers: DPoP-Nonce",
    "invalid_dpop_proof": "check that it knows itself by this very URL, and this computer's clock",
}


def oauth2(client_id: str, scope: str | None) -> dict[str, Any]:
    """Return the options for a token endpoint and a public client (§6)."""
    scopes = {"scope": scope} if scope else {}
    return {
        "encoding": "form",
        "refresh_field": "refresh_token",
        "fields": {"grant_type": "refresh_token", "client_id": client_id, **scopes},
        **OAUTH_FIELDS,
        "rejected": frozenset(),
    }


# Django REST framework with SimpleJWT

SIMPLEJWT_MESSAGES = {
    "Authentication credentials were not provided.": "check the URL, this one takes access tokens",
}


def simplejwt() -> dict[str, Any]:
    """Return the options for its TokenRefreshView."""
    return {
        "refresh_field": "refresh",
        "access_path": "access",
        "refresh_path": "refresh",
        "error_path": "code",
        "rejected": frozenset({401}),
        "rejected_errors": frozenset({"token_not_valid"}),
    }


# Flask-JWT-Extended

FLASK_JWT_MESSAGES = {
    "Missing Authorization Header": "it wants the token where RefreshEndpoint.flask_jwt_extended sends it",
    "Missing CSRF token": "it wants the CSRF value of its cookie in a header: see csrf_header of cookie()",
    "CSRF double submit tokens do not match": "read the CSRF cookie each time: pass a function as the value",
    "Only non-refresh tokens are allowed": "check the URL, this one takes access tokens",
}


def flask_jwt_extended() -> dict[str, Any]:
    """Return the options for ``@jwt_required(refresh=True)``: a malformed token is answered 422."""
    return {
        "encoding": "empty",
        "refresh_field": None,
        "bearer": True,
        **OAUTH_FIELDS,
        "rejected": frozenset({401, 422}),
    }


# AuthX, whose refresh token is the bearer, too

AUTHX_MESSAGES = {
    "Access token required": "check the URL, this one takes access tokens",
}

# Supabase Auth

SUPABASE_UNAVAILABLE_ERRORS = frozenset({"conflict"})  # it is busy with this very session, in another tab say
SUPABASE_MESSAGES = {
    "No API key found in request": "it wants an apikey, as RefreshEndpoint.supabase sends it",
    "Invalid API key": "check the apikey",
}


def supabase(apikey: str) -> dict[str, Any]:
    """Return the options for a project's token endpoint."""
    return {
        "refresh_field": "refresh_token",
        "headers": {"apikey": apikey},
        **OAUTH_FIELDS,
        "error_path": "error_code",
        "rejected": frozenset({403}),
        "rejected_errors": frozenset(
            {
                "refresh_token_not_found",
                "refresh_token_already_used",
                "session_not_found",
                "session_expired",
                "user_not_found",
                "user_banned",
            }
        ),
    }


# A refresh token in an HttpOnly cookie


def cookie(csrf_header: tuple[str, Value]) -> dict[str, Any]:
    """Return the options for a server that keeps it there; a 403 means that it misses the CSRF header."""
    return {
        "encoding": "empty",
        "refresh_field": None,
        "headers": dict([csrf_header]),
        "rejected": frozenset({401}),
        "credentials": "include",
    }


# All of their words: a user may have named the endpoint by its options.

REJECTED_ERRORS = OAUTH_REJECTED_ERRORS
UNAVAILABLE_ERRORS = OAUTH_UNAVAILABLE_ERRORS | SUPABASE_UNAVAILABLE_ERRORS
MISCONFIGURED_ERRORS = OAUTH_MISCONFIGURED_ERRORS
# What servers say when they saw no refresh token at all; the status is that for a dead one.
MISCONFIGURED_MESSAGES = FLASK_JWT_MESSAGES | SIMPLEJWT_MESSAGES | AUTHX_MESSAGES | SUPABASE_MESSAGES
