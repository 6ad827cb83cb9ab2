"""starter/: made into an empty folder, served, and used as a person would; and its own tests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.e2e.demo_page import sign_in
from tests.interop.running import InteropServer, serve_starter
from tools.starter import make

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Return what `make starter` makes."""
    made = tmp_path_factory.mktemp("starter")
    make(made, wheel)
    return made


@pytest.fixture(scope="module")
def starter(folder: Path) -> Iterator[InteropServer]:
    """Serve it, by its own server."""
    with serve_starter(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser_context_args(browser_context_args: dict[str, Any], starter: InteropServer) -> dict[str, Any]:
    """Open pages there, and not at the demo's server first, whose pages are isolated from others."""
    return {**browser_context_args, "base_url": starter.url}


def test_from_the_page_to_the_login_and_back(page: Page, starter: InteropServer) -> None:
    """A wrong password is told; an expired token is renewed unseen; a revoked session ends at the login.

    And no traceback, nor a violation of the policy, is in the console.
    """
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/?page=2")
    expect(page).to_have_url(re.compile(r"/login\?next=%2F%3Fpage%3D2&reason=not_signed_in"))

    sign_in(page, "wrong")
    expect(page.get_by_text("That was not right. Please try again.")).to_be_visible()
    sign_in(page)
    expect(page.get_by_text("Hello, demo")).to_be_visible()
    assert page.url == f"{starter.url}/?page=2"

    starter.lab.reset()
    starter.lab.expire()
    page.reload()
    expect(page.get_by_text("Hello, demo")).to_be_visible()
    assert 1 == starter.lab.counters()["refresh"]

    starter.lab.expire_refresh_tokens()
    page.reload()
    expect(page).to_have_url(re.compile(r"/login\?next=%2F%3Fpage%3D2&reason=rejected"))
    expect(page.get_by_text("Your session has ended. Please sign in again.")).to_be_visible()
    assert [] == said


def test_the_server_knows_of_a_sign_out(page: Page, starter: InteropServer) -> None:
    """Its refresh token is worth nothing any more."""
    page.goto("/login")
    sign_in(page)
    expect(page.get_by_text("Hello, demo")).to_be_visible()
    refresh_token = page.evaluate("JSON.parse(localStorage['silent-refresh']).refresh_token")

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/login\?reason=sign_out"))
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    tried = httpx.post(f"{starter.url}/refresh", json={"refreshToken": refresh_token}, trust_env=False)
    assert 401 == tried.status_code


def test_its_own_tests_pass(folder: Path) -> None:
    """In CPython, with the wheel that lies beside the page."""
    (wheel,) = (folder / "page").glob("*.whl")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:playwright"]
    ran = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(wheel)}, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_what_is_in_a_folder_stays(folder: Path, wheel: Path) -> None:
    """A second start overwrites nothing that somebody wrote meanwhile."""
    with pytest.raises(FileExistsError, match="isn't empty"):
        make(folder, wheel)


def test_the_guide_shows_its_files() -> None:
    """As they are: whoever reads there, and whoever copies, has the same."""
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    section = guide.partition("\n## With PyScript\n")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"^```\w+\n(?:<!--|#|//) (\S+\.\w+)(?: -->)?\n(.*?)^```$", section, re.M | re.S))

    page = ROOT / "starter" / "page"
    assert shown == {path.name: path.read_text(encoding="utf-8") for path in page.iterdir() if path.is_file()}
