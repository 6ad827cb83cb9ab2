"""A worker of bare Pyodide, or a SharedWorker, whose page has no Python: tests run theirs in the worker.

worker = BareWorker(page, "module")
worker.sign_in(lab.sign_in())
assert [200, 200] == worker.ask(2)
"""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page

SCRIPT = "/tests/e2e/page/bare_worker.mjs"
PLACE = "/bare.html"  # a page without Python, and without a policy of its own: the worker has one
OPEN = """([kind, script]) => {
    const worker = new (kind === "shared" ? SharedWorker : Worker)(script, {type: "module"});
    const port = worker.port ?? worker;
    const waiting = new Map();
    let number = 0;
    port.onmessage = ({data: [of, result, error]}) => {
        const {resolve, reject} = waiting.get(of);
        error === undefined ? resolve(result) : reject(new Error(error));
    };
    window.stopWorker = () => worker.terminate?.();
    window.inWorker = (code) => new Promise((resolve, reject) => {
        waiting.set(number, {resolve, reject});
        port.postMessage([number++, code]);
    });
}"""
START = """
from silent_refresh import Client, RefreshEndpoint, SilentRefresh, SilentRefreshError
from asyncio import gather
auth = SilentRefresh({endpoint}, login=None)
client = Client("/api", auth=auth)

async def ask(count):
    async def one():
        try:
            return (await client.get("profile")).status
        except SilentRefreshError as error:
            return type(error).__name__
    return repr(await gather(*[one() for _ in range(count)]))
"""


class BareWorker:
    """One worker, and the page that started it."""

    def __init__(self, page: Page, kind: str, *, url: str = "", endpoint: str = "'/refresh'") -> None:
        self.page = page
        page.route(f"**{PLACE}", lambda route: route.fulfill(body="", content_type="text/html"))
        page.goto(url + PLACE)
        page.unroute(f"**{PLACE}")
        page.evaluate(OPEN, [kind, SCRIPT])
        self.run(START.format(endpoint=endpoint))

    def run(self, code: str) -> Any:
        """Return what the last line of some Python is."""
        return self.page.evaluate("code => window.inWorker(code)", code)

    def sign_in(self, tokens: dict[str, Any]) -> None:
        """Sign in there."""
        self.run(f"import json; await auth.sign_in(json.loads({json.dumps(tokens)!r}))")

    def ask(self, count: int) -> list[Any]:
        """Send requests at once; return what each came to."""
        said: str = self.run(f"await ask({count})")
        ends: list[Any] = json.loads(said.replace("'", '"'))
        return ends
