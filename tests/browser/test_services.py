"""People make services and flows, take in integrations, and begin."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, Page, Route, expect

from eventjobs.handlers.registry import Registry
from eventjobs.runner.catalog import Catalog
from eventjobs.web.pages import load_pages
from tests.api.postgres_rig import on_postgres
from tests.api.rig import DAILY, Rig
from tests.browser.conftest import Open, seen
from tests.browser.test_dashboard import serious

DEFINITION: dict[str, Any] = {
    "id": "people",
    "name": "People from files",
    "services": [{"id": "load", "handler": "sleep", "config": {"seconds": 1}}],
    "features": [
        {
            "id": "nightly",
            "name": "Load people each night",
            "schedules": [
                {"id": "all", "cadence": DAILY, "jobs": [{"job": {"kind": "service", "id": "load"}}]},
            ],
        }
    ],
}
YAML = """id: people
name: People from files
services:
  - {id: load, handler: sleep, config: {seconds: 2}}
features:
  - id: nightly
    schedules:
      - id: all
        cadence: {start_date: 2100-12-01, start_time: "20:00", time_zone: UTC, every: 1, unit: %s}
        jobs: [{job: {kind: service, id: load}}]
"""
CRONTAB = """MAILTO=ops@example.org
30 2 * * *  report --all
@reboot  start
0 6 * * MON  tidy
"""


@pytest.fixture(scope="module")
async def served(database_url: str) -> AsyncIterator[Rig]:
    """A server with the handlers that come with it; `acme` has an integration, the others have nothing."""
    catalog = Catalog(Registry.load({"commands": ("/bin/sh",)}))
    async with on_postgres(database_url, pages=load_pages(), catalog=catalog) as rig:
        for workspace in ("acme", "fresh", "empty"):
            made = await rig.post("/v1/workspaces", {"id": workspace, "time_zone": "Europe/Berlin"})
            assert made.status == 201
        await do(rig, "AddService", {"id": "used", "name": "Used by one", "handler": "sleep", "config": {"seconds": 1}})
        jobs = [{"job": {"kind": "service", "id": "used"}}]
        await do(rig, "CreateSchedule", {"id": "user", "cadence": DAILY, "jobs": jobs})
        await do(rig, "PublishDefinition", DEFINITION)
        await do(rig, "RegisterIntegration", {"definition": "people", "features": ["nightly"]})
        yield rig


async def do(rig: Rig, command: str, body: dict[str, Any], workspace: str = "acme") -> None:
    """Do it, and let the views have it."""
    answered = await rig.command(command, body, workspace=workspace)
    assert answered.status == 201, answered.body
    await rig.get(f"/v1/{workspace}?wait_for={answered.json['position']}")


def sheet(page: Page) -> Locator:
    return page.locator("dialog.sheet")


async def test_a_service_is_made_in_a_form_of_its_handlers_schema(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=services")
    await page.get_by_role("button", name="Add a service").click()
    form = sheet(page)
    await form.get_by_label("Does", exact=False).first.select_option("http")
    await form.get_by_label("Name", exact=True).fill("Tell the shop")
    await form.get_by_role("button", name="Add the service").click()
    await expect(form.get_by_role("heading", name="to put right")).to_be_visible()
    await expect(form.locator(".field.wrong").filter(has_text="URL")).to_be_visible()

    await form.get_by_label("URL").fill("https://shop.example.org/told")
    await form.locator("summary").filter(has_text="More of http").click()
    await form.get_by_label("Method").select_option("PUT")
    await form.get_by_role("button", name="Set signature").click()
    await form.get_by_role("textbox", name="Secret", exact=True).fill("secret://shop")
    await form.get_by_role("button", name="Add a line").click()
    await form.get_by_label("Headers: name 1").fill("X-Shop")
    await form.get_by_label("Headers: value 1").fill("north")
    await form.get_by_label("Body").fill("{nonsense")
    await form.get_by_role("button", name="Add the service").click()
    await expect(form.get_by_role("listitem").filter(has_text="This is not JSON")).to_be_visible()
    await form.get_by_label("Body").fill('{"hello": ["world"]}')
    await expect(form.get_by_text("Service tell-the-shop was added")).to_be_visible()
    await form.get_by_role("button", name="Add the service").click()

    row = page.get_by_role("row").filter(has_text="Tell the shop")
    await expect(row.get_by_role("cell", name="http")).to_be_visible()
    made = await seen(served, "/v1/acme/services/tell-the-shop")
    assert made["config"] == {
        "url": "https://shop.example.org/told",
        "method": "PUT",
        "signature": {"secret": "secret://shop"},
        "headers": {"X-Shop": "north"},
        "body": {"hello": ["world"]},
    }

    await row.get_by_role("button", name="More about Tell the shop").click()
    await page.get_by_role("menuitem", name="Configure").click()
    await expect(form.get_by_text("Nothing would change.")).to_be_visible()
    await form.get_by_text("When it fails").click()
    await form.get_by_label("Attempts", exact=False).first.fill("4")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    kept = await seen(served, "/v1/acme/services/tell-the-shop")
    assert (kept["config"], kept["policy"]["attempts"]) == (made["config"], 4)


async def test_a_service_that_is_used_says_by_whom_and_is_not_deleted(opened: Open) -> None:
    page = await opened("jobs?tab=services")
    row = page.get_by_role("row").filter(has_text="Used by one")
    await row.get_by_role("button", name="More about Used by one").click()
    entry = page.get_by_role("menuitem", name="Delete")
    await expect(entry).to_be_disabled()
    await expect(entry).to_contain_text("it is used by user")
    await page.keyboard.press("Escape")
    await row.get_by_role("link", name="user").click()
    await expect(page.get_by_role("row").filter(has_text="Every day")).to_be_visible()


async def test_a_flow_that_is_not_on_demand_says_that_it_cannot_be_scheduled(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=flows")
    await page.get_by_role("button", name="Add a flow").first.click()
    form = sheet(page)
    await form.get_by_label("Name", exact=True).fill("Approve orders")
    await form.get_by_label("URL").fill("https://approvals.example.org/")
    await form.get_by_role("radio", name="A cache event").check(force=True)
    await expect(form.get_by_text("It cannot be scheduled: only flows on demand can.")).to_be_visible()
    await form.get_by_label("Waits for its end", exact=True).fill("4")
    await form.get_by_role("button", name="Add the flow").click()

    await expect(page.get_by_role("row").filter(has_text="Approve orders")).to_contain_text("not for schedules")
    made = await seen(served, "/v1/acme/flows/approve-orders")
    assert (made["trigger"], made["policy"]["wait_timeout"], made["active"]) == ("cache_event", "PT4H", True)


async def test_a_feature_is_put_into_use_and_a_sync_is_made_after_its_diff_was_seen(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=integrations")
    card = page.locator(".integration").filter(has_text="People from files")
    await card.get_by_role("button", name="Change …").click()
    form = sheet(page)
    await form.get_by_role("radio", name="Active").check(force=True)
    await expect(form.locator(".diff")).to_contain_text("people.all")
    await form.get_by_role("button", name="Set the status").click()
    await expect(card.get_by_role("row").filter(has_text="nightly")).to_contain_text("Active")

    await page.get_by_role("button", name="Publish a definition").click()
    await form.get_by_label("YAML or JSON").fill(YAML % "fortnight")
    await expect(form.get_by_text("Line 9")).to_be_visible()
    chosen = {"name": "people.yaml", "mimeType": "text/yaml", "buffer": (YAML % "day").encode()}
    await form.locator("input[type=file]").set_input_files(chosen)
    await expect(form.locator(".diff")).to_contain_text("people.load")
    await expect(form.locator(".diff")).to_contain_text('{"seconds":2}')
    await form.get_by_role("button", name="Publish").click()
    await expect(card).to_contain_text("version 2")
    assert (await seen(served, "/v1/acme/services/people.load"))["config"] == {"seconds": 2}

    await do(served, "DeleteSchedule", {"id": "people.all"})
    await card.get_by_text("What differs from the definition").click()
    drift = card.get_by_role("listitem").filter(has_text="people.all")
    await expect(drift).to_contain_text("was deleted here")
    await drift.get_by_role("button", name="Restore").click()
    await page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    await expect(card).to_contain_text("Nothing differs")

    await card.get_by_role("button", name="Sync", exact=True).click()
    await expect(form.get_by_text("Nothing would change.")).to_be_visible()


async def test_a_crontab_is_shown_line_by_line_before_anything_is_made(opened: Open, served: Rig) -> None:
    page = await opened("jobs")
    await page.goto(f"{served.url}/#/fresh/jobs")
    before = served.log.known_head.position
    await page.get_by_role("button", name="Import a crontab").first.click()
    form = sheet(page)
    await form.get_by_label("Lines").fill(CRONTAB)
    lines = form.locator(".crontab .line")
    await expect(lines).to_have_count(3)
    await expect(lines.nth(0)).to_contain_text("Every day at 02:30, Europe/Berlin")
    await expect(lines.nth(0).locator("time")).to_have_count(5)
    await expect(lines.nth(0)).to_contain_text("does not exist")
    await expect(lines.nth(1)).to_contain_text("`@reboot` names no time")
    await lines.nth(2).get_by_role("checkbox").uncheck()
    await expect(form.get_by_text("Service report-all").first).to_be_visible()
    assert served.log.known_head.position == before

    await form.get_by_role("button", name="Make the schedules").click()
    await expect(page.get_by_role("heading", name="Your first schedule is active")).to_be_visible()
    found = (await seen(served, "/v1/fresh/schedules"))["items"]
    assert [one["cadence"]["cron"] for one in found] == ["30 2 * * *"]


async def test_who_begins_is_led_from_no_workspace_to_a_first_schedule(
    opened: Open, served: Rig, context: BrowserContext
) -> None:
    await context.route("**/v1/workspaces?*", none_at_all, times=1)
    page = await opened("jobs", wait_for="text=There is no workspace yet")
    await page.get_by_role("button", name="Make a workspace").click()
    form = sheet(page)
    await form.get_by_label("Id").fill("first")
    await form.get_by_role("button", name="Make the workspace").click()
    steps = page.get_by_role("region", name="Three steps to a first schedule")
    await expect(steps.get_by_text("(done)")).to_have_count(0)

    await steps.get_by_role("button", name="Make the example").click()
    await expect(form.get_by_text("Service example-report was added")).to_be_visible()
    await expect(form.get_by_text("2 runs would start at once: ")).to_be_visible()
    await expect(form.get_by_text("eventjobs demo")).to_be_visible()
    await form.get_by_role("button", name="Make the example").click()
    await expect(steps.get_by_text("(done)")).to_have_count(2)
    await steps.get_by_role("button", name="Activate it").click()
    await page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    await expect(page.get_by_role("region", name="Your first schedule is active")).to_contain_text("runs next")
    ran = {run["owner"]["id"] for run in (await seen(served, "/v1/first/runs"))["items"]}
    assert ran == {"example-nightly", "example-fair"}
    groups = (await seen(served, "/v1/first/manage-connect/group-jobs"))["items"]
    assert {one["id"]: one["state"] for one in groups} == {"example-newsletter": "draft", "example-fair": "active"}


async def none_at_all(route: Route) -> None:
    await route.fulfill(json={"items": [], "next": None})


async def test_a_publisher_syncs_other_workspaces_and_sees_what_that_does_there(opened: Open, served: Rig) -> None:
    await do(served, "RegisterIntegration", {"definition": "acme/people"}, "fresh")
    changed = {**DEFINITION, "services": [{**DEFINITION["services"][0], "config": {"seconds": 3}}]}
    await do(served, "PublishDefinition", changed)
    page = await opened("jobs?tab=integrations")
    await page.get_by_role("button", name="Details of People from files").click()
    await page.get_by_role("button", name="Sync other workspaces …").click()
    form = sheet(page)
    await expect(form.get_by_role("checkbox", name="fresh")).to_be_checked()
    await expect(form.locator(".diff")).to_contain_text('{"seconds":3}')
    await form.get_by_role("button", name="Sync").click()
    await expect(page.locator(".registrations li").filter(has_text="fresh")).to_contain_text("in sync")

    for name in ("shops", "stocks"):
        await do(served, "PublishDefinition", {**DEFINITION, "id": name, "name": name})
        await do(served, "RegisterIntegration", {"definition": name, "features": ["nightly"]})
        await do(served, "PublishDefinition", {**changed, "id": name, "name": name})
        await page.get_by_role("checkbox", name=f"Choose {name}").check()
    await page.get_by_role("button", name="Sync 2 chosen ones").click()
    await expect(form.get_by_label("What it would do")).to_contain_text("stocks")
    await form.get_by_role("button", name="Sync").click()
    for name in ("shops", "stocks"):
        card = page.locator(".integration").filter(has=page.get_by_role("heading", name=name))
        await expect(card).to_contain_text("in sync")


async def test_forms_and_first_steps_are_for_everybody_and_fit_on_a_phone(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=integrations")
    await page.emulate_media(color_scheme="dark")
    wrong = await faults(page, "integrations")
    await page.get_by_role("button", name="Publish a definition").click()
    wrong += await faults(page, "publish")
    await page.keyboard.press("Escape")
    await page.goto(f"{served.url}/#/acme/jobs?tab=services")
    await page.get_by_role("button", name="Add a service").click()
    form = sheet(page)
    await form.get_by_label("Does").select_option("csv.import")
    await form.get_by_text("More of csv.import").click()
    await form.get_by_role("button", name="Set ready").click()
    wrong += await faults(page, "service")
    await page.keyboard.press("Escape")
    await form.get_by_role("button", name="Drop it").click()
    await page.goto(f"{served.url}/#/empty/jobs")
    await expect(page.get_by_role("region", name="Three steps to a first schedule")).to_be_visible()
    wrong += await faults(page, "first steps")
    await page.get_by_role("button", name="Import a crontab").first.click()
    await form.get_by_label("Lines").fill(CRONTAB)
    await expect(form.locator(".crontab .line")).to_have_count(3)
    wrong += await faults(page, "crontab")
    assert wrong == []


async def faults(page: Page, where: str) -> list[str]:
    """Return what axe finds that keeps people out, and whether there is something to scroll sideways on a phone."""
    found = await serious(page, where)
    await page.set_viewport_size({"width": 390, "height": 900})
    for part in ("document.documentElement", "document.querySelector('dialog.sheet')"):
        if await page.evaluate(f"({part})?.scrollWidth > 390"):
            found.append(f"{where}: {part} is wider than a phone")
    await page.set_viewport_size({"width": 1280, "height": 900})
    return found
