"""docs/recipes/requests.md runs in a page that has requests, and names the wheels that it runs with."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.e2e.markdown import run_markdown
from tests.e2e.page_packages import REQUESTS, give_packages
from tests.e2e.page_session import PageSession
from tests.e2e.running_server import Lab

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "requests.md"


@pytest.mark.needs("stack switching")
def test_the_recipe_does_what_it_says(fresh_page, lab: Lab) -> None:
    """From top to bottom; pyodide-http can't be taken back, so in a page of its own."""
    page = fresh_page()
    give_packages(page)
    session = PageSession(page)
    session.open(lab.sign_in())

    run_markdown(session, RECIPE)


def test_the_recipe_names_the_wheels() -> None:
    """All that requests needs, in the versions that the tests have."""
    named = dict(re.findall(r"wheels/(\w+)-([\d.]+)-py3-none-any\.whl", RECIPE.read_text(encoding="utf-8")))

    assert {name: version(name) for name in REQUESTS} == named
