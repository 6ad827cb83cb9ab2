"""Runs the code of a Markdown page in a browser's page, from top to bottom, as one scenario.

| in the Markdown               | what is done with it                                                    |
| ----------------------------- | ----------------------------------------------------------------------- |
| a fenced block ``python``     | run in the page, with top-level await; all blocks share their names     |
| a fenced block ``js``         | run in the page as the body of an async function                        |
| ``<!-- python`` … ``-->``     | run as well, but not shown: what the reader needn't see; ``js`` likewise |
| a fenced block ``text``       | has to be what was printed since the last such block                    |
| any other fenced block        | left alone                                                              |

The demo user is signed in: the page's ``SilentRefresh()`` finds the session in localStorage. What isn't shown
may use the server's switches: ``await lab("expire")``, ``(await lab.counters())["refresh"]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.page_session import PageSession
from tests.e2e.patience import PATIENCE

BLOCK = re.compile(
    r"^```(?P<kind>\w+)[^\n]*\n(?P<shown>.*?)^```$|^<!-- (?P<silent>python|js)\n(?P<hidden>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One piece of code or output; ``line`` is that of its first line in the page."""

    kind: str
    text: str
    line: int


def read_blocks(text: str) -> list[Block]:
    """Return the blocks of a Markdown text, in order."""
    blocks = []
    for found in BLOCK.finditer(text):
        part = "hidden" if found["kind"] is None else "shown"
        line = text.count("\n", 0, found.start(part)) + 1
        blocks.append(Block(found["kind"] or found["silent"], found[part], line))
    return blocks


async def prepare(given):
    import json
    import sys
    from types import SimpleNamespace

    import js
    from opened import auth
    from pyodide.ffi import to_js

    async def lab(switch, **order):
        headers = {"Content-Type": "application/json"}
        options = to_js({"method": "POST", "headers": headers, "body": json.dumps(order)})
        answer = await js.fetch(f"/lab/{switch}", options)
        assert answer.ok, switch

    async def counters():
        return (await (await js.fetch("/lab/counters")).json()).to_py()

    class Printed(list):
        write = list.append

        def flush(self):
            pass

    lab.counters = counters
    names = {"__name__": "__main__", "lab": lab, **given}
    sys.modules["scenario"] = SimpleNamespace(names=names, stdout=sys.stdout)
    sys.stdout = Printed()
    auth.close()  # it has signed in; the page makes its own


async def run_block(source, filename, line):
    import linecache

    from pyodide.code import eval_code_async
    from scenario import names

    text = "\n" * (line - 1) + source
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    await eval_code_async(text, names, filename=filename)


async def take_printed():
    import sys

    text = "".join(sys.stdout)
    sys.stdout.clear()
    return text


async def finish():
    import sys

    from scenario import stdout

    sys.stdout = stdout


class Scenario:
    """Blocks that are run in the page of an opened session and share their names; ``given`` are JSON.

    The name ``filename``, and a block's line, are what tracebacks show.
    """

    def __init__(self, session: PageSession, filename: str, **given: Any) -> None:
        self._session = session
        self._filename = filename
        self._given = given

    def __enter__(self) -> Scenario:
        self._session.python(prepare, self._given)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.python(finish)

    def run(self, blocks: Iterable[Block], *, timeout: float = PATIENCE) -> None:
        """Run blocks, each within ``timeout`` (s).

        Raises ``PagePythonError``, or ``AssertionError`` where something else was printed.
        """
        python = self._session.python
        for block in blocks:
            if block.kind == "python":
                python(run_block, block.text, self._filename, block.line, timeout=timeout)
            elif block.kind == "js":
                self._session.page.evaluate(f"async () => {{ {block.text} }}")
            elif block.kind == "text":
                printed = python(take_printed)
                assert block.text == printed, f"{self._filename}, line {block.line}: it printed\n{printed}"


def run_markdown(session: PageSession, path: Path) -> None:
    """Run a Markdown file from top to bottom, in the page of an opened session."""
    with Scenario(session, path.name) as scenario:
        scenario.run(read_blocks(path.read_text(encoding="utf-8")))
