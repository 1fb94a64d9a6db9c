"""Deployments: run now, run with other parameters, schedules."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.stub.clock import Json
from tests.e2e.stub.server import StubServer


def deployment(stub: StubServer, name: str) -> Json:
    """The deployment of that name."""
    return next(one for one in stub.world.deployments if one["name"] == name)


def test_a_quick_run_begins_at_once(page: Page, stub: StubServer) -> None:
    page.goto(f"/deployments/{deployment(stub, 'lisbon')['id']}")
    page.get_by_role("button", name="Quick run").click()
    expect(page.get_by_text("will begin at once.")).to_be_visible()
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(stub.world.flow_runs[-1]["name"])
    assert stub.world.flow_runs[-1]["parameters"] == {"city": "Lisbon"} or not stub.world.flow_runs[-1]["parameters"]


def test_a_quick_run_asks_for_what_is_missing(page: Page, stub: StubServer) -> None:
    page.goto("/deployments")
    page.get_by_role("button", name="Run taxi_local_data now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New run")
    expect(page.get_by_text("taxi_local_data needs experiment.")).to_be_visible()


def test_a_custom_run_is_filled_in_by_hand(page: Page, stub: StubServer) -> None:
    one = deployment(stub, "taxi_local_data")
    page.goto(f"/deployments/{one['id']}/run")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("experiment: has to be given")).to_be_visible()

    page.get_by_label("experiment").fill("from the browser")
    page.get_by_label("rounds").fill("250")
    page.get_by_role("combobox", name="objective").click()
    page.get_by_role("option", name="reg:gamma").click()
    page.get_by_label("shuffle").uncheck()
    page.get_by_role("button", name="Add").click()
    page.locator("fieldset").filter(has_text="regions").get_by_role("textbox").last.fill("bronx")
    page.get_by_label("Max Depth").fill("6")
    page.get_by_label("Name").fill("by-hand")
    page.get_by_label("Tags").fill("try, browser")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("by-hand")
    run = stub.world.flow_runs[-1]
    assert run["parameters"] == {
        "train_path": "./data/green_tripdata_2021-01.parquet",
        "val_path": "./data/green_tripdata_2021-02.parquet",
        "rounds": 250,
        "objective": "reg:gamma",
        "shuffle": False,
        "as_of": None,
        "regions": ["manhattan", "queens", "bronx"],
        "booster": {"learning_rate": 0.095, "max_depth": 6, "seed": 42},
        "experiment": "from the browser",
    }


def test_parameters_may_be_written_as_json(page: Page, stub: StubServer) -> None:
    one = deployment(stub, "lisbon")
    page.goto(f"/deployments/{one['id']}/run")
    expect(page.get_by_label("city")).to_have_value("Lisbon")
    page.get_by_role("button", name="JSON").click()
    text = page.get_by_role("textbox", name="Parameters as JSON")
    text.fill('{"city": ')
    expect(page.get_by_text("This is not a JSON object yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    text.fill('{"city": "Porto"}')
    page.get_by_role("button", name="Form").click()
    expect(page.get_by_label("city")).to_have_value("Porto")


def test_a_run_is_scheduled_for_later(page: Page, stub: StubServer) -> None:
    page.goto(f"/deployments/{deployment(stub, 'lisbon')['id']}/run")
    page.get_by_role("button", name="Later").click()
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_text("Say when the run is to begin.")).to_be_visible()
    page.get_by_label("At").fill("2031-05-01T08:30")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_text("is scheduled.")).to_be_visible()
    assert stub.world.flow_runs[-1]["expected_start_time"] == "2031-05-01T06:30:00Z"


def test_a_run_begins_from_the_parameters_of_another(page: Page, stub: StubServer) -> None:
    run = stub.world.named["trained"]
    page.goto(f"/runs/{run['id']}")
    page.get_by_role("button", name="More for this run").click()
    page.get_by_role("menuitem", name="Run again with changes…").click()
    expect(page.get_by_text(f"with the parameters of {run['name']}")).to_be_visible()
    expect(page.get_by_label("experiment")).to_have_value("january")


def test_a_deployment_is_switched_off_and_on(page: Page, stub: StubServer) -> None:
    page.goto("/deployments")
    switch = page.get_by_role("switch", name="lisbon is on")
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    assert deployment(stub, "lisbon")["paused"]
    switch.click()
    expect(switch).to_be_checked()
    assert not deployment(stub, "lisbon")["paused"]


def test_schedules_of_each_kind_are_added(page: Page, stub: StubServer) -> None:
    one = deployment(stub, "taxi_local_data2")
    page.goto(f"/deployments/{one['id']}")
    page.get_by_role("button", name="Add a schedule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Every").fill("15")
    dialog.get_by_role("combobox", name="Unit").click()
    page.get_by_role("option", name="minutes").click()
    expect(dialog.get_by_text("Every 15 minutes")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("switch", name="Every 15 minutes is on")).to_be_checked()
    assert one["schedules"][0]["schedule"] == {"interval": 900, "timezone": "Europe/Berlin"}

    page.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_role("button", name="Rule").click()
    dialog.get_by_label("Rule", exact=True).fill("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18")
    zone = dialog.get_by_role("combobox", name="Time zone")
    zone.fill("tokyo")
    page.get_by_role("option", name="Asia/Tokyo").click()
    dialog.get_by_role("button", name="Add").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Every month on the last Friday at 18:00")).to_be_visible()
    assert one["schedules"][1]["schedule"] == {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18", "timezone": "Asia/Tokyo"}


def test_a_wrong_cron_line_is_refused_with_its_reason(page: Page, stub: StubServer) -> None:
    one = deployment(stub, "taxi_local_data2")
    page.goto(f"/deployments/{one['id']}")
    page.get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cron").click()
    dialog.get_by_label("Cron line").fill("1 2 3 4 5 6")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_text(re.compile("five fields.*This one has 6"))).to_be_visible()
    assert one["schedules"] == []


def test_a_schedule_is_changed_switched_off_and_removed(page: Page, stub: StubServer) -> None:
    one = deployment(stub, "taxi_local_data")
    page.goto(f"/deployments/{one['id']}")
    switch = page.get_by_role("switch", name="06:30, Monday to Friday is on")
    switch.click()
    expect(switch).not_to_be_checked()
    assert not one["schedules"][0]["active"]

    page.get_by_role("button", name="Change the schedule").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Cron line")).to_have_value("30 6 * * 1-5")
    expect(dialog.get_by_role("combobox", name="Time zone")).to_have_value("Europe/Berlin")
    dialog.get_by_label("Cron line").fill("0 7 * * *")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("07:00, every day", exact=True)).to_be_visible()
    assert one["schedules"][0]["schedule"]["cron"] == "0 7 * * *"

    page.get_by_role("button", name="Remove the schedule").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("It runs when somebody starts it.")).to_be_visible()
    assert one["schedules"] == []
