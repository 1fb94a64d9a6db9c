"""The main paths through the pages, on a real server: what scripts did, what people start, plan and change."""

import re
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor
from tests.e2e.real.conftest import StartScript, only_run

REPORT = """
from headrace import flow, task
from headrace.artifacts import create_markdown_artifact, create_table_artifact

tries = []

@task(retries=2, retry_delay_seconds=0.05)
def fetch(city):
    tries.append(city)
    if len(tries) < 2:
        raise ConnectionError("the line is dead")
    return 3

@task(log_prints=True)
def report(rides):
    print("writing the report")
    create_markdown_artifact(
        "# Rides\\n\\n## By city\\n\\n| City | Rides |\\n|---|--:|\\n| Lisbon | 3 |\\n\\n- checked <script>alert(1)</script>",
        key="rides", description="Rides of the week",
    )
    create_table_artifact([{"city": "Lisbon", "rides": rides}], key="rides-table")

@flow
def inner(rides):
    report(rides)

@flow(name="weekly")
def weekly(city="Lisbon"):
    inner(fetch(city))

weekly()
"""

STEPS = """
from headrace import flow, task

@task(log_prints=True)
def step(number):
    print("step", number, "is done")

@flow(name="steps")
def steps():
    for number in range(3):
        step(number)
        input()

steps()
"""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "position": 0},
        "limit": {"type": "integer", "default": 10, "maximum": 100, "position": 1},
        "share": {"type": "number", "default": 0.5, "position": 2},
        "full": {"type": "boolean", "default": False, "position": 3},
        "mode": {"enum": ["fast", "careful"], "type": "string", "default": "careful", "position": 4},
        "since": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}], "position": 5},
        "names": {"type": "array", "items": {"type": "string"}, "default": ["a"], "position": 6},
        "place": {"$ref": "#/definitions/Place", "position": 7},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "position": 8},
    },
    "required": ["city", "place"],
    "definitions": {
        "Place": {
            "type": "object",
            "properties": {"host": {"type": "string", "title": "Host"}, "port": {"type": "integer", "title": "Port"}},
            "required": ["host"],
        }
    },
}


@pytest.fixture
def deployment(ask: httpx2.Client) -> str:
    """The id of a deployment that takes parameters of every kind."""
    flow = ask.post("/flows/", json={"name": "ingest"}).json()
    made = {
        "name": "nightly",
        "flow_id": flow["id"],
        "parameters": {"city": "Lisbon", "place": {"host": "db"}},
        "parameter_openapi_schema": SCHEMA,
    }
    return ask.post("/deployments/", json=made).json()["id"]


def test_a_run_is_shown_with_its_tasks_logs_and_artifacts(
    page: Page, ask: httpx2.Client, start_script: StartScript
) -> None:
    assert start_script(REPORT).end() == 0
    run = only_run(ask, "weekly")
    page.goto("/runs")
    page.get_by_role("link", name=run["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(run["name"])
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    expect(page.get_by_role("application", name=re.compile("Timeline of 2 task runs"))).to_be_visible()
    lines = page.get_by_role("log")
    expect(lines).to_contain_text("the line is dead")
    expect(lines).to_contain_text("fetch-0")

    page.get_by_role("tab", name="Task runs").click()
    fetched = page.get_by_role("row").filter(has=page.get_by_role("link", name="fetch-0"))
    expect(fetched).to_contain_text("Completed")
    expect(fetched.get_by_role("cell").nth(2)).to_have_text("2")

    # The subflow's task left the artifacts; its run is called by its flow in the graph.
    page.get_by_role("button", name="Graph").click()
    page.get_by_role("button", name=re.compile("^inner")).click()
    page.get_by_role("complementary", name=re.compile("About inner")).get_by_role("link", name="Open").click()
    expect(page.get_by_role("log")).to_contain_text("writing the report")
    page.get_by_role("tab", name="Artifacts").click()
    expect(page.get_by_role("heading", name="Rides", exact=True, level=2)).to_be_visible()
    expect(page.get_by_role("heading", name="By city", level=3)).to_be_visible()
    expect(page.get_by_role("table").filter(has_text="Lisbon")).to_have_count(2)
    expect(page.get_by_role("cell", name="Lisbon").first).to_be_visible()
    assert page.locator("script:not([src])").count() == 0


def test_an_artifact_keeps_its_versions(page: Page, start_script: StartScript) -> None:
    for _ in range(2):
        assert start_script(REPORT).end() == 0
    page.goto("/artifacts")
    page.get_by_role("link", name="rides", exact=True).click()
    expect(page.get_by_text("2 versions")).to_be_visible()
    expect(page.get_by_role("heading", name="By city")).to_be_visible()


def test_a_run_is_followed_without_a_reload(page: Page, ask: httpx2.Client, start_script: StartScript) -> None:
    page.goto("/runs")
    expect(page.get_by_text("Nothing has run in this time")).to_be_visible()
    page.evaluate("window.stayed = true")
    script = start_script(STEPS)
    link = page.get_by_role("table", name="Flow runs").get_by_role("link", name=re.compile("^(?!steps)"))
    link.first.click()
    run = only_run(ask, "steps")
    expect(page.get_by_role("heading", level=1)).to_have_text(run["name"])
    expect(page.get_by_text("Running", exact=True).first).to_be_visible()
    lines = page.get_by_role("log")
    for number in range(3):
        expect(lines).to_contain_text(f"step {number} is done")
        expect(page.get_by_role("application", name=re.compile(f"of {number + 1} task run"))).to_be_visible()
        script.go_on()
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    expect(page.get_by_text("Following")).to_have_count(0)
    assert page.evaluate("window.stayed")


def test_a_run_is_cancelled_from_its_page(page: Page, ask: httpx2.Client, start_script: StartScript) -> None:
    start_script(STEPS)
    page.goto("/runs")
    page.get_by_role("table", name="Flow runs").get_by_role("link", name=re.compile("^(?!steps)")).first.click()
    expect(page.get_by_role("log")).to_contain_text("step 0 is done")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text(re.compile("^Cancell(ing|ed)$")).first).to_be_visible()
    assert only_run(ask, "steps")["state_type"] in {"CANCELLING", "CANCELLED"}


def test_a_quick_run_is_created(page: Page, ask: httpx2.Client, deployment: str) -> None:
    page.goto(f"/deployments/{deployment}")
    page.get_by_role("button", name="Quick run").click()
    page.get_by_role("button", name="Open", exact=True).click()
    run = only_run(ask, "ingest")
    expect(page.get_by_role("heading", level=1)).to_have_text(run["name"])
    assert (run["deployment_id"], run["parameters"]) == (
        deployment,
        {"city": "Lisbon", "place": {"host": "db"}},
    )


def test_a_custom_run_takes_parameters_of_every_kind(visitor: Visitor, ask: httpx2.Client, deployment: str) -> None:
    visitor.expected = ("422",)
    page = visitor.page
    page.goto(f"/deployments/{deployment}/run")
    page.get_by_label("limit").fill("5000")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("limit: 5000 is greater than the maximum of 100")).to_be_visible()
    expect(page.get_by_text("5000 is greater than the maximum of 100", exact=True)).to_be_visible()
    assert ask.post("/flow_runs/count", json={}).json() == 0

    page.get_by_label("limit").fill("50")
    page.get_by_label("share").fill("0.25")
    page.get_by_label("full").check()
    page.get_by_role("combobox", name="mode").click()
    page.get_by_role("option", name="fast").click()
    page.get_by_label("since").fill("2026-05-01T08:30")
    page.get_by_role("button", name="Add").click()
    page.locator("fieldset").filter(has_text="names").get_by_role("textbox").last.fill("b")
    page.get_by_label("Port").fill("5432")
    page.get_by_label("Name", exact=False).last.fill("by-hand")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("by-hand")
    run = only_run(ask, "ingest")
    assert (run["name"], run["state_type"]) == ("by-hand", "SCHEDULED")
    assert run["parameters"] == {
        "city": "Lisbon",
        "limit": 50,
        "share": 0.25,
        "full": True,
        "mode": "fast",
        "since": "2026-05-01T06:30:00.000Z",
        "names": ["a", "b"],
        "place": {"host": "db", "port": 5432},
        "note": None,
    }


def schedules_of(ask: httpx2.Client, deployment: str) -> list[dict[str, Any]]:
    """The deployment's schedules, as the server has them."""
    return ask.get(f"/deployments/{deployment}").json()["schedules"]


def test_a_schedule_is_set_changed_switched_off_and_removed(page: Page, ask: httpx2.Client, deployment: str) -> None:
    page.goto(f"/deployments/{deployment}")
    page.get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cron").click()
    dialog.get_by_label("Cron line").fill("* * * * *")
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    switch = page.get_by_role("switch", name="Every minute is on")
    expect(switch).to_be_checked()
    (schedule,) = schedules_of(ask, deployment)
    assert (schedule["schedule"]["cron"], schedule["active"]) == ("* * * * *", True)

    switch.click()
    expect(switch).not_to_be_checked()
    assert not schedules_of(ask, deployment)[0]["active"]

    page.get_by_role("button", name="Change the schedule").click()
    dialog.get_by_label("Cron line").fill("0 7 * * *")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("07:00, every day", exact=True)).to_be_visible()
    assert schedules_of(ask, deployment)[0]["schedule"]["cron"] == "0 7 * * *"

    page.get_by_role("button", name="Remove the schedule").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("It runs when somebody starts it.")).to_be_visible()
    assert schedules_of(ask, deployment) == []


def test_intervals_and_rules_are_schedules_too(page: Page, ask: httpx2.Client, deployment: str) -> None:
    page.goto(f"/deployments/{deployment}")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_label("Every").fill("2")
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("switch", name="Every 2 hours is on")).to_be_checked()
    page.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_role("button", name="Rule").click()
    dialog.get_by_label("Rule", exact=True).fill("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0")
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Every month on the last Friday at 18:00")).to_be_visible()
    told = [schedule["schedule"] for schedule in schedules_of(ask, deployment)]
    assert {one.get("interval") or one.get("rrule") for one in told} == {
        7200,
        "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0",
    }


def test_a_pool_and_its_queues_are_made_paused_changed_and_deleted(visitor: Visitor, ask: httpx2.Client) -> None:
    page = visitor.page
    page.goto("/work-pools")
    page.get_by_role("button", name="New work pool").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("night shift")
    dialog.get_by_label("Runs at once").fill("4")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("night shift")
    switch = page.get_by_role("switch", name="night shift is on")
    switch.click()
    expect(switch).not_to_be_checked()
    pool = ask.get("/work_pools/night shift").json()
    assert (pool["is_paused"], pool["concurrency_limit"]) == (True, 4)
    switch.click()
    expect(switch).to_be_checked()

    queues = page.get_by_role("table", name="Queues")
    page.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_label("Name").fill("slow")
    dialog.get_by_label("Priority").fill("9")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(queues.get_by_text("slow")).to_be_visible()
    page.get_by_role("button", name="Change slow").click()
    dialog.get_by_label("Priority").fill("8")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    queue = ask.get("/work_pools/night shift/queues/slow").json()
    assert (queue["priority"], queue["is_paused"]) == (8, False)

    page.get_by_role("button", name="More for this work pool").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete the work pool").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Work pools")
    assert ask.post("/work_pools/count", json={}).json() == 0


def test_filters_stand_in_the_address_and_are_taken_back(page: Page, start_script: StartScript) -> None:
    assert start_script(REPORT).end() == 0
    page.goto("/runs")
    expect(page.get_by_text("2 flow runs")).to_be_visible()
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Failed").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("No run passes these filters")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?state=failed$"))
    page.reload()
    expect(page.get_by_text("No run passes these filters")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("2 flow runs")).to_be_visible()
