"""A run of ten thousand task runs stays usable: what is not in view costs nothing."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.stub.server import StubServer


def test_ten_thousand_task_runs_are_looked_through(page: Page, stub: StubServer) -> None:
    run = stub.world.named["huge"]
    tasks = stub.world.tasks_of(run)
    lines = stub.world.logs_of(run)
    page.goto(f"/runs/{run['id']}")
    timeline = page.get_by_role("application", name=re.compile("Timeline of 10,000 task runs"))
    expect(timeline).to_be_visible()
    assert page.locator("canvas").count() == 2
    assert page.evaluate("document.querySelectorAll('*').length") < 2_500
    timeline.focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("+")
    expect(page.get_by_role("complementary", name=re.compile("About"))).to_be_visible()
    page.keyboard.press("Escape")

    # Every line of the log is a jump away, without the lines before it.
    expect(page.get_by_text(f"{len(lines):,} lines")).to_be_visible()
    asked = stub.asked.count("POST /logs/filter")
    page.get_by_role("button", name="To the end").click()
    expect(page.get_by_role("log")).to_contain_text("Finished in state")
    assert stub.asked.count("POST /logs/filter") - asked < 10

    page.get_by_role("tab", name="Task runs").click()
    expect(page.get_by_role("table", name="Task runs")).to_have_attribute("aria-rowcount", "10000")
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    last = max(tasks, key=lambda task: task["expected_start_time"])
    expect(page.get_by_role("link", name=last["name"], exact=True)).to_be_visible()
    assert page.get_by_role("row").count() < 120

    page.get_by_role("button", name="Graph").click()
    expect(page.get_by_role("button", name="resize-image ×9,998")).to_be_visible()
