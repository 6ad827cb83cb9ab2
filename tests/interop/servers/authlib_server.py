"""An OAuth 2.0 authorization server with Authlib, for public clients: a static page is one.

Authorization code with PKCE (RFC 7636), ``state`` and ``iss`` (RFC 9207), refresh tokens that rotate
(RFC 6749 §6, RFC 9700 §4.14), revocation (RFC 7009), metadata (RFC 8414), OpenID Connect where the scope has
``openid``. ``/authorize`` asks nobody: the demo user is signed in already, and agrees; ``login_hint=nobody``
is somebody who doesn't.

https://docs.authlib.org/
"""

from __future__ import annotations

from typing import Any

from a2wsgi import WSGIMiddleware
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Flask, jsonify, request
from starlette.types import ASGIApp

from tests.e2e.page_python import ADDRESS
from tests.interop.servers.authlib_openid import OpenID, Signer, end_session_endpoint
from tests.interop.servers.authlib_records import Client, Code, Records, Token
from tests.interop.servers.lab import ACCESS_TTL, USERNAME
from tests.interop.servers.serving import serve

NOBODY = "nobody"
SCOPE = "openid profile offline_access"


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the server; pages of ``origins``, and of its own, may be redirected to."""
    records = Records()
    redirects = tuple(f"{origin}/" for origin in (address, *origins))
    both = ("authorization_code", "refresh_token")
    after_sign_out = tuple(origin + ADDRESS for origin in origins)
    records.add_client(Client("demo-page", SCOPE, both, redirects, after_sign_out))
    signer = Signer(address)
    records.add_client(Client("page-without-refresh", SCOPE, ("authorization_code",), redirects))

    class CodeGrant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

        def save_authorization_code(self, code: str, request: Any) -> Code:
            return records.save_code(code, request)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return records.code(code, client)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            records.forget(authorization_code)

        def authenticate_user(self, authorization_code: Code) -> str:
            return authorization_code.user

    class RotatingGrant(RefreshTokenGrant):
        INCLUDE_NEW_REFRESH_TOKEN = True
        TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

        def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
            token = records.by_refresh_token(refresh_token)
            return token if token and token.can_refresh() else None

        def authenticate_user(self, refresh_token: Token) -> str:
            return refresh_token.user

        def revoke_old_credential(self, refresh_token: Token) -> None:
            refresh_token.is_used = True

    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = ("none",)

        def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
            return records.by_refresh_token(token_string) or records.by_access_token(token_string)

        def revoke_token(self, token: Token, request: Any) -> None:
            token.revoked = True

    class Issuer(IssuerParameter):
        def get_issuer(self) -> str:
            return address

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            return records.by_access_token(token_string)

    app = Flask(__name__)
    app.config.update(
        OAUTH2_REFRESH_TOKEN_GENERATOR=True,
        OAUTH2_TOKEN_EXPIRES_IN=dict.fromkeys(both, ACCESS_TTL),
        OAUTH2_SCOPES_SUPPORTED=SCOPE.split(),
    )
    server = AuthorizationServer(app, records.client, records.save_token)
    server.register_grant(CodeGrant, [CodeChallenge(required=True), OpenID(signer, records)])
    server.register_grant(RotatingGrant)
    server.register_endpoint(Revocation)
    server.register_endpoint(end_session_endpoint(signer))
    server.register_extension(Issuer())
    guard = ResourceProtector()
    guard.register_token_validator(Validator())

    @app.get("/authorize")
    def authorize() -> Any:
        try:
            grant = server.get_consent_grant(end_user=USERNAME)
        except OAuth2Error as error:
            return server.handle_error_response(None, error)
        user = None if request.args.get("login_hint") == NOBODY else USERNAME
        return server.create_authorization_response(grant_user=user, grant=grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.post("/revoke")
    def revoke() -> Any:
        return server.create_endpoint_response(Revocation.ENDPOINT_NAME)

    @app.get("/logout")
    def logout() -> Any:
        return server.create_endpoint_response("end_session") or "Signed out."

    @app.get("/.well-known/oauth-authorization-server")
    @app.get("/.well-known/openid-configuration")
    def metadata() -> Any:
        return jsonify(
            issuer=address,
            authorization_endpoint=f"{address}/authorize",
            token_endpoint=f"{address}/token",
            revocation_endpoint=f"{address}/revoke",
            end_session_endpoint=f"{address}/logout",
            scopes_supported=SCOPE.split(),
            response_types_supported=["code"],
            grant_types_supported=both,
            token_endpoint_auth_methods_supported=["none"],
            revocation_endpoint_auth_methods_supported=["none"],
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=True,
        )

    @app.get("/api/me")
    @guard("profile")
    def me() -> Any:
        return {"user": current_token.user}

    return WSGIMiddleware(app)


if __name__ == "__main__":
    serve(make, refresh_path="/token")
