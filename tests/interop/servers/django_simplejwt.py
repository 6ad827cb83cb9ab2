"""Django REST framework with SimpleJWT: rotation, and a blacklist of what was rotated.

https://django-rest-framework-simplejwt.readthedocs.io/
"""

from __future__ import annotations

from datetime import timedelta

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
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # appends slashes
    REST_FRAMEWORK=rest_framework("rest_framework_simplejwt.authentication.JWTAuthentication"),
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TTL),
        "REFRESH_TOKEN_LIFETIME": timedelta(seconds=REFRESH_TTL),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)
django.setup()

# These need the settings.
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)

urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/me", api_of_one()),
]


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the app and its one user."""
    make_user()
    return get_asgi_application()


if __name__ == "__main__":
    serve(make, refresh_path="/api/token/refresh/")
