"""What `make conformance` finds in a folder of Web Platform Tests: running them takes more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.files import is_of_tests, page_of, paths_in

PAGE = '<script src="/resources/testharness.js"></script>'
SLOW = "// META: timeout=long\n// META: variant=?1-2\n// META: variant=?3-last\n"
FILES = {
    "fetch/api/any.any.js": "// META: global=window,worker\n// META: script=/common/utils.js\n",
    "fetch/api/only-worker.any.js": "// META: global=worker\n",
    "fetch/api/plain.any.js": "fetch(location);",
    "fetch/api/no-call.any.js": "new Request(location);",
    "fetch/api/slow.window.js": f"{SLOW}fetch(location);",
    "fetch/api/page.html": PAGE,
    "fetch/api/variants.html": f'<meta name="variant" content="?a">{PAGE}',
    "fetch/api/no-test.html": "",
    "fetch/api/secure.https.any.js": "fetch(location);",
    "fetch/api/resources/frame.html": PAGE,
    "resources/testharness.js": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in their format."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_tests_that_call_fetch_in_a_window_are_found(folder: Path) -> None:
    """With each variant, and without what needs TLS or belongs to another test."""
    expected = ["any.any.html", "page.html", "plain.any.html"]
    expected += ["slow.window.html?1-2", "slow.window.html?3-last", "variants.html?a"]

    assert [f"/fetch/api/{name}" for name in expected] == paths_in(folder, "fetch/api")


def test_a_script_has_a_page(folder: Path) -> None:
    """Which loads what the script asks for before it, and tells of its patience."""
    page = page_of(folder / "fetch/api/any.any.js")

    sources = ["/resources/testharness.js", "/common/utils.js", "any.any.js"]
    assert sorted(sources, key=page.index) == sources
    assert '<meta name="timeout" content="long">' in page_of(folder / "fetch/api/slow.window.js")


def test_another_folder_is_known_as_such(folder: Path, tmp_path: Path) -> None:
    """Then the target says how to get the tests."""
    assert is_of_tests(folder)
    assert not is_of_tests(folder / "fetch")
    assert not is_of_tests(None)
