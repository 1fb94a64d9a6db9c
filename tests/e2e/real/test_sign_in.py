"""The door of a server with a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.serving import ServerProcess
from tests.e2e.conftest import Visitor

KEY = "open sesame, at once"


@pytest.fixture
def guarded(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that wants a key."""
    process = ServerProcess(home, tmp_path / "server.log", HEADRACE_SERVER_API_KEY=KEY)
    process.start()
    yield process
    process.stop()


def test_whoever_knows_the_key_comes_in_and_stays_in(browser: Browser, guarded: ServerProcess) -> None:
    visitor = Visitor(browser, guarded.url.removesuffix("/api"))
    # What tells a browser that a key is wrong or missing is this answer, which it notes in its console.
    visitor.expected = ("401",)
    refused: list[str] = []
    page = visitor.page
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 401 else None)
    page.goto("/runs")
    page.get_by_label("Key").fill("a wrong one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This is not the key of this server.")).to_be_visible()
    page.get_by_label("Key").fill(KEY)
    page.get_by_label("Stay signed in on this browser").check()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    assert {url.removeprefix(guarded.url) for url in refused} == {"/server"}

    refused.clear()
    page.goto("/flows")
    expect(page.get_by_role("heading", level=1)).to_have_text("Flows")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    assert refused == []
    visitor.context.close()
    assert visitor.problems == []
