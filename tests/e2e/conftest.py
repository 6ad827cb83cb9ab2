"""A real browser, the real server, and Python in the page.

| fixture       | what                                                                          |
| ------------- | ----------------------------------------------------------------------------- |
| `server`      | the session's server: `.url`, `.lab`; counters at zero at each test's start   |
| `lab`         | its lab                                                                       |
| `page_python` | runs a function in the page that all tests share, storage empty               |
| `session`     | that page's `auth` and `client`, the demo user signed in; `page_session`: nobody |
| `fresh_page`  | makes such a page in a new context, for tests that leave it or need several   |
| `own_server`  | makes a server that the test may stop and start                               |
| `warm_page`   | an empty page that has the demo's files in its cache; storage empty           |
| `dashboard`   | the demo's dashboard, the demo user signed in; a module's tests share the page |
| `wheel`       | the path of the wheel; `distributions` is its folder, with the sdist          |
| `page_with_worker` | a page and its worker; `sides`: a session each; `signed_in`: the demo user is |
| `page`        | pytest-playwright's empty page, in a context of its own, cache empty          |
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browsers.features import lacking_in
from tests.browsers.launch import Kept, LastingBrowser, launch_options, open_browser
from tests.browsers.report import VERSION
from tests.browsers.webkit import WebKit
from tests.e2e.demo_page import open_dashboard, stored
from tests.e2e.page_python import PagePython, empty_storage
from tests.e2e.page_session import PageSession
from tests.e2e.patience import be_patient
from tests.e2e.running_server import Lab, RunningServer
from tests.e2e.workers import Side, open_page, open_sides, sign_in_both

ROOT = Path(__file__).resolve().parents[2]
FreshPage = Callable[..., PagePython]


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and the wheel from that, as `make wheel` does; return their folder."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """Return the wheel."""
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_name: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Launch the browser that `make test` made sure of."""
    return {**browser_type_launch_args, **launch_options(browser_name, tmp_path_factory.mktemp("browser"))}


@pytest.fixture(scope="session")
def browser(
    pytestconfig: pytest.Config,
    playwright: Playwright,
    browser_name: str,
    browser_type_launch_args: dict[str, Any],
) -> Iterator[LastingBrowser]:
    """Open the browser of `--browser`, Chromium unless named, and be patient with all its pages."""

    @contextmanager
    def open_one() -> Iterator[Browser | WebKit]:
        with open_browser(playwright, browser_name, browser_type_launch_args) as browser:
            browser.on("context", be_patient)
            yield browser

    browser = LastingBrowser(open_one)
    pytestconfig.stash[VERSION] = browser.version
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def lacking(browser: Browser, base_url: str) -> set[str]:
    """Return what `needs` may name and this browser, or what drives it, doesn't have."""
    with browser.new_context(base_url=base_url) as context:
        page = context.new_page()
        page.goto("/static/icon.svg")
        return lacking_in(page)


@pytest.fixture(autouse=True)
def skip_what_cannot_be(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs what there isn't."""
    for marker in request.node.iter_markers("needs"):
        for what in marker.args:
            if what in request.getfixturevalue("lacking"):
                pytest.skip(f"there is not: {what}")


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Run one server for all tests."""
    with RunningServer(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="session")
def base_url(session_server: RunningServer) -> str:
    """Give Playwright the address that paths are relative to."""
    return session_server.url


@pytest.fixture
def server(session_server: RunningServer) -> RunningServer:
    """Return the session's server, its lab reset."""
    session_server.lab.reset()
    return session_server


@pytest.fixture
def lab(server: RunningServer) -> Lab:
    """Return the lab of the session's server."""
    return server.lab


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Return what makes a server of the test's own; its arguments are more of the command line."""
    with ExitStack() as servers:
        yield lambda *options: servers.enter_context(RunningServer(tmp_path / "data", *options))


@pytest.fixture(scope="session")
def shared_page(browser: LastingBrowser, base_url: str) -> Kept[PagePython]:
    """Load the test page once for all tests: its Python takes longer to start than most tests to run."""

    def load() -> PagePython:
        page_python = PagePython(browser.new_context(base_url=base_url).new_page())
        page_python.open()
        return page_python

    return Kept(browser, load)


@pytest.fixture
def page_python(shared_page: Kept[PagePython], server: RunningServer) -> PagePython:
    """Return what runs Python functions in the shared page."""
    page_python = shared_page()
    page_python.forget()
    return page_python


@pytest.fixture
def page_session(page_python: PagePython) -> Iterator[PageSession]:
    """Return the shared page's session; nobody is signed in."""
    page_session = PageSession(page_python)
    yield page_session
    page_session.let_go()


@pytest.fixture
def session(page_session: PageSession, lab: Lab) -> PageSession:
    """Return the shared page's session, the demo user signed in."""
    page_session.open(lab.sign_in())
    return page_session


@pytest.fixture(scope="session")
def warm_context(browser: LastingBrowser, base_url: str) -> Kept[BrowserContext]:
    """Keep one cache: a page that finds its files there starts in a third of the time."""
    return Kept(browser, lambda: browser.new_context(base_url=base_url))


@pytest.fixture
def warm_page(warm_context: Kept[BrowserContext], server: RunningServer) -> Iterator[Page]:
    """Open an empty page of the demo's origin, whose storage is empty too."""
    with warm_context().new_page() as page:
        page.goto("/static/icon.svg")
        empty_storage(page)
        yield page


@pytest.fixture(scope="module")
def shared_dashboard(browser: LastingBrowser, warm_context: Kept[BrowserContext]) -> Iterator[Kept[Page]]:
    """Open a page for the tests of one module; closed after them, so that no other test has company."""
    with ExitStack() as pages:
        yield Kept(browser, lambda: pages.enter_context(warm_context().new_page()))


@pytest.fixture
def dashboard(shared_dashboard: Kept[Page], lab: Lab) -> Page:
    """Return the demo's dashboard, opened anew if the last test left it."""
    page = shared_dashboard()
    if page.url.rstrip("/") != lab.url or stored(page) is None:
        open_dashboard(page, lab)
    return page


@pytest.fixture
def fresh_page(browser: Browser, server: RunningServer) -> Iterator[FreshPage]:
    """Return what opens a test page: in a new context, or as another tab of `context`."""
    with ExitStack() as contexts:

        def open_page(context: BrowserContext | None = None, *, base_url: str = server.url) -> PagePython:
            if context is None:
                context = browser.new_context(base_url=base_url)
                contexts.callback(context.close)
            page_python = PagePython(context.new_page())
            page_python.open()
            return page_python

        yield open_page


@pytest.fixture(scope="module")
def setup() -> str:
    """Return the page's set-up; a module may try others."""
    return "strict"


@pytest.fixture(scope="module")
def shared_page_with_worker(browser: LastingBrowser, base_url: str, setup: str) -> Iterator[Kept[PagePython]]:
    """Load the page that has a worker, once for all tests of a file."""
    with ExitStack() as pages:
        yield Kept(browser, lambda: pages.enter_context(open_page(browser, base_url, setup)))


@pytest.fixture
def page_with_worker(shared_page_with_worker: Kept[PagePython]) -> PagePython:
    """Return that page."""
    return shared_page_with_worker()


@pytest.fixture
def sides(page_with_worker: PagePython, lab: Lab) -> Iterator[tuple[Side, Side]]:
    """Return the page's side and the worker's; nobody is signed in."""
    with open_sides(page_with_worker) as sides:
        yield sides


@pytest.fixture
def signed_in(sides: tuple[Side, Side], lab: Lab) -> tuple[Side, Side]:
    """Return both sides, the demo user signed in."""
    sign_in_both(sides, lab.sign_in())
    lab.reset()
    return sides
