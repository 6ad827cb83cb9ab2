"""The pages that the start is measured with, in a folder of their own that the demo's server serves.

| page           | what                                                                                   |
| -------------- | -------------------------------------------------------------------------------------- |
| `demo`         | the demo page as it is, but for a mark in the first line of its script                 |
| `shipped`      | PyScript and Pyodide as their npm packages ship them, and a script of that one line    |
| `bare`         | the demo's HTML with Pyodide, as this project vendors it, and one authenticated fetch  |
| `bare_shipped` | the same with Pyodide as its package ships it                                          |
| `guide`        | the guide's page, with the wheel, PyScript and Pyodide as shipped                      |
| `guide_packed` | the same, packed by `make fast`                                                        |
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.starter import make

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "node_modules"
MARK = "first-python-line"
TOKEN = "bench-token"  # the key in localStorage from which the bare pages take theirs

FOLDER = "tests/e2e/page"  # of what else the server shows, this is for pages of tests
SHIPPED = "static/vendor/shipped"  # cached for good, as the project's own are
ADDRESSES = {
    "demo": "/",
    **{name: f"/{FOLDER}/{name}.html" for name in ("shipped", "bare", "bare_shipped")},
    **{name: f"/{FOLDER}/{name}/index.html" for name in ("guide", "guide_packed")},
}

MARKED_LINE = f'import js; js.performance.mark("{MARK}")\n'
SHIPPED_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>As shipped</title>
<link rel="stylesheet" href="/{SHIPPED}/pyscript/core.css">
<script type="module" src="/{SHIPPED}/pyscript/core.js"></script>
<script type="py" src="/{FOLDER}/shipped.py" config="/{FOLDER}/shipped.toml"></script>
"""
BARE_SCRIPT = """
import {{ loadPyodide }} from "/{pyodide}/pyodide.mjs";

const source = fetch("/{folder}/bare.py").then((response) => response.text());
const pyodide = await loadPyodide();
await pyodide.runPythonAsync(await source);
"""
BARE_PYTHON = f"""{MARKED_LINE}
from js import Object, fetch
from pyodide.ffi import to_js

token = js.localStorage.getItem("{TOKEN}")
headers = to_js({{"Authorization": f"Bearer {{token}}"}}, dict_converter=Object.fromEntries)
profile = await (await fetch("/api/profile", headers=headers)).json()
js.document.getElementById("status").textContent = profile.name
"""


def lay_out(site: Path) -> None:
    """Put the pages, and what they load, into the empty folder `site`."""
    for name in ("index.html", "pyscript.toml"):
        shutil.copy2(ROOT / name, site)
    # With their times: a compressed file counts only while it is no older than what it was made from.
    for name in ("static", "app/silent_refresh", "app/demo"):
        shutil.copytree(ROOT / name, site / name)
    script = site / "app/demo/main.py"
    script.write_text(MARKED_LINE + script.read_text())

    shutil.copytree(PACKAGES / "pyodide", site / SHIPPED / "pyodide")
    shutil.copytree(PACKAGES / "@pyscript/core/dist", site / SHIPPED / "pyscript")
    (ours,) = (site / "static/vendor").glob("pyodide-*")

    pages = site / FOLDER
    pages.mkdir(parents=True)
    (pages / "shipped.html").write_text(SHIPPED_PAGE)
    (pages / "shipped.py").write_text(MARKED_LINE)
    (pages / "shipped.toml").write_text(f'interpreter = "/{SHIPPED}/pyodide/pyodide.mjs"\n')
    (pages / "bare.py").write_text(BARE_PYTHON)
    for name, pyodide in (("bare", f"static/vendor/{ours.name}"), ("bare_shipped", f"{SHIPPED}/pyodide")):
        (pages / f"{name}.js").write_text(BARE_SCRIPT.format(pyodide=pyodide, folder=FOLDER))
        (pages / f"{name}.html").write_text(
            bare_page((site / "index.html").read_text(), f"/{FOLDER}/{name}.js")
        )
    lay_out_guide(pages, site.parent / "guide")


def lay_out_guide(pages: Path, made: Path) -> None:
    """Put the guide's page there twice, as it stands and packed; `made` is a folder for what it's made of."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (made / "dist").glob("*.whl")
    make(made / "starter", wheel)
    page = made / "starter" / "page"
    script = page / "main.py"
    script.write_text(MARKED_LINE + script.read_text())
    subprocess.run(["node", "tools/pack.mjs", str(page), str(pages / "guide_packed")], cwd=ROOT, check=True)
    shipped = {"pyodide": PACKAGES / "pyodide", "pyscript": PACKAGES / "@pyscript/core/dist"}
    shutil.copytree(page, pages / "guide", ignore=shutil.ignore_patterns(*shipped))
    for name, folder in shipped.items():
        shutil.copytree(folder, pages / "guide" / name)


def bare_page(demo: str, script: str) -> str:
    """Return the demo's HTML without its scripts and what it loads for them, and with this one instead."""
    without = re.sub(r"\s*<(script\b[^>]*>[^<]*</script>|link rel=\"(module)?preload\"[^>]*>)", "", demo)
    return without.replace("</head>", f'  <script type="module" src="{script}"></script>\n</head>')
