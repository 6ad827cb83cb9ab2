"""The folder of the Web Platform Tests: which of them are about fetch in a window, and what their pages are.

https://web-platform-tests.org/writing-tests/testharness.html
"""

from __future__ import annotations

import html
import re
from pathlib import Path

HOW_TO_GET_THEM = """WPT=<folder> says where the Web Platform Tests are. A part of them is enough:

    git clone --depth 1 --filter blob:none --sparse https://github.com/web-platform-tests/wpt
    git -C wpt sparse-checkout set common fetch/api interfaces resources
    make conformance WPT=wpt
"""
# Under another policy the page couldn't start Python; without TLS and HTTP/2 there are none of theirs.
LEFT_OUT = re.compile(r"/resources/|/crashtests/|\.https\.|\.h2\.|worker|/csp-blocked")
GLOBAL = "<script>self.GLOBAL = { isWindow: () => true, isWorker() {}, isShadowRealm() {} };</script>"
VARIANT = re.compile(r'<meta name="?variant"? content="(.*?)"')
META = re.compile(r"^// META: (\w+)=(.*)$", re.MULTILINE)


def is_of_tests(folder: Path | None) -> bool:
    """Tell whether this is the folder."""
    return folder is not None and (folder / "resources" / "testharness.js").is_file()


def page_of(script: Path) -> str:
    """Return the page of a test that is a script alone, as the tests' own server makes it."""
    found = META.findall(script.read_text(encoding="utf-8"))
    sources = [value.strip() for key, value in found if key == "script"]
    timeout = '<meta name="timeout" content="long">' if ("timeout", "long") in found else ""
    scripts = ["/resources/testharness.js", "/resources/testharnessreport.js", *sources, script.name]
    tags = "".join(f'<script src="{html.escape(source)}"></script>' for source in scripts)
    return f"<!doctype html><meta charset=utf-8>{timeout}{GLOBAL}<div id=log></div>{tags}"


def paths_in(folder: Path, under: str) -> list[str]:
    """Return the paths, with a query where a test has variants, of the tests that call fetch in a window."""
    paths: list[str] = []
    for file in sorted((folder / under).rglob("*")):
        path = f"/{file.relative_to(folder).as_posix()}"
        if LEFT_OUT.search(path) or file.suffix not in (".js", ".html"):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        found = META.findall(text)
        if "fetch(" not in text and "script" not in dict(found) and file.suffix == ".js":
            continue  # neither it nor a helper of its calls anything that could be lost
        names = dict(found).get("global", "window").split(",")
        if path.endswith(".window.js") or (path.endswith(".any.js") and "window" in names):
            path = path.removesuffix("js") + "html"
            paths += [path + value.strip() for key, value in found if key == "variant"] or [path]
        elif file.suffix == ".html" and "/resources/testharness.js" in text:
            paths += [path + query for query in VARIANT.findall(text)] or [path]
    return paths
