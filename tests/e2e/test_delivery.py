"""How the pages are delivered: small, from one host, under a policy without inline script or style."""

import gzip
import json

from playwright.sync_api import Route, expect

from tests.e2e.conftest import Visitor
from tests.e2e.stub.clock import Json
from tests.e2e.stub.server import POLICY, STATIC, StubServer

SCRIPTS = 132_000
"""Bytes of script, packed, that the first page needs; three quarters of it are React, the router and the query cache."""
STYLES = 12_000


def packed(names: list[str]) -> int:
    return sum(len(gzip.compress((STATIC / name.lstrip("/")).read_bytes(), 9)) for name in names)


def test_the_first_page_is_small(visitor: Visitor, stub: StubServer) -> None:
    paths: list[str] = []
    visitor.page.on("request", lambda request: paths.append(request.url.removeprefix(stub.url)))
    visitor.page.goto("/")
    expect(visitor.page.get_by_role("heading", name="Activity")).to_be_visible()
    visitor.page.wait_for_load_state("load")
    assert packed([path for path in paths if path.endswith(".js")]) <= SCRIPTS
    assert packed([path for path in paths if path.endswith(".css")]) <= STYLES


def test_the_policy_forbids_what_is_inline(visitor: Visitor) -> None:
    assert "unsafe" not in POLICY
    page = visitor.page
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("style").count() == 0
    assert page.locator("script:not([src])").count() == 0


def test_a_part_that_is_gone_asks_for_a_new_page(visitor: Visitor) -> None:
    visitor.expected = ("404", "Failed to load module script", "Failed to fetch dynamically", "net::ERR", "MIME")
    visitor.page.goto("/")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    visitor.context.route("**/assets/flows-page-*.js", lambda route: route.fulfill(status=404, body=""))
    visitor.page.get_by_role("navigation", name="Rooms").first.get_by_role("link", name="Flows").click()
    expect(visitor.page.get_by_role("button", name="Load it again")).to_be_visible()
    visitor.problems = [problem for problem in visitor.problems if "dynamically imported" not in problem]


def test_a_server_with_a_key_asks_for_it(visitor: Visitor) -> None:
    visitor.expected = ("401",)
    settings: Json = {"api_url": "/api", "csrf_enabled": False, "auth": "BASIC", "flags": []}
    visitor.context.route("**/ui-settings", lambda route: route.fulfill(json=settings))

    def guard(route: Route) -> None:
        if route.request.headers.get("authorization") == "Bearer sesame":
            route.continue_()
        else:
            route.fulfill(status=401, body=json.dumps({"exception_message": "Unauthorized"}))

    visitor.context.route("**/api/**", guard)
    page = visitor.page
    page.goto("/flows")
    key = page.get_by_label("Key")
    key.fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This is not the key of this server.")).to_be_visible()
    key.fill("sesame")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flows")
    expect(page.get_by_role("link", name="sync-orders")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_visible()
    # It lasts as long as the tab, and no longer.
    page.reload()
    expect(page.get_by_role("link", name="sync-orders")).to_be_visible()
    other = visitor.open()
    other.goto("/flows")
    expect(other.get_by_label("Key")).to_be_visible()


def test_a_server_that_is_away_is_said_and_found_again(visitor: Visitor) -> None:
    visitor.expected = ("net::ERR", "503")
    away = True

    def answer(route: Route) -> None:
        if away:
            route.abort()
        else:
            route.continue_()

    visitor.context.route("**/api/flows/**", answer)
    visitor.page.goto("/flows")
    expect(visitor.page.get_by_role("alert")).to_contain_text("The server does not answer. Is it running?")
    away = False
    visitor.page.get_by_role("button", name="Try again").click()
    expect(visitor.page.get_by_role("link", name="sync-orders")).to_be_visible()
