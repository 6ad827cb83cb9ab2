"""What the Django servers have alike: a database of their own, one user, no time lost on passwords."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

from tests.interop.servers.lab import PASSWORD, USERNAME

_folder = TemporaryDirectory()  # removed when the process ends
SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "a key for tests, and long enough for HS256",
    "ALLOWED_HOSTS": ["127.0.0.1"],
    # In a file: threads that share one in memory don't wait for each other, they fail ("table is locked").
    "DATABASES": {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{_folder.name}/site.sqlite3",
            "OPTIONS": {
                "timeout": 60,  # s that one waits for another
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
            },
        }
    },
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "USE_TZ": True,
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],  # a sign-in takes no time
}


def rest_framework(*authentication: str) -> dict[str, Any]:
    """Return the settings of an API that knows these ways to sign requests."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": list(authentication),
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    }


def make_user() -> Any:
    """Make the tables and the one user; Django is set up by then."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return get_user_model().objects.create_user(USERNAME, password=PASSWORD)


def api_of_one() -> Any:
    """Return the view that tells who asks."""
    from rest_framework.decorators import api_view, permission_classes
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.response import Response

    @api_view(["GET"])
    @permission_classes([IsAuthenticated])
    def me(request: Any) -> Response:
        return Response({"user": request.user.get_username()})

    return me
