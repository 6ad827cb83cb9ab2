"""A system's stock WebKitGTK, Safari's engine, behind the part of Playwright's API that the tests use.

Playwright connects to one page by its remote inspector. So a context is a MiniBrowser of its own, with a
storage that ends with it, and each of its tabs has a connection of its own; a tab is Playwright's `Page`.

https://webkitgtk.org/reference/webkit2gtk/stable/method.Settings.set_enable_developer_extras.html
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urljoin

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browsers.priority import with_priority

PATIENCE = 120.0  # s, for a tab to start
STARTS = (40.0, 80.0, 160.0)  # s that a browser has to start, before it is ended and another one is started
TARGET = re.compile(r'class="targetname">(?P<title>[^<]*)<.*?(?P<path>/socket/\d+/\d+/WebPage)')
# Where each tab starts; then it has this title. It is of the site that the test is about: Playwright must not
# meet a tab that changes its process, nor can it follow one to another site. Where there is none, as on a
# server that isn't ours, this module serves one: of another port, for which the process changes only where
# the site asks for that (Cross-Origin-Opener-Policy).
START_PAGE = "/tests/e2e/page/start.html"
STARTED = "Started"
OWN_START_PAGE = b"<!doctype html><script>onload = () => { document.title = 'Started'; };</script>"
POLL = 0.05  # s; the inspector's list of tabs tells of no change
# Systems give none of these to a connection that is made; one of those may be taken when it's needed.
PORTS = range(20_000, 30_000)


class WebKit:
    """What makes contexts; it has an X server for their windows."""

    def __init__(self, playwright: Playwright, minibrowser: str) -> None:
        self._playwright = playwright
        self._minibrowser = minibrowser
        self._told: list[Callable[[Any], None]] = []
        reading, writing = os.pipe()
        screen = ["-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        self._display_server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), *screen], pass_fds=[writing], stderr=subprocess.DEVNULL
        )
        os.close(writing)
        with os.fdopen(reading) as told:
            self._display = f":{told.readline().strip()}"
        self.contexts: list[Context] = []

    @property
    def version(self) -> str:
        """Return the engine's version."""
        said = subprocess.run(
            [self._minibrowser, "--version"],
            env={**os.environ, "DISPLAY": self._display},
            capture_output=True,
            text=True,
            check=True,
        )
        return re.search(r"\d+(\.\d+)+", said.stdout)[0]

    def is_connected(self) -> bool:
        """Tell whether it can open windows."""
        return self._display_server.poll() is None

    def on(self, event: str, told: Callable[[Any], None]) -> None:
        """Tell of each new context."""
        assert event == "context"
        self._told.append(told)

    def new_context(self, base_url: str = "", **_: Any) -> Context:
        """Return what starts a MiniBrowser for its first tab."""
        context = Context(self._playwright, self._minibrowser, self._display, base_url)
        self.contexts.append(context)
        for told in self._told:
            told(context)
        return context

    def close(self) -> None:
        """End all of it."""
        for context in self.contexts:
            Context.close(context)  # pytest-playwright has put another in its place, good for once
        self._display_server.terminate()
        self._display_server.wait()


class Context:
    """One MiniBrowser, and its tabs. What isn't here is asked of the last tab's own context."""

    def __init__(self, playwright: Playwright, minibrowser: str, display: str, base_url: str) -> None:
        self.base_url = base_url
        self.pages: list[Page] = []
        self._playwright = playwright
        self._scripts: list[str] = []
        self._timeout: float | None = None  # ms
        self._tabs: list[Tab] = []
        self._spare: Tab | None = None  # one that nobody uses
        self._serving = ExitStack()
        self.start = urljoin(base_url, START_PAGE)
        if not base_url or httpx.get(self.start, trust_env=False, timeout=PATIENCE).is_error:
            self.start = self._serving.enter_context(serving(lambda _: OWN_START_PAGE))
        self._command = with_priority(
            [minibrowser, "--private", "--enable-developer-extras=true", self.start]
        )
        self._display = display
        self._inspector = ""  # its address
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if not self._tabs:
            raise AttributeError(f"{name}: there is no tab yet")
        return getattr(self._tabs[-1].context, name)

    def new_page(self) -> WebKitPage:
        """Open a tab."""
        tab, self._spare = self._spare or self._new_tab(), None
        page = WebKitPage.of(tab.page, self)
        if self._timeout is not None:
            page.set_default_timeout(self._timeout)
        for script in self._scripts:
            page.add_init_script(script)
        self.pages.append(page)
        return page

    def _new_tab(self) -> Tab:
        if self._tabs:
            self.pages[0].evaluate("url => { window.open(url, '_blank', 'noopener') }", self.start)
            path = self._new_target(PATIENCE)
        else:
            path = self._first_target()
        if path is None:
            raise TimeoutError(f"WebKit did not start at {self.start}")
        tab = Tab(self._playwright, f"ws://{self._inspector}{path}")
        self._tabs.append(tab)
        return tab

    def _first_target(self) -> str | None:
        """Start the browser, and return its first tab's path. If it shows none, another one is started."""
        for patience in STARTS:
            self._end()
            self._inspector = f"127.0.0.1:{free_port()}"
            environment = {
                "DISPLAY": self._display,
                "GDK_BACKEND": "x11",
                "JSC_useOMGJIT": "0",  # as launch.py has it for Chromium: a page takes a third less
                "LIBGL_ALWAYS_SOFTWARE": "1",
                "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
                "WEBKIT_INSPECTOR_HTTP_SERVER": self._inspector,
            }
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if path := self._new_target(patience):
                return path
        return None

    def _new_target(self, patience: float) -> str | None:
        """Return the path of the tab that is starting, once it has started; give up after so many seconds."""
        known = {tab.path for tab in self._tabs}
        until = time.monotonic() + patience
        while time.monotonic() < until and self._process and self._process.poll() is None:
            for found in TARGET.finditer(self._listed()):
                if found["title"] == STARTED and found["path"] not in known:
                    return found["path"]
            time.sleep(POLL)
        return None

    def _listed(self) -> str:
        try:
            return httpx.get(f"http://{self._inspector}/", trust_env=False, timeout=PATIENCE).text
        except httpx.TransportError:
            return ""  # it doesn't listen yet

    def let_close(self, page: WebKitPage) -> None:
        """Have one tab less; MiniBrowser would end with its last one."""
        if self.pages == [page]:
            self._spare = self._new_tab()
        self.pages.remove(page)

    def add_init_script(self, script: str) -> None:
        """Run a script in each tab, before anything else."""
        self._scripts.append(script)
        for page in self.pages:
            page.add_init_script(script)

    def set_default_timeout(self, timeout: float) -> None:
        """Wait that long (ms) for whatever is done in a tab."""
        self._timeout = timeout

    def set_offline(self, offline: bool) -> None:
        """Fail: the network can't be taken away."""
        if offline:
            raise NotImplementedError

    def on(self, *_: Any) -> None:
        """Tell nobody: pytest-playwright's recordings are what would listen."""

    def close(self, **_: Any) -> None:
        """End the browser."""
        if self._is_closed:
            return
        self._is_closed = True
        for tab in self._tabs:
            tab.close()
        self._end()
        self._serving.close()

    def _end(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None


class WebKitPage(Page):
    """Playwright's page, in a context of ours."""

    @classmethod
    def of(cls, page: Page, context: Context) -> WebKitPage:
        """Make one of Playwright's page: what Playwright hands out of it is this one then, too."""
        page.context._impl_obj._options["baseURL"] = context.base_url  # for what waits for a URL
        page.__class__ = cls
        page._owner = context
        return page

    @property
    def context(self) -> Context:
        return self._owner

    def goto(self, url: str, **options: Any) -> Any:
        return super().goto(urljoin(self._owner.base_url, url), **options)

    def close(self, **options: Any) -> None:
        if self.is_closed():
            return
        # The tab itself may stay open, and what runs in it would have part in the next test's session.
        self.goto(self._owner.start)
        self._owner.let_close(self)
        super().close(**options)


class Tab:
    """Playwright's connection to one tab, which it finds as ios_webkit_debug_proxy would list it."""

    def __init__(self, playwright: Playwright, url: str) -> None:
        self.path = url[url.index("/socket/") :]
        listed = [{"url": "", "title": "", "webSocketDebuggerUrl": url}]
        with serving(lambda path: json.dumps(listed).encode()) as address:
            self._browser: Browser = playwright.webkit.connect_over_cdp(address, timeout=PATIENCE * 1000)
        self.context: BrowserContext = self._browser.contexts[0]
        self.page: Page = self.context.pages[0]

    def close(self) -> None:
        """Let go of it."""
        self._browser.close()


@contextmanager
def serving(answer: Callable[[str], bytes]) -> Iterator[str]:
    """Answer each GET with what `answer` returns for its path; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """Return a port that nobody has."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")
