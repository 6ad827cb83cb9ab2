"""Nothing that is read can freeze the page, whoever wrote it: the steps grow with the length, no faster."""

from __future__ import annotations

import ast
import base64
import re
import re._parser as sre  # no public module tells what a pattern is made of
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import silent_refresh
from silent_refresh import AuthorizationError, Headers, Request, Response, Tokens
from silent_refresh.http.challenges import parse_challenges, refuses_token
from silent_refresh.http.json import parse_json
from silent_refresh.http.links import parse_links
from silent_refresh.protocol.words import result_of_status
from tests.unit.steps import Counted, Steps
from tests.world.browser import ORIGIN, Tab
from tests.world.provider import Provider, discovered

PACKAGE = Path(silent_refresh.__file__).parent
REQUEST = Request("GET", "/api/me")
PIECES = [
    "a",
    "a ",
    " ",
    ",",
    "=",
    '"',
    "\\",
    '\\"',
    "@",
    "a=",
    'a="',
    'a="b",',
    "[",
    "]",
    "{",
    '["]",',
    "[]",
]
PIECES += [
    "a:b\n",
    "\n",
    ":",
    "\x85",
    "9",
    "0",
    "-",
    ".",
    "%2F",
    "&",
    "&next=/",
    "?",
    "/",
    "a=b&",
    "Mon, ",
    "ٱ",
]


def _header(name: str) -> Callable[[str], Response]:
    return lambda text: Response(503, Headers({name: text}), "/refresh", REQUEST)


def _claims(text: str) -> Tokens:
    return Tokens("a." + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + ".c")


PARSERS: dict[str, Callable[[str], object]] = {
    "WWW-Authenticate": parse_challenges,
    "WWW-Authenticate of a 401": lambda text: refuses_token(
        Response(401, Headers({"WWW-Authenticate": text + "insufficient_scope"}), "/api/me", REQUEST)
    ),
    "Link": lambda text: [
        parse_links(text),
        parse_links(Counted("<" + text)),
        parse_links(Counted("<>" + text)),
    ],
    "JSON": parse_json,
    "JSON after a deep beginning": lambda text: parse_json(Counted("[" * 600 + text)),
    "JSON after a string that doesn't end": lambda text: parse_json(Counted("[" * 600 + '"' + text)),
    "header fields": lambda text: Response(200, text, "/api/me", REQUEST).headers,
    "Retry-After": lambda text: result_of_status(_header("Retry-After")(text), 0.0),
    "Date": lambda text: result_of_status(
        Response(
            503,
            Headers({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": text}),
            "/refresh",
            REQUEST,
        ),
        0.0,
    ),
    "a token": lambda text: Tokens(text),
    "the claims of a JWT": _claims,
    "a life": lambda text: Tokens("a", expires_in=text),
}


def _steps(parse: Callable[[str], object], text: str) -> int:
    with Steps() as steps, suppress(ValueError):
        parse(Counted(text))
    return steps.taken


@pytest.mark.parametrize("parser", PARSERS)
def test_a_text_of_twice_the_length_takes_twice_the_steps(parser: str) -> None:
    """Whatever it repeats."""
    for piece in PIECES:
        short, long = (_steps(PARSERS[parser], piece * count) for count in (1_000, 2_000))

        assert long <= 2.1 * short + 100, piece


async def test_an_address_of_twice_the_length_takes_twice_the_steps(tab: Tab, provider: Provider) -> None:
    """The way back from the login, and the answer of a provider: anybody can make a link."""
    auth = await discovered(tab)
    for piece in PIECES:
        taken: list[int] = []
        for count in (1_000, 2_000):
            tab.url = Counted(f"{ORIGIN}/login?code=1&state=2&next={piece * count}")
            with Steps() as steps, suppress(AuthorizationError):
                auth.next_path()
                await auth.complete_authorization()
            taken.append(steps.taken)

        assert taken[1] <= 2.1 * taken[0] + 1_000, piece


def _patterns() -> Iterator[tuple[str, ast.expr]]:
    """Yield where the library uses a pattern, how, and what the pattern is."""
    for module in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                if called.startswith("re."):
                    yield called, node.args[0]


def _repeats(pattern: Any) -> Iterator[tuple[object, Any]]:
    """Yield what a parsed pattern repeats without an end."""
    for operator, argument in pattern:
        if str(operator) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, repeated = argument
            if most is sre.MAXREPEAT:
                yield operator, repeated
            yield from _repeats(repeated)
        elif str(operator) == "SUBPATTERN":
            yield from _repeats(argument[-1])
        elif str(operator) == "BRANCH":
            for branch in argument[1]:
                yield from _repeats(branch)
        elif str(operator) in ("ASSERT", "ASSERT_NOT"):
            yield from _repeats(argument[1])


def test_no_pattern_of_the_library_looks_twice() -> None:
    """Each is tried at one place, and repeats without an end one class of characters, once."""
    found = list(_patterns())

    assert {"re.compile", "re.fullmatch"} >= {called for called, _ in found}
    for _, pattern in found:
        repeats = list(_repeats(sre.parse(ast.literal_eval(pattern), re.VERBOSE)))
        assert len(repeats) <= 1, ast.unparse(pattern)
        assert all(1 == len(repeated) for _, repeated in repeats)


SEARCHES = {"search", "finditer", "findall", "sub", "subn", "splitlines"}
PARSES = {"loads", "load", "raw_decode", "JSONDecoder", "literal_eval"}


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_foreign_text_is_parsed_in_one_module(module: Path) -> None:
    """http/json.py knows depths, numbers and strings without an end; nobody searches with a pattern."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert not SEARCHES & named
    assert not PARSES & named or module == PACKAGE / "http" / "json.py"
