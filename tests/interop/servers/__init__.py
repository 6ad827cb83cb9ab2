"""The servers, each in one file and runnable:

    python -m tests.interop.servers.django_simplejwt --port 8001 --allow-origin http://127.0.0.1:8000

The user is ``demo`` with the password ``demo-password``. SimpleJWT, django-allauth, django-oauth-toolkit,
Flask-JWT-Extended, FastAPI, AuthX, Authlib and better-auth are the real ones from their packages; Supabase
and the cookie mode are fakes of their documented contracts.
"""
