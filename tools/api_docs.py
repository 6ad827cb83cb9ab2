"""Write docs/api.md out of the docstrings: the names that ``silent_refresh`` exports, and what they are.

Run by ``make docs``. The code is read, not run (griffe), so the page is the same on every Python; ruff
lays it out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
PACKAGE = "silent_refresh"
# In the order in which a reader meets them, by the module that ``silent_refresh`` takes them from; a module
# that isn't here comes after, under its own name.
CHAPTERS = {
    "auth": "Staying signed in",
    "client": "Sending requests",
    "http.messages": "Requests and responses",
    "session.tokens": "Tokens",
    "protocol.endpoint": "How a server renews tokens",
    "adapters": "Ways in for other code",
    "stores": "Where tokens are kept",
    "platform.ports": "Stores of your own",
    "platform.platform": "Platforms of your own",
    "events": "Events",
    "errors": "Errors",
}
WITH_PROLOGUE = ("errors", "events")  # whose module docstring is for readers of the page too
HEAD = """# API reference

Written by `make docs` from the docstrings: change those, not this page. Everything here is imported from
`silent_refresh` itself. What is `async def` has to be awaited; signatures are shown without `self`.
"""


def render(root: Path = ROOT) -> str:
    """Return the text of docs/api.md for the sources under `root`."""
    package = griffe.load(PACKAGE, search_paths=[root / "app"], allow_inspection=False, resolve_aliases=True)
    assert isinstance(package, griffe.Module)
    chapters: dict[str, list[griffe.Object]] = {name: [] for name in CHAPTERS}
    for name in package.exports or []:
        alias = package.members[str(name)]
        assert isinstance(alias, griffe.Alias)
        module = alias.target_path.removeprefix(f"{PACKAGE}.").rpartition(".")[0]
        chapters.setdefault(module, []).append(alias.final_target)
    parts = [HEAD, "".join(_contents(chapters))]
    for module, things in chapters.items():
        if things:
            parts.append(f"## {_title(module)}\n")
            prologue = package[module].docstring
            if module in WITH_PROLOGUE and prologue is not None:
                parts.append(prologue.value + "\n")
            parts += [part for thing in sorted(things, key=_line) for part in _document(thing)]
    return _laid_out("\n".join(parts))


def _title(module: str) -> str:
    return CHAPTERS.get(module, module.replace("_", " ").capitalize())


def _contents(chapters: dict[str, list[griffe.Object]]) -> Iterator[str]:
    for module, things in chapters.items():
        if things:
            names = ", ".join(
                f"[`{thing.name}`](#{thing.name.lower()})" for thing in sorted(things, key=_line)
            )
            yield f"- {_title(module)}: {names}\n"


def _line(thing: griffe.Object) -> int:
    return thing.lineno or 0


def _document(thing: griffe.Object) -> Iterator[str]:
    yield f"### {thing.name}\n"
    if isinstance(thing, griffe.Function):
        yield _code(_signature(thing))
    else:
        assert isinstance(thing, griffe.Class)
        yield _code(_outline(thing))
    yield _words(thing)
    inherited = [alias.final_target for alias in thing.inherited_members.values()]
    for member in (*thing.members.values(), *inherited):
        if isinstance(member, griffe.Object) and not member.name.startswith("_") and _is_callable(member):
            yield f"#### {thing.name}.{member.name}\n"
            yield _code(_signature(member))
            yield _words(member)


def _is_callable(member: griffe.Object) -> bool:
    return isinstance(member, griffe.Function) or "property" in member.labels


def _words(thing: griffe.Object) -> str:
    return thing.docstring.value + "\n" if thing.docstring else ""


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


def _outline(thing: griffe.Class) -> str:
    """Return the class statement, with what its instances are made from or consist of."""
    bases = ", ".join(map(str, thing.bases))
    head = f"class {thing.name}({bases}):" if bases else f"class {thing.name}:"
    init = thing.members.get("__init__")
    if "errors" in thing.module.path:
        return head + " ..."  # the library makes those
    if isinstance(init, griffe.Function):
        return f"{head}\n    {_signature(init)}"
    fields = [
        f"    {field.name}: {field.annotation}" + (f" = {field.value}" if field.value is not None else "")
        for field in thing.members.values()
        if isinstance(field, griffe.Attribute) and field.annotation is not None and not _is_callable(field)
    ]
    return "\n".join([head, *fields]) if fields else head + " ..."


def _signature(thing: griffe.Object) -> str:
    """Return the def statement, or a property's name and type; ruff breaks it into lines."""
    if isinstance(thing, griffe.Attribute):
        return f"{thing.name}: {thing.annotation}"
    assert isinstance(thing, griffe.Function)
    decorators = "".join(f"@{decorator.value}\n" for decorator in thing.decorators)
    start = "async def" if "async" in thing.labels else "def"
    return decorators + f"{start} {thing.signature()}: ..."


def _laid_out(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PAGE), "-"]
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
