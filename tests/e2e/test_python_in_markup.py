"""Python that somebody got into the page's markup, for data to its policy, for code to PyScript.

Each attack is made twice: with ``own_python.js``, which lets the page's own Python run alone, and without.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browsers.features import OVER_NAMES

GUARD = "/app/silent_refresh/browser/own_python.js"
# What is put in its place: it guards nothing, and is there.
DUD = 'globalThis[Symbol.for("silent-refresh:own-python")] = true'
ROOT = Path(__file__).resolve().parents[2]
(PYODIDE,) = (f"/{path.relative_to(ROOT)}" for path in ROOT.glob("static/vendor/pyodide-*/pyodide.mjs"))
(PYSCRIPT,) = (f"/{path.relative_to(ROOT)}" for path in ROOT.glob("static/vendor/pyscript-*/core.js"))
RUN = "import js; js.tell()"
# A handler is given the event.
TELL = """globalThis.told = [];
globalThis.tell = (name) => {
    document.title = "Python ran";
    told.push(typeof name === "string" ? name : "a press");
};"""
UPLOADED = "/static/uploaded.txt"  # what an API of this origin hands out again, say

# What a hole in the page puts into it, while it's parsed.
IN_THE_PAGE = {
    "py": f'<script type="py">{RUN}</script>',
    "py-script": f"<py-script>{RUN}</py-script>",
    "in capitals": f'<script type="PY">{RUN}</script>',
    "a file": f'<script type="py" src="{UPLOADED}" config="/pyscript.toml"></script>',
    # PyScript's other names for its interpreters; with the page's Pyodide, ...
    "pyodide": f'<script type="pyodide" version="/static/python.mjs">{RUN}</script>',
    # ... with one of its own, and as an element of another name space.
    "another": f'<svg><script type="pyodide" version="{PYODIDE}">{RUN}</script></svg>',
    # All that a handler takes is a name, of whatever the page's Python has at hand.
    "py-click": '<button py-click="js.tell">Press here</button>',
    "a form": '<form py-click="js.tell"><input name="attributes">'
    '<button type="button">Press here</button></form>',
}
# What page code puts into it that holds texts for harmless; the browser's Trusted Types do, too.
LATER = {
    "py-script later": """text => document.body.append(
        Object.assign(document.createElement("py-script"), { textContent: text }))""",
    "text": """text => {
        const script = Object.assign(document.createElement("script"), { type: "py" });
        script.append(text);
        document.body.append(script);
    }""",
    "a pyodide later": """text => {
        const script = Object.assign(document.createElement("script"), { type: "pyodide" });
        script.setAttribute("version", "/static/python.mjs");
        script.append(text);
        document.body.append(document.createElement("div"));
        document.body.lastChild.append(script);
    }""",
    "in a shadow": """text => {
        const script = Object.assign(document.createElement("script"), { type: "py" });
        script.append(text);
        const host = document.body.appendChild(document.createElement("div"));
        host.attachShadow({ mode: "closed" }).append(script);
    }""",
    "a handler": """() => {
        const button = document.createElement("button");
        button.append("Press here");
        document.body.append(button);
        button.setAttribute("py-click", "js.tell");
    }""",
}
# What would blind the guard: names of elements in the place of what is read, another guard that lets more in.
BLIND = {
    "names": "<img name=currentScript>"
    "<form py-click=js.tell><input name=getAttributeNames><input name=querySelectorAll></form>",
    "another guard": f'<script src="{GUARD}" data-python="{UPLOADED}" data-config="/pyscript.toml"></script>',
}
AT_ONCE = f'<script type="module" async src="{PYSCRIPT}"></script>'
# All that PyScript would take: it looks for elements by selectors, which ignore case, for handlers by XPath.
LEFT = """() => {
    const scripts = [...document.querySelectorAll("script[type*=py i]")];
    const found = document.evaluate(
        "//*[@*[contains(name(), 'py-') or contains(name(), 'pyodide-')]] | //py-script",
        document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    return [scripts.map((tag) => tag.getAttribute("src")), found.snapshotLength];
}"""
CLICKED = {"py-click", "a form", "a handler"}


def naming(name: str, text: str) -> str:
    """Return an attack whose Python tells its name."""
    return text.replace(RUN, f"import js; js.tell('{name}')")


def open_with(page: Page, markup: str, *, guarded: bool = True) -> None:
    """Open the login page with `markup` at the end of its head; without its guard, if that is asked for."""

    def put_in(route: Route) -> None:
        answer = route.fetch()
        text = answer.text().replace("</head>", f"{markup}</head>")
        if not guarded:
            text = re.sub(rf'(<script src="{GUARD}") integrity="[^"]*"', r"\1", text)
        route.fulfill(response=answer, body=text)

    page.route(re.compile(r"/login(\?|$)"), put_in)
    page.route(f"**{UPLOADED}", lambda route: route.fulfill(body=naming("a file", RUN)))
    if not guarded:
        page.route(f"**{GUARD}", lambda route: route.fulfill(content_type="text/javascript", body=DUD))
    page.add_init_script(TELL)
    page.goto("/login")


def open_started(page: Page, markup: str, *, guarded: bool = True) -> None:
    """The same, and wait until it has started."""
    open_with(page, markup, guarded=guarded)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def try_it(page: Page, name: str) -> None:
    """Do what the attack is made of, once the page has started."""
    if name in LATER:
        page.evaluate(LATER[name], RUN)
    if name in CLICKED:
        page.get_by_role("button", name="Press here").click()


@pytest.mark.parametrize("attacks", [IN_THE_PAGE, LATER], ids=["in the page", "later"])
def test_python_in_the_markup_would_run(page, attacks):
    """What is refused below is no dud: without the guard, the policy lets each run."""
    markup = "".join(naming(name, IN_THE_PAGE[name]) for name in attacks if name in IN_THE_PAGE)
    open_started(page, markup, guarded=False)
    for name in attacks:
        if name in LATER:
            page.evaluate(LATER[name], naming(name, RUN))
    for button in page.get_by_role("button", name="Press here").all():
        button.click()

    expected = sorted("a press" if name in CLICKED else name for name in attacks)
    page.wait_for_function("(count) => told.length >= count", arg=len(expected))
    assert expected == sorted(page.evaluate("told"))


def expect_only_own_python(page: Page) -> None:
    """Expect that PyScript finds the page's own script alone, and that nothing else ran."""
    assert [["/app/demo/main.py"], 0] == page.evaluate(LEFT)
    expect(page).to_have_title("Silent refresh")


def expect_to_run_as_ever(page: Page) -> None:
    """Expect that, and a page that has started."""
    expect_only_own_python(page)
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("name", [*IN_THE_PAGE, *LATER])
def test_python_in_the_markup_does_not_run(page, name):
    """It is refused before PyScript sees it, the console says so, and the page starts all the same."""
    with page.expect_console_message(lambda said: "Python in the page's markup was refused" in said.text):
        open_started(page, IN_THE_PAGE.get(name, ""))
        try_it(page, name)

    expect_to_run_as_ever(page)


@pytest.mark.parametrize("blind", BLIND)
def test_the_guard_sees_all_the_same(page, blind, lacking):
    """Nor does anything in the markup blind it."""
    open_with(page, BLIND[blind] + "".join(IN_THE_PAGE.values()))
    started = page.get_by_role("button", name="Sign in")
    expect(started.or_(page.get_by_role("alert"))).to_be_visible()

    if blind == "names" and OVER_NAMES in lacking:
        expect_only_own_python(page)  # PyScript, which defines currentScript, stops there
    else:
        expect(started).to_be_visible()
        expect_to_run_as_ever(page)


def test_pyscript_before_the_page_asks_for_it(page):
    """The page may be unable to start then, and says so; nothing but its own Python runs all the same."""
    open_with(page, AT_ONCE + "".join(IN_THE_PAGE.values()))
    expect(page.get_by_role("button", name="Sign in").or_(page.get_by_role("alert"))).to_be_visible()

    expect_only_own_python(page)


def test_no_text_of_the_pages_own_script_runs(page):
    """PyScript runs what is in a script whose file doesn't come."""
    markup = f'<script type="py" src="/app/demo/main.py" config="/pyscript.toml">{RUN}</script>'
    page.route("**/app/demo/main.py", lambda route: route.fulfill(status=404))
    page.add_init_script(TELL)
    page.route(
        re.compile(r"/login(\?|$)"),
        lambda route: route.fulfill(
            response=(answer := route.fetch()), body=answer.text().replace("</head>", f"{markup}</head>")
        ),
    )
    page.goto("/login")

    expect(page.get_by_role("alert")).to_be_visible()
    assert "" == page.evaluate(
        "() => [...document.querySelectorAll('script[type=py]')].map((s) => s.text).join('')"
    )
