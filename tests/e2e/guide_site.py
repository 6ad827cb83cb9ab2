"""The pages of docs/guide.md, as they stand there, beside the real server's own.

with guide_site(server.url, wheel) as site:
    site.serve(section("With PyScript"), CONTENT_SECURITY_POLICY)
    page.goto(f"{site.url}/guide/index.html")
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mimetypes import add_type, guess_type
from pathlib import Path
from typing import NamedTuple

from tests.e2e.site_before import Answer, site_before

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
# What the guide copies next to the page is, byte-compiled, where the server has it for the demo.
VENDOR = {path.name.partition("-")[0]: path for path in (ROOT / "static" / "vendor").glob("py*-*")}
# A page that sets itself no strict policy may have its code in the HTML.
LOOSE_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data:"
# As the server's own pages have it: else a browser changes the process on the way from one to the other.
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin"}
FILE = re.compile(r"^```\w+\n(?:<!-- (?P<html>\S+) -->|(?:#|//) (?P<other>\S+\.\w+))\n.*?^```$", re.M | re.S)

add_type("text/javascript", ".mjs")
add_type("application/wasm", ".wasm")


class GuideSite(NamedTuple):
    """Its address, and what puts the files that a text shows at /guide/ there, under a policy."""

    url: str
    serve: Callable[[str, str], None]


def section(title: str) -> str:
    """Return the text of a section of the guide."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def files_in(text: str) -> dict[str, str]:
    """Return the files that a text shows, by name: each tells its own in the first line."""
    blocks = FILE.finditer(text)
    return {block["html"] or block["other"]: block[0].split("\n", 1)[1][:-3] for block in blocks}


@contextmanager
def guide_site(server: str, wheel: Path) -> Iterator[GuideSite]:
    """Serve such a site before the server at that address."""
    served: dict[str, Answer] = {}

    def answer(path: str) -> Answer | None:
        if not path.startswith("/guide/"):
            return None
        folder, _, name = path.removeprefix("/guide/").rpartition("/")
        if folder:
            return Answer((VENDOR[folder] / name).read_bytes(), {"Content-Type": type_of(name)})
        return served.get(name, Answer(b"", status=404))

    with site_before(server, answer) as url:

        def serve(text: str, policy: str) -> None:
            files = {name: content.encode() for name, content in files_in(text).items()}
            files[wheel.name] = wheel.read_bytes()
            for name in ("bridge.js", "own_python.js"):
                files[name] = zipfile.ZipFile(wheel).read(f"silent_refresh/browser/{name}")
            for name, content in files.items():
                headers = {**ISOLATED, "Content-Security-Policy": policy, "Content-Type": type_of(name)}
                served[name] = Answer(content, headers)

        yield GuideSite(url, serve)


def type_of(name: str) -> str:
    """Return a file's media type."""
    return guess_type(name)[0] or "application/octet-stream"
