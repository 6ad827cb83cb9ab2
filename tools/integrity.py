"""Write into index.html what each script, style sheet and module that it loads must hash to.

The browser then refuses a file that somebody changed on its way, or at the server (https://www.w3.org/TR/sri-2/).
A tag holds what it asks for. A module that something else imports, before its preload maybe, is held by the
page's import map (https://html.spec.whatwg.org/multipage/webappapis.html#import-maps), where one that is
imported when it is needed stands without a tag. That map is the page's one inline script, whose own hash the
server's policy names: this writes that too, into app/server/headers.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "index.html"
POLICY = ROOT / "app" / "server" / "headers.py"
# What the browser checks: `<script type="py">` and `<link rel="preload" as="fetch">` are fetched without.
CHECKED = re.compile(
    r'<(?P<tag>link rel="(?:stylesheet|modulepreload)" href'
    r'|script (?:(?:type="module"|async)(?: [a-z="]+)* )?src)'
    r'="(?P<path>/[^"]+)"'
    r'(?P<integrity> integrity="[^"]*")?'
)
IMPORT_MAP = re.compile(
    r'(?P<start>^(?P<indent> *)<script type="importmap">)(?P<map>[^<]*)(?=</script>)', re.M
)
IMPORT_MAP_HASH = re.compile(r'(?<=^IMPORT_MAP_HASH = ")[^"]*(?=")', re.M)


def integrity_of(content: bytes, algorithm: str = "sha384") -> str:
    """Return the value of an `integrity` attribute for a file."""
    return f"{algorithm}-" + base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


def with_integrity(text: str, root: Path = ROOT) -> str:
    """Return a page with the hashes of the files as they are now. Raises FileNotFoundError."""
    modules: dict[str, str] = {}

    def write(found: re.Match[str]) -> str:
        integrity = integrity_of((root / found["path"].lstrip("/")).read_bytes())
        if "module" in found["tag"]:
            modules[found["path"]] = integrity
        tag = found[0].removesuffix(found["integrity"] or "")
        return f'{tag} integrity="{integrity}"'

    def write_map(found: re.Match[str]) -> str:
        named: dict[str, str] = json.loads(found["map"] or "{}").get("integrity", {})
        for path in sorted(named.keys() - modules.keys()):
            modules[path] = integrity_of((root / path.lstrip("/")).read_bytes())
        text = json.dumps({"integrity": modules}, indent=2)
        return f"{found['start']}\n{indent(text, found['indent'])}\n{found['indent']}"

    return IMPORT_MAP.sub(write_map, CHECKED.sub(write, text))


def with_import_map_hash(policy: str, page: str) -> str:
    """Return the text of headers.py with the hash of the import map that `page` has."""
    (import_map,) = IMPORT_MAP.finditer(page)
    return IMPORT_MAP_HASH.sub(integrity_of(import_map["map"].encode(), "sha256"), policy)


if __name__ == "__main__":
    PAGE.write_text(with_integrity(PAGE.read_text()))
    POLICY.write_text(with_import_map_hash(POLICY.read_text(), PAGE.read_text()))
