"""The recipes of docs/recipes and the migration page do what they say: each is run from top to bottom.

How a page is written so that it can be run says ``tests/e2e/markdown.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.markdown import Block, read_blocks, run_markdown
from tests.e2e.page_python import PagePythonError
from tests.e2e.page_session import PageSession

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "docs" / "recipes").glob("*.md"))
# What needs another page or server than these tests have, and the test that has it.
RUN_ELSEWHERE = {
    "httpx.md": "tests/e2e/test_httpx.py",
    "oauth.md": "tests/interop/test_oauth_recipe.py",
    "requests.md": "tests/e2e/test_requests_recipe.py",
    "servers.md": "tests/interop/test_servers_recipe.py",
    "testing.md": "tests/unit/test_testing_kit.py",
    "websocket.md": "tests/interop/test_live_recipe.py",
    "workers.md": "tests/e2e/test_workers_apart.py",
}
RUN_HERE = [path for path in RECIPES if path.name not in RUN_ELSEWHERE] + [ROOT / "docs" / "migration.md"]


@pytest.mark.parametrize("path", RUN_HERE, ids=lambda path: path.stem)
def test_a_recipe_does_what_it_says(session: PageSession, path: Path) -> None:
    """Its code runs as it stands and prints what the page says."""
    run_markdown(session, path)


@pytest.mark.parametrize("path", RUN_HERE, ids=lambda path: path.stem)
def test_a_recipe_is_checked(path: Path) -> None:
    """Some block says what comes of it, shown to the reader or not."""
    blocks = read_blocks(path.read_text(encoding="utf-8"))

    assert any(block.kind == "text" or "assert " in block.text for block in blocks)


@pytest.mark.parametrize("name", RUN_ELSEWHERE)
def test_a_recipe_that_is_not_run_here_is_run_elsewhere(name: str) -> None:
    """The test that this file leaves it to is there, and names it."""
    assert name in (ROOT / RUN_ELSEWHERE[name]).read_text(encoding="utf-8")


def test_blocks_are_found_in_order() -> None:
    """Shown or not, with the lines that they begin at; the runner leaves other languages alone."""
    text = "# Title\n\n```python\none = 1\n```\n<!-- js\ntwo();\n-->\n```toml title\nx = 1\n```\n"

    assert [
        Block("python", "one = 1\n", 4),
        Block("js", "two();\n", 7),
        Block("toml", "x = 1\n", 10),
    ] == read_blocks(text)


def test_a_wrong_recipe_is_found_out(session: PageSession, tmp_path: Path) -> None:
    """Code that fails tells its line in the Markdown file; so does what was printed otherwise."""
    fails, prints = tmp_path / "fails.md", tmp_path / "prints.md"
    fails.write_text("# Title\n\n```python\nasync with 1:\n    pass\n```\n")
    prints.write_text('```python\nprint("one")\n```\n\n```text\ntwo\n```\n')

    with pytest.raises(PagePythonError, match=r'"fails\.md", line 4'):
        run_markdown(session, fails)
    with pytest.raises(AssertionError, match=r"prints\.md, line 6"):
        run_markdown(session, prints)
