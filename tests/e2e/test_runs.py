"""The list of flow runs: filters in the address, live, long."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor
from tests.e2e.stub.clock import seconds
from tests.e2e.stub.runs import enter, make_state, play
from tests.e2e.stub.server import StubServer


def test_filters_live_in_the_address(page: Page) -> None:
    page.goto("/runs")
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Failed").click()
    page.get_by_role("option", name="Crashed").click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"state=failed,crashed$"))
    rows = page.get_by_role("table", name="Flow runs")
    expect(rows.get_by_role("img", name="Completed")).to_have_count(0)
    expect(rows.get_by_role("img", name="Crashed").first).to_be_visible()

    page.reload()
    expect(page.get_by_text("Failed, Crashed")).to_be_visible()
    page.get_by_role("button", name="Clear all").click()
    expect(page).to_have_url(re.compile(r"/runs$"))


def test_a_typed_name_filters_after_a_moment(page: Page, stub: StubServer) -> None:
    run = stub.world.named["trained"]
    page.goto("/runs")
    page.get_by_role("searchbox", name="Find by name").fill(run["name"])
    expect(page).to_have_url(re.compile(f"name={run['name']}"))
    page.get_by_role("searchbox", name="Find by name").fill("zzz")
    expect(page.get_by_role("heading", name="No run passes these filters")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_role("table", name="Flow runs")).to_be_visible()


def test_what_is_to_come_is_a_list_of_its_own(page: Page) -> None:
    page.goto("/runs?since=next")
    rows = page.get_by_role("table", name="Flow runs")
    expect(rows.get_by_text("Scheduled").first).to_be_visible()
    expect(rows.get_by_text("Completed")).to_have_count(0)


def test_a_new_run_appears_by_itself(page: Page, stub: StubServer) -> None:
    page.goto("/runs")
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_visible()
    with stub.lock:
        run = stub.world.add_run("sync-orders", stub.world.now, name="brand-new")
        play(stub.world.chance, run, stub.world.now, 60, "RUNNING", stub.world.now + seconds(1))
    stub.tell_states(run)
    row = page.get_by_role("row").filter(has_text="brand-new")
    expect(row.get_by_text("Running")).to_be_visible()

    with stub.lock:
        enter(run, make_state(stub.world.chance, "FAILED", stub.world.now + seconds(2)))
    stub.tell_states(run)
    expect(row.get_by_text("Failed")).to_be_visible()


def test_the_page_asks_by_itself_when_nobody_tells_it(visitor: Visitor, stub: StubServer) -> None:
    visitor.expected = ("net::ERR", "404")
    visitor.context.route("**/api/live", lambda route: route.abort())
    visitor.page.goto("/runs")
    expect(visitor.page.get_by_role("status").filter(has_text="Every 5 s").first).to_be_visible()
    with stub.lock:
        run = stub.world.add_run("sync-orders", stub.world.now, name="found-by-asking")
        play(stub.world.chance, run, stub.world.now, 60, "RUNNING", stub.world.now + seconds(1))
    expect(visitor.page.get_by_role("row").filter(has_text="found-by-asking")).to_be_visible()


def test_a_long_list_asks_for_what_is_in_view(page: Page, stub: StubServer) -> None:
    for index in range(5_000):
        at = stub.world.now - seconds(10 + index)
        run = stub.world.add_run("hourly-weather", at, name=f"long-{index:04}")
        play(stub.world.chance, run, at, 1, "COMPLETED", stub.world.now)
    page.goto("/runs?name=long-")
    expect(page.get_by_text("5,000 flow runs")).to_be_visible()
    expect(page.get_by_role("link", name="long-0000")).to_be_visible()
    asked = stub.asked.count("POST /flow_runs/filter")
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.get_by_role("link", name="long-4999")).to_be_visible()
    assert stub.asked.count("POST /flow_runs/filter") - asked < 12
    assert page.get_by_role("row").count() < 120
