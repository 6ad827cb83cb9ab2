"""The benchmark's page: what the server doesn't have is put in on its way to the browser.

| address                | what                                              |
| ---------------------- | ------------------------------------------------- |
| /bench/page/…          | the folder ``page``                               |
| /bench/packages.zip    | `requests` and what it needs, as installed here   |
| /bench/axios/… and so on | the peers, as npm installed them                |
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, Route

from app.server.headers import CONTENT_SECURITY_POLICY
from app.server.static_files import MEDIA_TYPES
from tests.e2e.page_packages import REQUESTS, zipped

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "/bench/page/index.html"


def put_in(page: Page) -> None:
    """Let `page` find all that is under /bench/."""
    page.route("**/bench/**", _fulfill)


def _fulfill(route: Route) -> None:
    name = route.request.url.partition("/bench/")[2]
    body = zipped(REQUESTS) if name == "packages.zip" else _read(name)
    headers = {
        "content-type": MEDIA_TYPES[Path(name).suffix],
        "content-security-policy": CONTENT_SECURITY_POLICY,
        # PyScript's page has it too: the two share one agent.
        "cross-origin-opener-policy": "same-origin",
    }
    route.fulfill(body=body, headers=headers)


def _read(name: str) -> bytes:
    folder = ROOT / "tests" / "bench" if name.startswith("page/") else ROOT / "node_modules"
    content = (folder / name).read_bytes()
    # The strict policy allows no import map, and no browser knows a package by its name.
    content = content.replace(b'from"axios"', b'from"/bench/axios/dist/esm/axios.min.js"')
    return content.replace(b'from "jwt-decode"', b'from "/bench/jwt-decode/build/esm/index.js"')
