"""The table of docs/recipes/servers.md: what each server says, and so what the tests have met.

    python -m tests.interop.by_name.table      # writes it there

A test compares the two.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from tests.interop.by_name.contracts import CONTRACTS, Contract, Says
from tests.interop.test_misconfigured import MISTAKES
from tests.interop.test_servers_recipe import SECTIONS

RECIPE = Path(__file__).resolve().parents[3] / "docs" / "recipes" / "servers.md"
HEADING = "\n## What each says\n"
FIRST_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STAND_INS = ("Supabase", "A cookie", "Another shape", "A function of your own", "FastAPI")
WORDS = ("error", "__type", "detail", "msg", "message", "code")


def code_of(title: str) -> str:
    """Return the Python of a section."""
    section = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", text(), re.MULTILINE | re.DOTALL)
    assert section is not None, title
    return "\n".join(FIRST_CODE.findall(section[1]))


def text() -> str:
    """Return the recipe."""
    return RECIPE.read_text(encoding="utf-8")


def options_in(code: str) -> int:
    """Count the options that lines of the recipe give an endpoint."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return sum(len(call.keywords) for call in calls if "Endpoint" in ast.unparse(call.func))


def word_in(body: Any) -> str:
    """Return what an answer says in one word, or sentence."""
    if isinstance(body, str):
        return re.sub(r"<.*?>", "", body).strip()
    for value in (body[name] for name in WORDS if name in body):
        if isinstance(value, dict):
            return word_in(value)
        return str(value)
    for value in body.values():
        found = value[0] if isinstance(value, list) and value else value
        if isinstance(found, dict):
            return word_in(found.get("extensions", found))
        if isinstance(found, str):
            return found
    return ""


def shown(answer: Says) -> str:
    """Return an answer as the table shows it."""
    word = word_in(answer.body)
    return f"{answer.status} `{word}`" if word and word != str(answer.status) else str(answer.status)


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return name, options, and the answers to an expired token, a dead one and a mistake."""
    found = []
    for title, preset in SECTIONS.items():
        if title in STAND_INS:
            continue
        told = [mistake[2] for mistake in MISTAKES.values() if mistake[0] is preset]
        mistakes = dict.fromkeys(re.split(r": |, this", text)[0] for text in told)
        answers = (", ".join(dict.fromkeys(f"`{reason}`" for reason in preset.refused)), ", ".join(mistakes))
        refusal = "422" if preset.is_refused else "401"
        found.append((f"**{title}**", str(options_in(code_of(title))), refusal, *answers))
    contract: Contract
    for name, contract in CONTRACTS.items():
        dead = ", ".join(map(shown, contract.dead))
        found.append(
            (name, str(options_in(code_of(name))), shown(contract.refusal), dead, shown(contract.confused))
        )
    return found


def table() -> str:
    """Return the table in Markdown."""
    heads = ("server", "options", "an expired token", "a dead refresh token", "a client that it doesn't know")
    lines = [heads, ("---",) * len(heads), *rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def written() -> str:
    """Return the table that the recipe has."""
    return "".join(re.findall(r"^\|.*\n", text().partition(HEADING)[2].partition("\n## ")[0], re.MULTILINE))


if __name__ == "__main__":
    RECIPE.write_text(text().replace(written(), table()), encoding="utf-8")
