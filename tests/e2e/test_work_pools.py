"""Work pools: made, switched off, their queues and workers."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor
from tests.e2e.stub.server import StubServer


def test_a_pool_is_made(page: Page, stub: StubServer) -> None:
    page.goto("/work-pools")
    page.get_by_role("button", name="New work pool").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("Give it a name.")).to_be_visible()
    dialog.get_by_label("Name").fill("a/b")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("A name has none of")).to_be_visible()
    dialog.get_by_label("Name").fill("night shift")
    dialog.get_by_role("radio", name="Docker").check()
    dialog.get_by_label("Runs at once").fill("4")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("night shift")
    expect(page.get_by_text("headrace worker start -p 'night shift'")).to_be_visible()
    pool = stub.world.work_pools[-1]
    assert (pool["name"], pool["type"], pool["concurrency_limit"]) == ("night shift", "docker", 4)


def test_a_name_that_is_taken_is_refused_with_its_reason(visitor: Visitor) -> None:
    visitor.expected = ("409",)
    page = visitor.page
    page.goto("/work-pools")
    page.get_by_role("button", name="New work pool").click()
    page.get_by_role("dialog").get_by_label("Name").fill("gpu")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_text("A work pool named gpu exists already.")).to_be_visible()


def test_a_pool_is_paused_changed_and_deleted(page: Page, stub: StubServer) -> None:
    page.goto("/work-pools/gpu")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    page.get_by_role("switch", name="gpu is on").click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    pool = next(one for one in stub.world.work_pools if one["name"] == "gpu")
    assert pool["is_paused"]
    page.get_by_role("button", name="More for this work pool").click()
    page.get_by_role("menuitem", name="Change…").click()
    page.get_by_role("dialog").get_by_label("Runs at once").fill("")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert pool["concurrency_limit"] is None
    page.get_by_role("button", name="More for this work pool").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete the work pool").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Work pools")
    expect(page.get_by_role("link", name="gpu")).to_have_count(0)


def test_queues_are_added_and_switched_off(page: Page, stub: StubServer) -> None:
    page.goto("/work-pools/zoompool")
    queues = page.get_by_role("table", name="Queues")
    page.get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("slow")
    dialog.get_by_label("Priority").fill("9")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    expect(queues.get_by_text("slow")).to_be_visible()
    queues.get_by_role("switch", name="slow is on").click()
    expect(queues.get_by_role("switch", name="slow is on")).not_to_be_checked()
    queue = stub.world.queues["zoompool"][-1]
    assert (queue["name"], queue["priority"], queue["is_paused"]) == ("slow", 9, True)


def test_workers_are_there_or_not(page: Page) -> None:
    page.goto("/work-pools/zoompool")
    workers = page.get_by_role("table", name="Workers")
    expect(workers.get_by_role("row").filter(has_text="mill-01")).to_contain_text("Online")
    expect(workers.get_by_role("row").filter(has_text="laptop of Ada")).to_contain_text("Offline")
