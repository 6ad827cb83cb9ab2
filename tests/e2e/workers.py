"""A page and its worker, each with Python that the tests run in, and one session between them.

    with open_page(browser, base_url, "strict") as page:
        with open_sides(page) as (page, worker):
            page.sign_in(lab.sign_in())
            assert [200] == worker.get("profile")

Two set-ups: ``"strict"`` is the demo's policy with what a worker needs, on a page without shared memory;
``"shared-memory"`` is what PyScript's documentation asks for, ``unsafe-eval`` and two headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Route

from silent_refresh import Client, SilentRefresh, serve_workers
from tests.e2e.page_python import PagePython
from tests.e2e.page_session import PageSession, hold_redirects
from tests.e2e.patience import MILLISECONDS

ADDRESS = "/tests/e2e/page/worker.html"
CONFIGURATION = "/tests/e2e/page/worker.toml"
NO_POLICY = "trusted-types 'none'"
BRIDGE = "../../../app/silent_refresh/browser/bridge.js"
FOR_WORKERS = f'[js_modules.worker]\n"{BRIDGE}" = "silent_refresh_worker"\n'
WORKER_IS_READY = """async (milliseconds) => {
    const tooLate = performance.now() + milliseconds;
    let script;
    while (!(script = document.querySelector("[worker]"))?.xworker) {
        if (performance.now() > tooLate) throw new Error("PyScript made no worker");
        await new Promise(requestAnimationFrame);
    }
    await new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error("the worker did not start")), milliseconds);
        script.xworker.ready.then(resolve, reject);
    });
    window.runPythonInWorker = (...call) => script.xworker.sync.run(...call);
}"""


def with_a_worker(route: Route) -> None:
    """Let the page have workers, and vouch for what they run; nothing more."""
    response = route.fetch()
    policy = response.headers["content-security-policy"]
    assert NO_POLICY in policy
    policy = policy.replace(NO_POLICY, "trusted-types default; worker-src blob: 'self'")
    route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})


def with_shared_memory(route: Route) -> None:
    """Let it have workers as PyScript's documentation says."""
    response = route.fetch()
    policy = "worker-src blob: 'self'; script-src 'self' 'unsafe-eval'"
    headers = {
        **response.headers,
        "content-security-policy": policy,
        "cross-origin-embedder-policy": "require-corp",
    }
    route.fulfill(response=response, headers=headers)


def with_the_packages_files(configuration: str) -> str:
    """Let the configuration name no JavaScript for workers; what it loads is what a wheel holds."""
    assert FOR_WORKERS in configuration
    folder, _, _ = BRIDGE.rpartition("/")
    files = [f'"{folder}/{name}" = "./silent_refresh/browser/{name}"\n' for name in ("bridge.js", "dpop.js")]
    return configuration.replace(FOR_WORKERS, "") + "".join(files)


def as_from_the_wheel(route: Route) -> None:
    """Pass on such a configuration."""
    response = route.fetch()
    route.fulfill(response=response, body=with_the_packages_files(response.text()))


SETUPS: dict[str, dict[str, Callable[[Route], None]]] = {
    "strict": {ADDRESS: with_a_worker},
    "shared-memory": {ADDRESS: with_shared_memory, CONFIGURATION: as_from_the_wheel},
}


@contextmanager
def open_page(browser: Browser, base_url: str, setup: str) -> Iterator[PagePython]:
    """Open the page with a worker in a context of its own, which is closed in the end."""
    with browser.new_context(base_url=base_url) as context:
        yield open_page_in(context, setup)


def open_page_in(context: BrowserContext, setup: str) -> PagePython:
    """Open the page with a worker, and wait until both their Pythons are there."""
    page = context.new_page()
    for address, handler in SETUPS[setup].items():
        page.route(f"**{address}", handler)
    page_python = PagePython(page, ADDRESS)
    page_python.open()
    page.evaluate(WORKER_IS_READY, MILLISECONDS)
    page.unroute_all()  # a request that is cancelled while a test may answer it stops WebKit's inspector
    assert (setup == "shared-memory") == page.evaluate("crossOriginIsolated")
    return page_python


async def open_auth(serves):
    import sys
    from types import SimpleNamespace

    if "opened" in sys.modules:
        sys.modules["opened"].undo()
        sys.modules["opened"].auth.close()
    auth = SilentRefresh()
    undo = serve_workers(auth) if serves else lambda: None
    sys.modules["opened"] = SimpleNamespace(auth=auth, client=Client("/api", auth=auth), undo=undo)


async def sign_in(tokens):
    from opened import auth

    await auth.sign_in(tokens)


class Side(PageSession):
    """The session as the page's code has it, or the worker's; nobody listens to its events."""

    def sign_in(self, tokens: dict[str, Any]) -> None:
        """Sign in here."""
        self.python(sign_in, tokens)


@contextmanager
def open_sides(page_python: PagePython) -> Iterator[tuple[Side, Side]]:
    """Make an `auth` and a `client` in the page, and in its worker; nobody is signed in."""
    worker_python = PagePython(page_python.page, ADDRESS, "runPythonInWorker")
    page_python.forget()
    hold_redirects(page_python)
    page_python(open_auth, True)
    worker_python(open_auth, False)
    page, worker = Side(page_python), Side(worker_python)
    yield page, worker
    page.let_go()


def sign_in_both(sides: tuple[Side, Side], tokens: dict[str, Any]) -> None:
    """Sign in, and return when the worker knows."""
    page, worker = sides
    page.sign_in(tokens)
    assert [200] == worker.get("profile")
