"""django-allauth headless, for apps: its JWT strategy, with refresh tokens that rotate.

https://docs.allauth.org/en/latest/headless/
"""

from __future__ import annotations

import django
from django.conf import settings
from starlette.types import ASGIApp

from tests.interop.servers.django_site import SETTINGS, api_of_one, make_user, rest_framework
from tests.interop.servers.lab import ACCESS_TTL, REFRESH_TTL
from tests.interop.servers.serving import serve

settings.configure(
    **SETTINGS,
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "rest_framework",
        "allauth",
        "allauth.account",
        "allauth.headless",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    ACCOUNT_EMAIL_VERIFICATION="none",
    ACCOUNT_RATE_LIMITS=False,  # the tests sign in more often than people do
    HEADLESS_ONLY=True,
    HEADLESS_CLIENTS=("app",),
    HEADLESS_TOKEN_STRATEGY="allauth.headless.tokens.strategies.jwt.JWTTokenStrategy",
    HEADLESS_JWT_ALGORITHM="HS256",
    HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN=ACCESS_TTL,
    HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN=REFRESH_TTL,
    REST_FRAMEWORK=rest_framework(
        "allauth.headless.contrib.rest_framework.authentication.JWTTokenAuthentication",
        "allauth.headless.contrib.rest_framework.authentication.XSessionTokenAuthentication",
    ),
)
django.setup()

# These need the settings.
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("api/me", api_of_one()),
]


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the app and its one user."""
    make_user()
    return get_asgi_application()


if __name__ == "__main__":
    serve(make, refresh_path="/_allauth/app/v1/tokens/refresh")
