"""What the project's files say about each other, and could say wrongly after a change."""

import json
import re
from pathlib import Path

import pytest

import silent_refresh
from app.server.headers import PAGE_POLICY
from tools.integrity import (
    CHECKED,
    IMPORT_MAP,
    POLICY,
    integrity_of,
    with_import_map_hash,
    with_integrity,
)

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PAGE_FOLDER = ROOT / "tests" / "e2e" / "page"
PAGES = [ROOT / "index.html", *(PAGE_FOLDER / name for name in ("index.html", "wheel.html", "worker.html"))]
LOADERS = [
    *PAGES,
    *(PAGE_FOLDER / name for name in ("wheel.toml", "worker.toml")),
    *(ROOT / "static" / name for name in ("boot.js", "python.mjs")),
]
DOCUMENTS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
LAZY = {
    "/app/silent_refresh/browser/dpop.js",
    "/static/ways.js",
}  # modules that are imported when they are needed
NPM = json.loads((ROOT / "package.json").read_text())


def requirements(path: Path) -> dict[str, str]:
    """Return the pinned versions of a requirements file, by name."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_pins_and_hashes_everything_and_names_no_place(lock):
    """Each requirement has a version and a hash; no index, no host, no folder of some machine."""
    text = lock.read_text()
    entries = re.sub(r"\\\n\s*", "", text).splitlines()
    packages = [entry for entry in entries if not entry.startswith("#")]

    assert packages
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+==\S+.* --hash=sha256:[0-9a-f]{64}", package), package
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|(^|\s)/", text)


def test_development_has_the_servers_versions():
    """The tests run the server with the packages that `make demo` installs."""
    development = requirements(ROOT / "requirements" / "dev.txt")

    for name, version in requirements(ROOT / "requirements" / "server.txt").items():
        assert version == development[name], name


def test_the_npm_lock_file_names_no_registry():
    """Each package is found by name, version and hash in whichever registry is configured."""
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {path: entry for path, entry in lock["packages"].items() if path}

    assert NPM["dependencies"] == lock["packages"][""]["dependencies"]
    assert NPM["devDependencies"] == lock["packages"][""]["devDependencies"]
    for path, entry in packages.items():
        assert "resolved" not in entry, path
        assert entry["integrity"].startswith("sha512-"), path


def test_the_page_names_its_script():
    """The one file of the demo that isn't in the page's archive is the script of the page."""
    packer = (ROOT / "tools" / "page.mjs").read_text()
    script = re.search(r'const SCRIPT = "(.*)"', packer)

    assert script is not None
    assert f'src="/app/{script[1]}"' in (ROOT / "index.html").read_text()
    assert (ROOT / "app" / script[1]).is_file()


def test_the_page_knows_the_hashes_of_what_it_loads():
    """Each style sheet, script and preloaded module of index.html has the hash of its file."""
    text = (ROOT / "index.html").read_text()
    tags = re.findall(
        r'<(?:link [^>]*\b(?:stylesheet|modulepreload)\b|script (?![^>]*type="(?:py|importmap)"))[^>]*>', text
    )

    assert len(tags) == len(CHECKED.findall(text))
    assert with_integrity(text) == text, "run make format"


def test_the_import_map_holds_every_module_before_any_is_loaded():
    """It has the hash of each module that the page names, and the policy has the hash of the map."""
    text = (ROOT / "index.html").read_text()
    before, import_map, after = re.split(r'<script type="importmap">(.*?)</script>', text, flags=re.DOTALL)
    modules = re.findall(r'<[^>]*module[^>]*(?:href|src)="([^"]+)" integrity="([^"]+)"', after)

    held = json.loads(import_map)["integrity"]
    assert dict(modules).items() <= held.items()
    assert LAZY == held.keys() - dict(modules).keys()
    assert "module" not in re.sub("<!--.*?-->", "", before, flags=re.DOTALL)
    assert f" '{integrity_of(import_map.encode(), 'sha256')}'" in PAGE_POLICY, "run make format"
    assert with_import_map_hash(POLICY.read_text(), text) == POLICY.read_text()


def test_a_file_that_changed_has_another_hash(tmp_path):
    """The tag keeps its other attributes, and a script that the browser doesn't check gets no hash."""
    (tmp_path / "a.js").write_bytes(b"alert(1)")
    tag = '<script type="module" async src="/a.js"{}></script><script type="py" src="/a.py"></script>'
    page = with_integrity(tag.format(""), tmp_path)
    with_map = with_integrity(f'<script type="importmap"></script>{page}', tmp_path)
    (tmp_path / "a.js").write_bytes(b"alert(2)")

    # openssl dgst -sha384 -binary a.js | base64
    first = "HT2E9NfWiuQ/w1PRai+hTyqW16NIoCGA/m8VQDUopfAtcz6YQjtsMmQd5uRbVDpW"
    assert tag.format(f' integrity="sha384-{first}"') == page
    assert {"integrity": {"/a.js": f"sha384-{first}"}} == json.loads(IMPORT_MAP.match(with_map)["map"])
    assert page != with_integrity(page, tmp_path)
    assert with_integrity(tag.format(""), tmp_path) == with_integrity(page, tmp_path)


@pytest.mark.parametrize("path", LOADERS, ids=lambda path: path.name)
def test_vendored_folders_have_the_pinned_versions(path):
    """What a page loads from static/vendor is what package.json pins."""
    versions = {
        "pyscript": NPM["dependencies"]["@pyscript/core"],
        "pyodide": NPM["dependencies"]["pyodide"],
    }

    for name, version in re.findall(r"/static/vendor/([a-z]+)-([^/]+)/", path.read_text()):
        assert versions[name] == version


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_takes_no_code_from_another_host(path):
    """What its pages load lies beside them: on a CDN it could be another tomorrow, and no hash would tell."""
    text = path.read_text(encoding="utf-8")
    loaded = re.findall(
        r'(?:<script\b[^>]*? src|<link\b[^>]*? href|^ *interpreter) ?= ?"([^"]+)"', text, re.M
    )
    loaded += re.findall(r'^ *(?:import|export)\b[^"\n]*"([^"]+)";?$|\bimport\("([^"]+)"\)', text, re.M)
    configured = text.count("</py-config>") + text.count("\n# pyscript.toml\n")

    for place in ("".join(found) for found in loaded):
        assert not re.match(r"[a-z+.-]+:|//", place), place
    assert configured <= len(re.findall("^ *interpreter = ", text, re.M))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_the_pinned_run_times(path):
    """Each npm package of the page, where it is named with a version, has that of package.json."""
    for name, version in NPM["dependencies"].items():
        named = re.findall(rf"(?<![\w/]){re.escape(name)}@([\w.^~*-]+)", path.read_text(encoding="utf-8"))
        assert {version} >= set(named), path


def test_the_first_page_says_which_run_times_it_is_for():
    """README's page names both, with their versions."""
    for readme in ("README.md", "README.zh-CN.md"):
        page = (ROOT / readme).read_text(encoding="utf-8").partition("```html\n")[2].partition("```")[0]
        for name, version in NPM["dependencies"].items():
            assert f"{name}@{version}" in page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_page_has_what_boot_js_writes_to(path):
    """Every element that boot.js looks up is in every page that loads it."""
    wanted = set(re.findall(r'byId\("([\w-]+)"\)', (ROOT / "static" / "boot.js").read_text()))

    assert wanted
    assert wanted <= set(re.findall(r'id="([\w-]+)"', path.read_text()))


def test_a_page_names_each_element_once():
    """Ids are unique, and every `for` and `aria-…by` names one."""
    text = (ROOT / "index.html").read_text()
    ids = re.findall(r'\bid="([\w-]+)"', text)
    references = re.findall(r'\b(?:for|aria-labelledby|aria-describedby)="([\w-]+)"', text)

    assert sorted(set(ids)) == sorted(ids)
    assert set(references) <= set(ids)


def test_the_versions_agree():
    """The library, the npm manifest, the changelog's newest entry, and each page that names the wheel."""
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    pages = [PAGE_FOLDER / "wheel.toml", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {
        path.relative_to(ROOT).as_posix(): set(
            re.findall(r"silent_refresh-([^-\s]+)-py3", path.read_text(encoding="utf-8"))
        )
        for path in pages
    }
    wheels = {name: versions for name, versions in named.items() if versions}

    assert newest is not None
    assert silent_refresh.__version__ == newest[1] == NPM["version"]
    assert {"README.md", "README.zh-CN.md", "docs/guide.md", "tests/e2e/page/wheel.toml"} <= wheels.keys()
    for name, versions in wheels.items():
        assert {silent_refresh.__version__} == versions, name


def test_ci_runs_what_a_developer_runs():
    """`.ci/run` is executable and runs `make check` and `make test`."""
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert ["make check", "make test"] == re.findall(r"^make .*", script.read_text(), re.MULTILINE)
