"""People look at long lists, of which much happens elsewhere."""

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.api.rig import Rig, schedule
from tests.browser.conftest import sign_in

SERVICES = 130


@pytest.fixture
async def long(context: BrowserContext, served: Rig) -> str:
    """The address of a workspace with many services and a schedule, for who is signed in."""
    await served.post("/v1/workspaces", {"id": "long"})
    batch = [{"command": "AddService", "data": {"id": f"s{n:03}", "handler": "noop"}} for n in range(SERVICES)]
    await served.post("/v1/long/commands", batch)
    await sign_in(context, served)
    return f"{served.url}/#/long"


async def test_a_long_list_is_gone_through_with_the_keyboard(context: BrowserContext, long: str) -> None:
    page = await context.new_page()
    await page.goto(f"{long}/jobs?tab=services")
    parts = page.get_by_role("navigation", name="Parts of the list")

    await expect(page.get_by_role("tab", name=re.compile("^Services"))).to_contain_text(str(SERVICES))
    await shows(page, first="s000", rows=50)
    await parts.get_by_role("button", name="Next").press("Enter")
    await shows(page, first="s050", rows=50)
    sent_on = page.url
    await page.keyboard.press("Enter")
    await shows(page, first="s100", rows=30)
    await page.keyboard.press("Enter")
    await expect(parts.get_by_role("button", name="Next")).to_be_disabled()
    await parts.get_by_role("button", name="Previous").press("Enter")
    await shows(page, first="s050", rows=50)
    await page.go_back()
    await shows(page, first="s100", rows=30)
    await page.get_by_label("Search jobs").fill("s00")
    await shows(page, first="s000", rows=10)

    other = await context.new_page()
    await other.goto(sent_on)
    await shows(other, first="s050", rows=50)


async def shows(page: Page, *, first: str, rows: int) -> None:
    await expect(page.get_by_role("row").nth(1)).to_contain_text(first)
    await expect(page.get_by_role("row")).to_have_count(rows + 1)


async def test_a_page_reads_nothing_for_runs_that_it_does_not_show(
    context: BrowserContext, served: Rig, long: str
) -> None:
    body = {**schedule("shown", description="Shown here"), "jobs": [{"job": {"kind": "service", "id": "s000"}}]}
    await served.command("CreateSchedule", body, workspace="long")
    pages = [await context.new_page() for _ in range(2)]
    schedules, services = pages
    for page, tab in ((schedules, "workspace"), (services, "services")):
        await page.goto(f"{long}/jobs?tab={tab}")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(page.get_by_role("row").nth(1)).to_be_visible()
    asked: list[str] = []
    schedules.on("request", lambda request: asked.append(request.url) if "wait_for" in request.url else None)

    await served.command("RunNow", {"owner": {"kind": "service", "id": "s005"}}, workspace="long")
    await expect(services.get_by_role("row").nth(6).get_by_role("progressbar")).to_be_visible()
    assert asked == []

    await served.command("RunNow", {"owner": {"kind": "schedule", "id": "shown"}}, workspace="long")
    await expect(schedules.get_by_role("row").nth(1).get_by_role("progressbar")).to_be_visible()
    assert len(asked) >= 1
