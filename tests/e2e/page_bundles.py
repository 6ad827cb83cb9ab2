"""Gives a page JavaScript that imports npm's packages, bundled: no browser knows them by their names."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "tests/e2e/page"


@functools.cache
def bundled(name: str) -> str:
    """Return a module of the test page's folder, with all that it imports."""
    command = [
        "node_modules/.bin/esbuild",
        f"{FOLDER}/{name}",
        "--bundle",
        "--format=esm",
        "--log-level=warning",
        '--define:process.env.NODE_ENV="production"',
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def give_bundle(page: Page, name: str) -> None:
    """Let the page import it, at its own address."""
    text = bundled(name)
    page.route(f"**/{FOLDER}/{name}", lambda route: route.fulfill(body=text, content_type="text/javascript"))
