"""What the docs say about the project and about each other, and could say wrongly after a change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import api_docs

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<inline>[^()\s]+)\)|(?:src|href)=\"(?P<html>[^\"]+)\"")


def test_the_api_reference_is_up_to_date():
    """docs/api.md is what `make docs` writes."""
    assert api_docs.render() == api_docs.PAGE.read_text(encoding="utf-8"), "run make docs"


def test_the_api_reference_has_every_public_name():
    """Each exported name has a heading, and its docstring's first line stands below."""
    import silent_refresh

    text = api_docs.PAGE.read_text(encoding="utf-8")

    for name in silent_refresh.__all__:
        first_line = (getattr(silent_refresh, name).__doc__ or "").partition("\n")[0]
        assert first_line, name
        assert first_line in text.partition(f"\n### {name}\n")[2], name


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives to a page's headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def relative_links(page: Path) -> Iterator[str]:
    """Yield the links of a page that lead to this project, code left out."""
    for link in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = link["inline"] or link["html"]
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(document):
    """To a file of the project, and to a heading in it where the link names one."""
    for target in relative_links(document):
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def test_every_page_can_be_reached_from_the_readme():
    """Following links from README leads to each page of docs/."""
    found, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        todo += [(page.parent / target.partition("#")[0]).resolve() for target in relative_links(page)]

    assert set(PAGES) <= found


ALIKE = {
    "code": r"^```.*?^```$",
    "commands": r"^    (?:\S+ ?)+(?=  )",
    "headings": r"^#+(?= )",
    "rows": r"^(?:\||- )",
    "links": r"\]\(((?!README)[^()\s]+)\)",
}


@pytest.mark.parametrize("what", ALIKE)
def test_the_chinese_readme_is_built_as_the_english_one_is(what):
    """It has the same code, commands, levels of headings, rows and items, and links, in the same order."""
    english, chinese = (
        re.findall(ALIKE[what], (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    )

    assert english
    assert english == chinese
