"""One flow run: what ran when, its logs, its states, and what can be done with it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.stub.clock import make_id
from tests.e2e.stub.server import StubServer


def test_the_timeline_is_walked_by_keys(page: Page, stub: StubServer) -> None:
    run = stub.world.named["trained"]
    page.goto(f"/runs/{run['id']}")
    timeline = page.get_by_role("application", name=re.compile("Timeline of 6 task runs"))
    timeline.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("complementary", name="About read-data-0")).to_be_visible()
    page.keyboard.press("ArrowDown")
    about = page.get_by_role("complementary", name="About read-data-1")
    expect(about.get_by_text("2 attempts")).to_be_visible()
    expect(about.get_by_role("button", name="add-features-0")).to_be_visible()
    expect(page).to_have_url(re.compile("task="))
    # Its logs stand below, and only its.
    expect(page.get_by_role("log")).to_contain_text("Connection refused")
    expect(page.get_by_role("button", name="Task read-data-1")).to_be_visible()
    page.keyboard.press("Escape")
    expect(about).to_have_count(0)
    expect(page).not_to_have_url(re.compile("task="))


def test_the_timeline_is_pointed_at_and_zoomed(page: Page, stub: StubServer) -> None:
    run = stub.world.named["trained"]
    page.goto(f"/runs/{run['id']}")
    timeline = page.get_by_role("application")
    box = timeline.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 26 + 12)
    expect(page.get_by_text("began at")).to_be_visible()
    page.mouse.click(box["x"] + 300, box["y"] + 26 + 12)
    expect(page.get_by_role("complementary", name="About read-data-0")).to_be_visible()
    page.get_by_role("button", name="Zoom in (+)").click()
    page.get_by_role("button", name="Zoom in (+)").click()
    page.get_by_role("button", name="Show the whole run (0)").click()


def test_subflows_open_in_place_and_lead_to_their_own_page(page: Page, stub: StubServer) -> None:
    run = stub.world.named["parent"]
    child = next(task["subflow"] for task in stub.world.tasks_of(run) if task.get("subflow"))
    page.goto(f"/runs/{run['id']}")
    timeline = page.get_by_role("application", name=re.compile("5 task runs"))
    before = timeline.evaluate("canvas => canvas.clientHeight")
    timeline.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("complementary", name="About plan-0")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("complementary", name=re.compile(f"About .*{child['name']}"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name=re.compile(f"About .*{child['name']}"))).to_be_visible()
    page.wait_for_function(
        "before => document.querySelector('canvas[role=application]').clientHeight > before", arg=before
    )
    page.get_by_role("complementary", name=re.compile("About")).get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(child["name"])
    page.get_by_role("link", name=run["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(run["name"])


def test_the_graph_draws_what_waited_for_what(page: Page, stub: StubServer) -> None:
    page.goto(f"/runs/{stub.world.named['trained']['id']}")
    page.get_by_role("button", name="Graph").click()
    page.get_by_role("button", name="train-best-model-0").click()
    expect(page.get_by_role("complementary", name="About train-best-model-0")).to_be_visible()
    page.goto(f"/runs/{stub.world.named['wide']['id']}?view=graph")
    page.get_by_role("button", name="resize-image ×2,000").click()
    expect(page.get_by_role("tab", name="Task runs")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("searchbox", name="Find by name")).to_have_value("resize-image")


def test_logs_are_filtered_searched_and_saved(page: Page, stub: StubServer, tmp_path: Path) -> None:
    run = stub.world.named["failed"]
    lines = stub.world.logs_of(run)
    page.goto(f"/runs/{run['id']}")
    log = page.get_by_role("log")
    expect(page.get_by_text(f"{len(lines)} lines")).to_be_visible()
    page.get_by_role("combobox", name="Least level").click()
    page.get_by_role("option", name="Error and up").click()
    expect(page).to_have_url(re.compile("level=error"))
    errors = [line for line in lines if line["level"] >= 40]
    expect(page.get_by_text(f"{len(errors)} lines")).to_be_visible()
    expect(log).not_to_contain_text("Validated")

    page.get_by_role("searchbox", name="Find in the logs").fill("refused")
    expect(log.locator("mark").first).to_have_text("refused")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download these lines").click()
    file = tmp_path / "saved.log"
    saved.value.save_as(file)
    assert saved.value.suggested_filename == f"{run['name']}.log"
    found = [line for line in errors if "refused" in line["message"]]
    assert file.read_text(encoding="utf-8").count("| ERROR") == len(found)


def test_new_lines_pull_the_view_along(page: Page, stub: StubServer) -> None:
    run = stub.world.named["running"]
    page.goto(f"/runs/{run['id']}")
    expect(page.get_by_text("Following")).to_be_visible()
    with stub.lock:
        lines = stub.world.logs_of(run)
        for number in range(300):
            lines.append({**lines[-1], "id": make_id(stub.world.chance), "message": f"fresh line {number}"})
    stub.tell()
    expect(page.get_by_role("log")).to_contain_text("fresh line 299")


def test_artifacts_are_rendered_on_the_run(page: Page, stub: StubServer) -> None:
    page.goto(f"/runs/{stub.world.named['trained']['id']}?tab=artifacts")
    expect(page.get_by_role("heading", name="Trip duration model")).to_be_visible()
    expect(page.get_by_role("cell", name="6.52")).to_be_visible()
    page.get_by_role("button", name="rmse").click()
    expect(page.get_by_role("columnheader", name="rmse", exact=True)).to_have_attribute(
        "aria-sort", re.compile("ascending|descending")
    )


def test_a_running_run_is_cancelled(page: Page, stub: StubServer) -> None:
    run = stub.world.named["running"]
    page.goto(f"/runs/{run['id']}")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text(f"{run['name']} is being cancelled.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Cancelling")
    assert run["state_type"] == "CANCELLING"


def test_a_paused_run_goes_on(page: Page, stub: StubServer) -> None:
    run = stub.world.named["paused"]
    page.goto(f"/runs/{run['id']}")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The run goes on.")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)


def test_a_run_that_has_ended_is_tried_again_or_deleted(page: Page, stub: StubServer) -> None:
    run = stub.world.named["failed"]
    page.goto(f"/runs/{run['id']}")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("The run is tried again.")).to_be_visible()
    assert run["state_name"] == "AwaitingRetry"
    page.get_by_role("button", name="More for this run").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete the run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    assert run not in stub.world.flow_runs


def test_a_refusal_of_the_orchestrator_is_said(page: Page, stub: StubServer) -> None:
    run = stub.world.named["running"]
    page.goto(f"/runs/{run['id']}")
    page.get_by_role("button", name="Cancel", exact=True).click()
    with stub.lock:
        run["state_type"] = "COMPLETED"
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("This run has already ended.")).to_be_visible()


def test_a_task_run_tells_where_its_inputs_came_from(page: Page, stub: StubServer) -> None:
    tasks = stub.world.tasks_of(stub.world.named["trained"])
    task = next(one for one in tasks if one["task_key"] == "train-best-model")
    page.goto(f"/task-runs/{task['id']}?tab=inputs")
    page.get_by_role("link", name="add-features-0").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("add-features-0")
    page.get_by_role("link", name="In the timeline").click()
    expect(page.get_by_role("complementary", name="About add-features-0")).to_be_visible()


def test_states_tell_how_long_each_lasted(page: Page, stub: StubServer) -> None:
    run = stub.world.named["trained"]
    page.goto(f"/runs/{run['id']}?tab=states")
    rows = page.get_by_role("tabpanel").get_by_role("listitem")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("Running")
    expect(rows.nth(1)).to_contain_text("for 3m 41s")
