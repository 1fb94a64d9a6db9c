"""A real browser, and a server of a small company's week for it to look at."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.e2e.stub.server import STATIC, StubServer
from tests.e2e.stub.world import World

# The machine may be busy with other things; nothing waits longer than it has to.
expect.set_options(timeout=20_000)

BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"]

# Only the pages are asked for: what a browser looks up of its own accord is refused on many a network, at great length.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--no-first-run",
    "--no-proxy-server",
]


def give_up(reason: str) -> NoReturn:
    """Skip on a laptop, saying why; fail where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; playwright brings none.

    Playwright's event loop counts as running in this thread until it is stopped, and no test can run one of its own
    beside it: so it ends with the last test of this folder, not with the session.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        give_up(f"No browser here: none of {', '.join(BROWSERS)} is on the path; `make services` brings one to Debian.")
    if not (STATIC / "index.html").is_file():
        give_up("The UI is not built: `make ui` builds it.")
    # Chromium's sandbox does not start as root.
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else QUIET
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """A server with a world of its own."""
    server = StubServer(World())
    thread = threading.Thread(target=server.serve_forever, name="stub", daemon=True)
    thread.start()
    yield server
    server.stop()
    thread.join(10)
    assert server.faults == []


class Visitor:
    """Somebody at a browser. What goes wrong on the pages is kept, and fails the test that visited them."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(base_url=url, timezone_id="Europe/Berlin", **options)
        self.problems: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.page = self.open()

    def open(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("request", self._see)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(part in message.text for part in self.expected):
            self.problems.append(f"{self.page.url}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.problems.append(f"{self.page.url} asked another host: {request.url}")


MakeVisitor = Callable[..., Visitor]


@pytest.fixture
def make_visitor(browser: Browser, stub: StubServer) -> Iterator[MakeVisitor]:
    """Makes visitors of the stub; the options are those of a browser context."""
    visitors: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, stub.url, **{"viewport": {"width": 1280, "height": 800}, **options}))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
        assert visitor.problems == []


@pytest.fixture
def visitor(make_visitor: MakeVisitor) -> Visitor:
    """One visitor at a desktop."""
    return make_visitor()


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """The visitor's page."""
    return visitor.page
