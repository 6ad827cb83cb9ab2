"""django-oauth-toolkit: authorization code with PKCE, refresh tokens that rotate, OpenID Connect.

``/authorize/`` asks nobody: the demo user is signed in already, and the page is one of the house's own.

https://django-oauth-toolkit.readthedocs.io/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from starlette.types import ASGIApp

from tests.interop.servers.django_site import SETTINGS, api_of_one, make_user, rest_framework
from tests.interop.servers.lab import ACCESS_TTL, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)

settings.configure(
    **SETTINGS,
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "oauth2_provider",
    ],
    MIDDLEWARE=[f"{__name__}.as_the_demo_user"],
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_TTL,
        "REFRESH_TOKEN_EXPIRE_SECONDS": REFRESH_TTL - ACCESS_TTL,  # counted from the access token's end
        "SCOPES": {"openid": "who you are", "profile": "your name", "offline_access": "while you are away"},
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": KEY.decode(),
    },
    REST_FRAMEWORK=rest_framework("oauth2_provider.contrib.rest_framework.OAuth2Authentication"),
)
django.setup()

# These need the settings.
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402

urlpatterns = [
    path("api/me", api_of_one()),
    path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


def as_the_demo_user(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Sign the demo user in at the pages of this server."""

    def respond(request: Any) -> Any:
        request.user = get_user_model().objects.get(username=USERNAME)
        return get_response(request)

    return respond


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the app, its one user and its one client."""
    make_user()
    Application.objects.create(
        client_id="demo-page",
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris=" ".join(f"{origin}/callback" for origin in (address, *origins)),
        skip_authorization=True,
    )
    return get_asgi_application()


if __name__ == "__main__":
    serve(make, refresh_path="/token/")
