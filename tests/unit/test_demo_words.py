"""The demo's texts: two languages that say the same things, and a page that says them too."""

from __future__ import annotations

import json
import re
import string
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from demo import chinese, english
from demo.claims import CLAIMS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "index.html").read_text()
CODE = sorted(set((ROOT / "app" / "demo").glob("*.py")) - {Path(english.__file__), Path(chinese.__file__)})
SOURCE = "\n".join(path.read_text() for path in CODE)
# Keys that are put together: the code has their first part.
FAMILIES = (
    "error-",
    "reason-",
    "kind-",
    "story-",
    "refresh-",
    "group-",
    "button-",
    "note-",
    "claim-",
    "told-",
    "result-",
    "theft-",
    "way-",
    "ways-",
)


class Marked(HTMLParser):
    """Collects the text of each element that is to be put into words."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self._mark = mark
        self._key: str | None = None

    def handle_starttag(self, tag, attributes):
        self._key = dict(attributes).get(self._mark)
        if self._key:
            self.texts.append((self._key, ""))

    def handle_data(self, data):
        if self._key:
            key, text = self.texts.pop()
            self.texts.append((key, text + data))

    def handle_endtag(self, tag):
        self._key = None


def marked(mark: str) -> list[tuple[str, str]]:
    """Return the keys and texts of index.html that have this mark."""
    parser = Marked(mark)
    parser.feed(PAGE)
    return parser.texts


def placeholders(text: str) -> set[str | None]:
    """Return the names of what is filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(text)} - {None}


@pytest.fixture(scope="module")
def start() -> dict[str, dict[str, str]]:
    """Return the texts of static/words.js by language, as JavaScript reads them."""
    code = 'import("./static/words.js").then(({ TEXTS }) => console.log(JSON.stringify(TEXTS)))'
    ran = subprocess.run(["node", "-e", code], cwd=ROOT, capture_output=True, text=True, check=True)
    texts: dict[str, dict[str, str]] = json.loads(ran.stdout)
    return texts


def test_both_languages_have_the_same_texts():
    """Whatever can be said in English can be said in Chinese, with the same figures filled in."""
    assert list(english.TEXTS) == list(chinese.TEXTS)
    for key, text in english.TEXTS.items():
        assert placeholders(text) == placeholders(chinese.TEXTS[key]), key


def test_the_start_has_the_same_texts_in_both_languages(start):
    """So has what is said before Python is loaded."""
    assert ["en", "zh-CN"] == list(start)
    assert list(start["en"]) == list(start["zh-CN"])
    for key, text in start["en"].items():
        assert placeholders(text) == placeholders(start["zh-CN"][key]), key


def test_the_page_says_what_english_says(start):
    """The page reads well before any script runs: it has the very texts."""
    for mark, texts in (("data-words", english.TEXTS), ("data-start", start["en"])):
        assert marked(mark)
        for key, text in marked(mark):
            assert texts[key] == text, key


def test_the_chinese_name_of_it(start):
    """Silent refresh is known as 无感刷新."""
    assert "无感刷新" == start["zh-CN"]["title"]


def test_chinese_has_chinese_punctuation(start):
    """No half-width comma, colon or bracket stands beside a Chinese character."""
    for key, text in [*chinese.TEXTS.items(), *start["zh-CN"].items()]:
        assert not re.search(r"[\u4e00-\u9fff][,:;?()]|[,:;?()][\u4e00-\u9fff]", text), key


def test_every_text_is_used():
    """A text that nothing asks for is gone."""
    asked_for = {key for key in english.TEXTS if f'"{key}"' in SOURCE or key.startswith(FAMILIES)}

    assert set() == set(english.TEXTS) - asked_for - set(dict(marked("data-words")))


def test_every_text_of_the_start_is_used(start):
    """Nor is there one of the start that neither the page nor boot.js asks for."""
    script = (ROOT / "static" / "boot.js").read_text()
    asked_for = {key for key in start["en"] if f'"{key.removeprefix("remedy-")}"' in script}

    assert set() == set(start["en"]) - asked_for - set(dict(marked("data-start")))


def test_every_claim_has_its_sentence():
    """What an experiment claims can be read."""
    assert {f"claim-{claim}" for claim in CLAIMS} == {
        key for key in english.TEXTS if key.startswith("claim-")
    }
