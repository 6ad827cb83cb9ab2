"""docs/recipes/servers.md: the code of each section, in a real page, against the server that it is about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.markdown import Block, Scenario, read_blocks
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession
from tests.interop.conftest import ServerOf
from tests.interop.presets import (
    ALLAUTH,
    ARTICLE,
    AUTHX,
    BETTER_AUTH,
    COOKIE,
    DJANGO_OAUTH_TOOLKIT,
    FASTAPI,
    FLASK_JWT_EXTENDED,
    OAUTH2,
    SIMPLEJWT,
    SUPABASE,
    Preset,
)
from tests.interop.servers.lab import PASSWORD, USERNAME
from tests.interop.servers.supabase_fake import APIKEY

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "servers.md"
ELSEWHERE = ("Servers by name", "What each says")  # by_name/test_every_server.py has them
SECTIONS = {
    "Django REST framework with SimpleJWT": SIMPLEJWT,
    "Flask-JWT-Extended": FLASK_JWT_EXTENDED,
    "FastAPI": FASTAPI,
    "OAuth 2.0": OAUTH2,
    "django-oauth-toolkit": DJANGO_OAUTH_TOOLKIT,
    "django-allauth headless": ALLAUTH,
    "AuthX": AUTHX,
    "better-auth": BETTER_AUTH,
    "Supabase": SUPABASE,
    "A cookie": COOKIE,
    "Another shape": ARTICLE,
    "A function of your own": ARTICLE,
}


def sections() -> dict[str, str]:
    """Return the text of each section by its heading."""
    parts = re.split(r"^## (.+)\n", RECIPE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def code_for(section: str, address: str) -> list[Block]:
    """Return the Python of a section, its placeholders filled in for a server at ``address``."""
    text = re.sub(r"https://(api|id)\.example\.com|https://project\.supabase\.co", address, section)
    text = text.replace('"your-anon-key"', repr(APIKEY)).replace(
        '"my-page"', repr(OAUTH2.arguments["client_id"])
    )
    return [block for block in read_blocks(text) if block.kind == "python"]


def token_answer(address: str, preset: Preset) -> dict[str, Any] | None:
    """Return what the token endpoint answers to an authorization code, where that is how one signs in."""
    if preset.name != "oauth2":
        return None
    call = preset.sign_in(address)
    answer = httpx.post(call["url"], content=call["body"], headers=call["headers"], trust_env=False)
    granted: dict[str, Any] = answer.raise_for_status().json()
    return granted


def test_every_section_is_run() -> None:
    """No section of the recipe is missing here."""
    assert list(SECTIONS) == [title for title in sections() if title not in ELSEWHERE]


@pytest.mark.parametrize(("title", "preset"), SECTIONS.items(), ids=list(SECTIONS))
def test_the_code_for_a_server_keeps_the_user_signed_in(
    page_python: PagePython, server_of: ServerOf, base_url: str, title: str, preset: Preset
) -> None:
    """It signs in; when the access token has expired, the next call costs one refresh and is answered."""
    server = server_of(preset, "--allow-origin", base_url)
    session = PageSession(page_python)
    session.open()
    names = {"username": USERNAME, "email": f"{USERNAME}@example.org", "password": PASSWORD}

    with Scenario(session, RECIPE.name, **names, answer=token_answer(server.url, preset)) as scenario:
        scenario.run(code_for(sections()[title], server.url))
        server.lab.expire()
        server.lab.reset()
        again = f'print((await client.get("{preset.me}")).status)'
        scenario.run([Block("python", again, 1), Block("text", "200\n", 1)])
    session.let_go()

    counters = server.lab.counters()
    assert [1, 1] == [counters["refresh"], counters["unauthorized"]]
