"""Artifacts: rendered, through time, and harmless."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.stub.server import StubServer

HOSTILE = """# Hello

<script>document.title = "taken"</script>
<img src="x" onerror="document.title = 'taken'">
<a href="javascript:document.title = 'taken'" onclick="document.title = 'taken'">press</a>
<iframe src="https://elsewhere.example"></iframe>
<style>body { display: none }</style>

[press me](javascript:document.title='taken') and ![a picture](https://elsewhere.example/a.png)
"""


def test_a_key_is_looked_at_through_time(page: Page, stub: StubServer) -> None:
    page.goto("/artifacts")
    page.get_by_role("link", name="duration-model-report").click()
    expect(page.get_by_text("5 versions")).to_be_visible()
    expect(page.get_by_role("cell", name="6.52")).to_be_visible()
    page.get_by_role("navigation", name="Versions").get_by_role("link").nth(1).click()
    expect(page.get_by_role("cell", name="6.40")).to_be_visible()
    expect(page).to_have_url(re.compile("version="))
    page.get_by_role("navigation", name="Versions").get_by_role("link").first.click()
    expect(page.get_by_role("cell", name="6.52")).to_be_visible()


def test_kinds_are_shown_as_they_were_meant(page: Page) -> None:
    page.goto("/artifacts/key/errors-by-zone")
    expect(page.get_by_role("cell", name="LaGuardia Airport")).to_be_visible()
    page.get_by_role("button", name="rmse").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("JFK Airport")
    page.get_by_role("button", name="rmse").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("East Harlem North")
    page.goto("/artifacts/key/orders-dashboard")
    link = page.get_by_role("link", name="Orders, last 24 h", exact=True)
    expect(link).to_have_attribute("href", "https://dash.example.com/orders")
    expect(link).to_have_attribute("rel", "noreferrer noopener")
    page.goto("/artifacts/key/backfill")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "84")


def test_what_a_run_writes_can_do_nothing(page: Page, stub: StubServer) -> None:
    artifact = stub.world.add_artifact("hostile", "markdown", stub.world.now, HOSTILE)
    link = stub.world.add_artifact("link", "link", stub.world.now, "javascript:document.title='taken'")
    page.goto(f"/artifacts/{artifact['id']}")
    expect(page.get_by_role("heading", name="Hello")).to_be_visible()
    shown = page.locator(".markdown")
    assert shown.locator("script, iframe, style, img, [onclick], [onerror]").count() == 0
    shown.get_by_text("press me").click()
    expect(page).to_have_title(re.compile("Headrace"))
    # A picture elsewhere is not fetched: that would tell who is looking.
    expect(shown.get_by_role("link", name="a picture")).to_have_attribute("href", "https://elsewhere.example/a.png")
    page.goto(f"/artifacts/{link['id']}")
    expect(page.get_by_role("main")).to_contain_text("javascript:")
    assert page.get_by_role("main").locator("a[href^=javascript]").count() == 0


def test_a_version_is_deleted(page: Page, stub: StubServer) -> None:
    page.goto("/artifacts/key/duration-model-report")
    page.get_by_role("button", name="More for this artifact").click()
    page.get_by_role("menuitem", name="Delete this version…").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("4 versions")).to_be_visible()
    expect(page.get_by_role("cell", name="6.40")).to_be_visible()
