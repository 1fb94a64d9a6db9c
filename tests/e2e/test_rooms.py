"""Every room, light and dark, wide and narrow: shown without a fault, a request to another host or anything cut off."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakeVisitor
from tests.e2e.stub.server import StubServer

ROOMS = {
    "/": "Overview",
    "/runs": "Runs",
    "/runs?state=failed,crashed&since=30d": "Runs",
    "/runs/{trained}": "{trained_name}",
    "/runs/{trained}?tab=artifacts": "{trained_name}",
    "/runs/{trained}?tab=parameters&view=graph": "{trained_name}",
    "/runs/{failed}?tab=states": "{failed_name}",
    "/runs/{running}?tab=tasks": "{running_name}",
    "/runs/{parent}?tab=details": "{parent_name}",
    "/runs/{paused}": "{paused_name}",
    "/task-runs/{task}": "{task_name}",
    "/task-runs/{task}?tab=inputs": "{task_name}",
    "/flows": "Flows",
    "/flows/{flow}": "sync-orders",
    "/deployments": "Deployments",
    "/deployments/{deployment}": "taxi_local_data",
    "/deployments/{deployment}?tab=parameters": "taxi_local_data",
    "/deployments/{deployment}/run": "New run",
    "/work-pools": "Work pools",
    "/work-pools/zoompool": "zoompool",
    "/artifacts": "Artifacts",
    "/artifacts/key/duration-model-report": "duration-model-report",
    "/artifacts/{artifact}": "Report",
    "/nowhere": None,
}

SIGHTS: list[tuple[Literal["light", "dark"], int]] = [("light", 1440), ("light", 400), ("dark", 1440), ("dark", 400)]


def names_of(stub: StubServer) -> dict[str, str]:
    """What stands for the names in the addresses."""
    world = stub.world
    names: dict[str, str] = {}
    for key, run in world.named.items():
        names |= {key: run["id"], f"{key}_name": run["name"]}
    task = world.tasks_of(world.named["trained"])[2]
    names |= {"task": task["id"], "task_name": task["name"]}
    names["flow"] = world.flow("sync-orders")["id"]
    names["deployment"] = next(one["id"] for one in world.deployments if one["name"] == "taxi_local_data")
    names["artifact"] = next(one["id"] for one in world.artifacts if not one["key"])
    return names


@pytest.mark.parametrize("path", ROOMS)
def test_every_room_is_shown_whole(page: Page, stub: StubServer, path: str) -> None:
    names, title = names_of(stub), ROOMS[path]
    for colours, width in SIGHTS:
        page.emulate_media(color_scheme=colours)
        page.set_viewport_size({"width": width, "height": 850})
        page.goto(path.format(**names))
        if title is None:
            expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
        else:
            # An artifact may bring a heading of its own; the page's comes first.
            expect(page.get_by_role("heading", level=1).first).to_have_text(title.format(**names))
        expect(page.locator("html")).to_have_attribute("data-theme", colours)
        expect(page.locator("[role=status][aria-label=Loading]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (colours, width)


def test_the_colours_are_chosen_once_and_kept(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor(color_scheme="light")
    page = visitor.page
    page.goto("/")
    page.get_by_role("button", name="Colours: system; change to light").click()
    page.get_by_role("button", name="Colours: light; change to dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    other = visitor.open()
    other.goto("/flows")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")


def test_anything_is_found_by_its_name(page: Page, stub: StubServer) -> None:
    run = stub.world.named["trained"]
    page.goto("/flows")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(run["name"])
    expect(page.get_by_role("option", name=run["name"]).first).to_be_visible()
    page.get_by_role("combobox").fill("taxi_local_data2")
    expect(page.get_by_role("option", name="taxi_local_data2")).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("taxi_local_data2")


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.goto("/runs")
    expect(page.get_by_role("table", name="Flow runs")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    reached: set[str] = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent || document.activeElement.ariaLabel || ''"))
    assert {"Overview", "Flows", "State", "Without subflows"} <= reached


def test_a_new_server_says_what_to_do_first(page: Page, stub: StubServer) -> None:
    stub.world.flow_runs.clear()
    stub.world.flows.clear()
    stub.world.deployments.clear()
    stub.world.work_pools.clear()
    stub.world.artifacts.clear()
    for path, title in [
        ("/", "Nothing has flowed yet"),
        ("/runs", "Nothing has run in this time"),
        ("/flows", "No flow yet"),
        ("/deployments", "No deployment yet"),
        ("/work-pools", "No work pool yet"),
        ("/artifacts", "No artifact with a key yet"),
    ]:
        page.goto(path)
        expect(page.get_by_role("heading", name=title)).to_be_visible()
