"""The page and its files: what is served, how it is cached, and what stays hidden."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.server.site import Site

FILES = {
    "index.html": "<!doctype html>",
    "pyscript.toml": "packages = []",
    "static/style.css": "a{}",
    "static/icon.svg": "<svg/>",
    "static/boot.js": "1",
    "static/.ready": "",
    "static/notes.md": "no type known",
    "static/vendor/tool-1.0/core.js": "2" * 100,
    "static/vendor/tool-1.0/core.wasm": "3",
    "static/wheels/a-1-py3-none-any.whl": "4",
    "app/silent_refresh/__init__.py": "5",
    "app/silent_refresh/browser/bridge.js": "6",
    "app/silent_refresh/__pycache__/a.pyc": "7",
    "app/demo/main.py": "8",
    "app/__init__.py": "hidden",
    "app/server/__init__.py": "hidden",
    "data/signing.key": "hidden",
    "README.md": "hidden",
    "pyproject.toml": "hidden",
    "tests/server/site.py": "hidden",
    "tests/e2e/page/index.html": "<!doctype html>",
    "tests/e2e/test_it.py": "hidden",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with a little of everything."""
    project = tmp_path / "project"
    for name, content in FILES.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return project


@pytest.fixture
async def pages(project: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A server over the project folder, without a lab."""
    async with Site(project, data=tmp_path / "data", lab=False) as site:
        yield site


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/login", "text/html; charset=utf-8"),
        ("/login?next=/notes", "text/html; charset=utf-8"),
        ("/pyscript.toml", "application/toml"),
        ("/static/style.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/static/boot.js", "text/javascript; charset=utf-8"),
        ("/static/vendor/tool-1.0/core.wasm", "application/wasm"),
        ("/static/wheels/a-1-py3-none-any.whl", "application/zip"),
        ("/app/silent_refresh/__init__.py", "text/x-python; charset=utf-8"),
        ("/app/silent_refresh/browser/bridge.js", "text/javascript; charset=utf-8"),
        ("/app/demo/main.py", "text/x-python; charset=utf-8"),
    ],
)
async def test_a_file_comes_with_its_type(pages: Site, path: str, media_type: str) -> None:
    """Browsers refuse modules and WebAssembly of the wrong type."""
    response = await pages.http.get(path)

    assert (200, media_type) == (response.status_code, response.headers["Content-Type"])


@pytest.mark.parametrize(
    "path",
    [
        "/app/server/__init__.py",
        "/app/demo/../server/__init__.py",
        "/app/demo/%2e%2e/server/__init__.py",
        "/app/demo/..%2fserver/__init__.py",
        "/app/demo//main.py",
        "/app/demo/./main.py",
        "/app/__init__.py",
        "/app/demo",
        "/app/demo/",
        "/static/../README.md",
        "/static/%2e%2e/README.md",
        "/static/..%5cREADME.md",
        "/static/style.css%00",
        "/static/" + "x" * 5000 + ".css",
        "/static/.ready",
        "/static/notes.md",
        "/app/silent_refresh/__pycache__/a.pyc",
        "/data/signing.key",
        "/pyproject.toml",
        "//etc/passwd",
        "/tests/server/site.py",
        "/tests/e2e/page/index.html",
        "/index.html/",
        "/LOGIN",
    ],
)
async def test_nothing_else_exists(pages: Site, path: str) -> None:
    """The server's own code, keys, dot files, other folders and every way around."""
    assert 404 == await pages.hand_over(path)
    assert 404 == await pages.hand_over(unquote(path))


async def test_the_lab_shows_the_test_pages(project: Path, tmp_path: Path) -> None:
    """Of the tests it has their pages, and only them."""
    async with Site(project, data=tmp_path / "data") as site:
        assert 200 == (await site.http.get("/tests/e2e/page/index.html")).status_code
        assert 404 == (await site.http.get("/tests/e2e/test_it.py")).status_code


async def test_a_link_does_not_lead_out(pages: Site, project: Path) -> None:
    """A link to a file elsewhere is not followed."""
    (project / "static/way-out.css").symlink_to(project / "app/server/__init__.py")
    (project / "static/folder").symlink_to(project / "app")

    for path in ("/static/way-out.css", "/static/folder/server/__init__.py"):
        assert 404 == (await pages.http.get(path)).status_code


@pytest.mark.parametrize("path", ["/static/vendor/tool-1.0/core.js", "/static/wheels/a-1-py3-none-any.whl"])
async def test_what_has_a_version_in_its_name_is_kept_for_good(pages: Site, path: str) -> None:
    """A new version has a new name."""
    response = await pages.http.get(path)

    assert "public, max-age=31536000, immutable" == response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/app/demo/main.py", "/pyscript.toml"])
async def test_the_rest_is_asked_for_again(pages: Site, project: Path, path: str) -> None:
    """304 while it is the same, the new content as soon as it changed."""
    first = await pages.http.get(path)
    assert "no-cache" == first.headers["Cache-Control"]

    again = await pages.http.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert (304, b"") == (again.status_code, again.content)
    assert first.headers["ETag"] == again.headers["ETag"]

    name = "index.html" if path == "/" else path.removeprefix("/")
    (project / name).write_text("changed, and longer")
    changed = await pages.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (200, "changed, and longer") == (changed.status_code, changed.text)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "br"),
        ("BR", "br"),
        ("identity", None),
        ("br;q=0, gzip;q=0", None),
        ("br;q=x, gzip;level=1", None),
        ("br;q=nan", None),
        ("", None),
    ],
)
async def test_the_best_coding_that_is_accepted_is_sent(
    pages: Site, project: Path, accepted: str, coding: str | None
) -> None:
    """Zstandard before brotli before gzip before none, each under a tag of its own (RFC 9110 §8.8.3.3)."""
    path = project / "static/vendor/tool-1.0/core.js"
    path.with_name("core.js.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.with_name("core.js.br").write_bytes(b"brotli")
    path.with_name("core.js.zst").write_bytes(b"zstandard")
    request = pages.http.build_request(
        "GET", "/static/vendor/tool-1.0/core.js", headers={"Accept-Encoding": accepted}
    )

    response = await pages.http.send(request, stream=True)
    raw = b"".join([chunk async for chunk in response.aiter_raw()])

    assert coding == response.headers.get("Content-Encoding")
    sent = {"zstd": "core.js.zst", "br": "core.js.br", "gzip": "core.js.gz", None: "core.js"}[coding]
    assert path.with_name(sent).read_bytes() == raw
    assert "text/javascript; charset=utf-8" == response.headers["Content-Type"]
    assert "Accept-Encoding" == response.headers["Vary"]
    assert response.headers["ETag"].endswith(f'-{coding}"' if coding else '-64"')


async def test_an_outdated_coding_is_not_sent(pages: Site, project: Path) -> None:
    """When the file changed after it was compressed, the file itself goes out."""
    path = project / "static/boot.js"
    smaller = path.with_name("boot.js.gz")
    smaller.write_bytes(gzip.compress(b"old"))
    os.utime(smaller, (1, 1))

    response = await pages.http.get("/static/boot.js", headers={"Accept-Encoding": "gzip"})

    assert ("1", None) == (response.text, response.headers.get("Content-Encoding"))


async def test_a_compressed_sibling_is_no_file_of_its_own(pages: Site, project: Path) -> None:
    """It would be sent without its coding."""
    (project / "static/boot.js.gz").write_bytes(gzip.compress(b"1"))

    assert 404 == (await pages.http.get("/static/boot.js.gz")).status_code


async def test_head_answers_without_a_body(pages: Site) -> None:
    """The length is told, the content is not sent."""
    response = await pages.http.head("/static/boot.js")

    assert (200, "1", b"") == (response.status_code, response.headers["Content-Length"], response.content)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
async def test_files_can_only_be_read(pages: Site, method: str) -> None:
    """405 says so."""
    response = await pages.http.request(method, "/static/style.css")

    assert (405, "GET, HEAD") == (response.status_code, response.headers["Allow"])


@pytest.mark.parametrize(
    "value", ["bytes=0-", "bytes=9-1", "bytes=x", "bytes=-", "pages=1", "bytes=" + "0-0," * 500]
)
async def test_an_odd_range_is_no_crash(pages: Site, value: str) -> None:
    """It is met, refused or ignored."""
    response = await pages.http.get("/static/boot.js", headers={"Range": value})

    assert response.status_code in (200, 206, 400, 416)
