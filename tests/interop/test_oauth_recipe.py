"""docs/recipes/oauth.md does what it says: its code, as it stands, against real servers."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.page_python import PagePython
from tests.interop.conftest import ServerOf
from tests.interop.presets import OAUTH2

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
EXAMPLE = "https://id.example.com"
ADD_ELEMENTS = """elements => elements.forEach(([tag, id]) => {
    const element = document.createElement(tag);
    element.id = element.textContent = id;
    document.querySelector("main").append(element);
})"""


def blocks(name: str, kind: str) -> list[str]:
    """Return the blocks of one kind in a recipe."""
    text = (RECIPES / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


async def run_recipe(source, call):
    from pyodide.code import eval_code_async

    return await eval_code_async(f"{source}\n{call}", {"__name__": "__main__"})


def load(page_python: PagePython, url: str) -> None:
    """Do what a browser does with the recipe's page."""
    [html] = blocks("oauth.md", "html")
    page_python.page.evaluate(ADD_ELEMENTS, re.findall(r'<(\w+) id="([\w-]+)"', html))
    page_python(run_recipe, "\n".join(blocks("oauth.md", "python")).replace(EXAMPLE, url), "None")


def test_the_page_signs_in_and_out(page_python: PagePython, server_of: ServerOf, base_url: str) -> None:
    """Nobody, the way there and back, somebody, and nobody again."""
    url = server_of(OAUTH2, "--allow-origin", base_url).url
    page = page_python.page
    who = page.locator("#who")

    load(page_python, url)
    expect(who).to_have_text("Nobody is signed in.")
    page.get_by_role("button", name="sign-in").click()
    expect(page).to_have_url(re.compile("[?&]state="))
    page_python.wait_until_ready()

    load(page_python, url)
    expect(who).to_have_text("Hello, demo")
    assert "?" not in page.url
    page.get_by_role("button", name="sign-out").click()
    expect(who).to_have_text("Nobody is signed in.")
    page_python.open()  # without these elements, for whoever comes next
