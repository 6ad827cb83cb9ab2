"""Write into index.html what each script, style sheet and module that it loads must hash to.

The browser then refuses a file that somebody changed on its way, or at the server (https://www.w3.org/TR/sri-2/).
A module that PyScript imports is held too: the page preloads it, and the browser keeps to what it preloaded.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "index.html"
# What the browser checks: `<script type="py">` and `<link rel="preload" as="fetch">` are fetched without.
CHECKED = re.compile(
    r'<(?:link rel="(?:stylesheet|modulepreload)" href|script (?:type="module"|async)(?: [a-z="]+)* src)='
    r'"(?P<path>/[^"]+)"'
    r'(?P<integrity> integrity="[^"]*")?'
)


def integrity_of(content: bytes) -> str:
    """Return the value of an `integrity` attribute for a file."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def with_integrity(text: str, root: Path = ROOT) -> str:
    """Return a page with the hashes of the files as they are now. Raises FileNotFoundError."""

    def write(found: re.Match[str]) -> str:
        tag = found[0].removesuffix(found["integrity"] or "")
        return f'{tag} integrity="{integrity_of((root / found["path"].lstrip("/")).read_bytes())}"'

    return CHECKED.sub(write, text)


if __name__ == "__main__":
    PAGE.write_text(with_integrity(PAGE.read_text()))
