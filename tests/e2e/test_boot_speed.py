"""What makes the start of the demo page fast: what the browser keeps of a visit, and what leaves first."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browsers.features import PRELOADS
from tests.e2e.patience import be_patient
from tests.e2e.running_server import ROOT
from tests.e2e.test_boot import sign_in, sign_in_form

VISITS = 8  # within which the browser has made up its mind to keep what it compiles; mostly at the second


@pytest.mark.needs("Zstandard as a content coding")
def test_large_files_come_in_the_coding_that_is_unpacked_fastest(page):
    """What the browser unpacks at each start comes in Zstandard; brotli takes three times as long."""
    codings: dict[str, str | None] = {}
    page.on(
        "response", lambda it: codings.update({it.url.rpartition("/")[2]: it.headers.get("content-encoding")})
    )
    page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()
    large = ("pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "page.zip")

    assert dict.fromkeys(large, "zstd") == {name: codings[name] for name in large}


def test_webassembly_is_not_preloaded(page):
    """Pyodide fetches its WebAssembly: of a preloaded one the browser never finds the compiled code again."""
    page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()
    initiators = page.evaluate(
        """() => performance.getEntriesByType("resource")
            .filter(({ name }) => name.endsWith(".wasm")).map(({ initiatorType }) => initiatorType)"""
    )

    assert ["fetch"] == initiators


TELL_WHAT_IS_READ = """
import sys
import js
from pyodide.ffi import create_proxy
js.isRead = create_proxy(lambda: "demo.dashboard" in sys.modules)
"""
ASK_AT_FETCH = """
    const { fetch } = window;
    window.fetch = (url, init) => {
        if (new Request(url).url.includes("/api/")) window.wasRead ??= window.isRead();
        return fetch(url, init);
    };
"""


def test_the_first_request_leaves_before_the_dashboard_is_read(warm_page):
    """Its answer is on its way while Python imports what will show it."""
    warm_page.goto("/login")
    sign_in(warm_page)
    main = (ROOT / "app/demo/main.py").read_text(encoding="utf-8")
    warm_page.route("**/app/demo/main.py", lambda route: route.fulfill(body=TELL_WHAT_IS_READ + main))
    warm_page.add_init_script(ASK_AT_FETCH)
    warm_page.reload()
    expect(warm_page.get_by_role("button", name="Sign out")).to_be_visible()

    assert warm_page.evaluate("window.wasRead") is False


@pytest.mark.needs("Chromium's DevTools protocol")
def test_pyodides_script_is_compiled_once(browser_type, browser_type_launch_args, base_url, tmp_path):
    """Chromium takes what it compiled of it on an early visit; of a module it would compile all anew."""
    taken = 0
    with browser_type.launch_persistent_context(
        tmp_path, base_url=base_url, **browser_type_launch_args
    ) as context:
        be_patient(context)
        for _ in range(VISITS):
            page = context.new_page()  # with its process: that one would remember by itself
            context.browser.start_tracing(page=page, categories=["devtools.timeline", "v8"])
            page.goto("/login")
            expect(sign_in_form(page)).to_be_visible()
            events = json.loads(context.browser.stop_tracing())["traceEvents"]
            page.close()
            compiled = [event["args"] for event in events if event["name"].startswith("v8.compile")]
            (script,) = (it for it in compiled if it.get("fileName", "").endswith("/pyodide.asm.js"))
            taken = script["data"].get("consumedCacheSize", 0)
            if taken:
                break

    assert taken > 200_000  # bytes


@pytest.mark.needs(PRELOADS)
def test_vendored_files_are_asked_for_once(page):
    """What the page preloads is what it then uses, and a second visit has it all in the cache."""
    requested: list[tuple[str, str]] = []
    page.on("request", lambda request: requested.append((request.method, request.url)))
    page.goto("/login")
    expect(sign_in_form(page)).to_be_visible()
    # A start that takes very long asks by HEAD whether they are there.
    vendored = [url for method, url in requested if method == "GET" and "/static/vendor/" in url]

    assert sorted(set(vendored)) == sorted(vendored)
    page.reload()
    expect(sign_in_form(page)).to_be_visible()
    transferred = page.evaluate(
        """() => performance.getEntriesByType("resource")
            .filter(({ transferSize, encodedBodySize }) => transferSize > 0 && encodedBodySize > 0)
            .map(({ name }) => name)
            .filter((name) => name.includes("/static/vendor/"))"""
    )
    assert [] == transferred
