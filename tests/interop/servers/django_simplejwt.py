"""Django REST framework with SimpleJWT: rotation, and a blacklist of what was rotated.

https://django-rest-framework-simplejwt.readthedocs.io/
"""

from __future__ import annotations

from datetime import timedelta

import django
from django.conf import settings
from starlette.types import ASGIApp

from tests.interop.servers.lab import ACCESS_TTL, PASSWORD, REFRESH_TTL, USERNAME
from tests.interop.servers.serving import serve

settings.configure(
    SECRET_KEY="a key for tests, and long enough for HS256",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # appends slashes
    # In memory, and one for all threads.
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:memory?mode=memory&cache=shared"}
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # a sign-in takes no time
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TTL),
        "REFRESH_TOKEN_LIFETIME": timedelta(seconds=REFRESH_TTL),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)
django.setup()

# These need the settings.
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view, permission_classes  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def me(request: Request) -> Response:
    """Tell who asks."""
    return Response({"user": request.user.get_username()})


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/me", me),
]


def make(address: str, origins: tuple[str, ...]) -> ASGIApp:
    """Build the app and its one user."""
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user(USERNAME, password=PASSWORD)
    return get_asgi_application()


if __name__ == "__main__":
    serve(make, refresh_path="/api/token/refresh/")
