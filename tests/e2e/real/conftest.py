"""A real browser at a real server, and scripts whose runs it shows."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.serving import ServerProcess
from tests.e2e.conftest import Visitor


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with nothing in it yet."""
    process = ServerProcess(home, tmp_path / "server.log")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def ask(server: ServerProcess) -> Iterator[httpx2.Client]:
    """What the server says to whoever asks it without a browser."""
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
def visitor(browser: Browser, server: ServerProcess) -> Iterator[Visitor]:
    """One visitor at a desktop. Whatever the server refuses them is a fault, as the browser says it in its console."""
    visitor = Visitor(browser, server.url.removesuffix("/api"), viewport={"width": 1280, "height": 800})
    yield visitor
    visitor.context.close()
    assert visitor.problems == []


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """The visitor's page."""
    return visitor.page


class Script:
    """A script that runs beside the test and goes on, a line at a time, when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdin is not None
        self._input: IO[str] = process.stdin

    def go_on(self) -> None:
        """Let the script read its next line."""
        self._input.write("\n")
        self._input.flush()

    def end(self) -> int:
        """Close what the script reads, and wait until it is at its end."""
        self._input.close()
        return self.process.wait(60)


StartScript = Callable[[str], Script]


@pytest.fixture
def start_script(server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartScript]:
    """Starts scripts whose runs the server records."""
    monkeypatch.setenv("HEADRACE_API_URL", server.url)
    running: list[Script] = []

    def start(text: str) -> Script:
        path = tmp_path / f"script_{len(running)}.py"
        path.write_text(text)
        with (tmp_path / f"script_{len(running)}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, path], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        running.append(Script(process))
        return running[-1]

    yield start
    for script in running:
        script.process.kill()
        script.end()


def only_run(ask: httpx2.Client, flow: str) -> dict[str, Any]:
    """The one run of a flow."""
    (run,) = ask.post("/flow_runs/filter", json={"flows": {"name": {"any_": [flow]}}}).json()
    return run
