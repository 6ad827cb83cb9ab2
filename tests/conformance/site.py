"""Serves the Web Platform Tests by their own server, and puts ``install()`` before a test.

A page under test has two more scripts at its head: ``boot.js`` starts Python and wraps the page's fetch,
while the parser waits for ``gate.js``, which the server holds back until then. So whatever the page's own
scripts do as they load finds ``install()`` done.

| address                            | what                                                        |
| ---------------------------------- | ----------------------------------------------------------- |
| /resources/testharnessreport.js    | leaves a test's results where ``__main__.py`` finds them    |
| …/x.any.html, …/x.window.html      | the page of x.any.js, x.window.js                           |
| /conformance/, /app/, /static/     | ``boot.js``, the library, Pyodide                           |
| everything else                    | as the folder of the tests has it                           |
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from wptserve.config import ConfigBuilder
from wptserve.handlers import FileHandler, file_handler, handler
from wptserve.pipes import resolve_content
from wptserve.routes import routes as usual_routes
from wptserve.server import WebTestHttpd
from wptserve.stash import StashServer

from tests.conformance.files import page_of

ROOT = Path(__file__).resolve().parents[2]
HOST, OTHER_HOST = "web-platform.test", "not-web-platform.test"  # the tests' own names for this machine
SUBDOMAINS = {"www", "www1", "www2", "天気の良い日", "élève"}
PATIENCE = 120.0  # s in which Python has to start
REPORT = """add_completion_callback((tests, { status }) => {
    globalThis.conformance = { status, subtests: tests.map(({ name, status }) => [name, status]) };
});"""
SCRIPT = [("Content-Type", "text/javascript"), ("Cache-Control", "no-store")]
HEAD = (
    '<script type="module" async src="/conformance/boot.js?{}"></script>'
    '<script src="/conformance/gate.js"></script>'
)


class Site:
    """The server; ``url`` is its address."""

    def __init__(self, folder: Path, config: Any) -> None:
        self._folder = folder
        self._path, self._state = "", ""
        self._is_ready = Event()
        self.url = f"http://{HOST}:{config.ports['http'][0]}"
        routes = [
            ("GET", "/resources/testharnessreport.js", handler(lambda *_: (SCRIPT, REPORT))),
            ("GET", "/conformance/gate.js", handler(self._wait)),
            ("POST", "/conformance/ready", handler(self._go_on)),
            *(("GET", f"/{place}/*", _files_of(place)) for place in ("conformance", "app", "static")),
            ("GET", "*.html", self._give_page),
            *usual_routes,
        ]
        options = {"doc_root": str(folder), "routes": routes, "config": config}
        self.servers = [WebTestHttpd(port=port, **options) for port in config.ports["http"]]

    def expect(self, path: str, state: str) -> str:
        """Return the URL of a test that will find this state; an empty one is the browser's own fetch."""
        self._path, self._state = path.partition("?")[0], state
        self._is_ready.clear()
        return self.url + path

    def _wait(self, request: Any, response: Any) -> Any:
        if not self._is_ready.wait(PATIENCE):
            raise TimeoutError("boot.js did not wrap the page's fetch")
        return SCRIPT, ""

    def _go_on(self, request: Any, response: Any) -> str:
        self._is_ready.set()
        return ""

    def _give_page(self, request: Any, response: Any) -> None:
        path = request.url_parts.path
        script = self._folder / (path.lstrip("/").removesuffix("html") + "js")
        if path.endswith((".any.html", ".window.html")) and script.is_file():
            response.headers.set("Content-Type", "text/html; charset=utf-8")
            response.content = page_of(script)
        else:
            file_handler(request, response)
        if self._state and path == self._path:
            before, tag, after = resolve_content(response).partition(b"<script")
            response.content = before + HEAD.format(self._state).encode() + tag + after


def _files_of(place: str) -> Any:
    """Return what gives files of the project, for the browser to keep: each page would compile them anew."""
    folder = Path(__file__).parent / "page" if place == "conformance" else ROOT / place
    give = FileHandler(str(folder), f"/{place}/")

    def give_for_long(request: Any, response: Any) -> None:
        request.doc_root, request.url_base = give.base_path, give.url_base
        give(request, response)
        response.headers.set("Cache-Control", "max-age=3600")

    return give_for_long


@contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """Serve the tests in `folder`, at two ports: some are about another origin."""
    logging.getLogger().setLevel(logging.CRITICAL)  # half of what they ask for is an error
    builder = ConfigBuilder(
        logging.getLogger(),
        browser_host=HOST,
        alternate_hosts={"alt": OTHER_HOST},
        subdomains=SUBDOMAINS,
        not_subdomains={"nonexistent"},
        ports={"http": ["auto", "auto"]},
    )
    with StashServer(), builder as config:
        config.ports.default_factory = lambda: [1, 1]  # no TLS, no WebSockets: nobody answers there
        site = Site(folder, config)
        for server in site.servers:
            server.start()
        yield site
        for server in site.servers:
            server.stop()
