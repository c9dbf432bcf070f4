"""What forms and lists show when somebody else was faster, and what is done when an answer gets lost."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import Route, expect

from tests.api.rig import Rig
from tests.browser.conftest import Complaints, Open, seen
from tests.browser.test_services import do, served, sheet  # noqa: F401


async def test_what_was_taken_in_is_what_the_fields_show(opened: Open, served: Rig) -> None:  # noqa: F811
    page = await opened("jobs?tab=services")
    row = page.get_by_role("row").filter(has_text="Used by one")
    await row.get_by_role("button", name="More about Used by one").click()
    await page.get_by_role("menuitem", name="Configure").click()
    form = sheet(page)
    await form.get_by_label("Name", exact=True).fill("Mine")
    theirs = {"id": "used", "name": "Used by one", "handler": "sleep", "config": {"seconds": 1}}
    await do(served, "ConfigureService", {**theirs, "non_retryable": ["theirs"]})
    await form.get_by_role("button", name="Take theirs in and go on").click()
    await expect(form.get_by_role("button", name="Take theirs in")).to_have_count(0)
    await form.get_by_text("When it fails").click()
    await expect(form.get_by_label("Errors that are not tried again")).to_have_value("theirs")
    await form.get_by_label("Errors that are not tried again").press_sequentially("\nmine")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    kept = await seen(served, "/v1/acme/services/used")
    assert (kept["name"], kept["policy"]["non_retryable"]) == ("Mine", ["theirs", "mine"])


async def test_the_tick_is_green(opened: Open, served: Rig) -> None:  # noqa: F811
    await do(served, "AddService", {"id": "s", "handler": "sleep", "config": {"seconds": 1}}, "fresh")
    page = await opened("jobs")
    await page.goto(f"{served.url}/#/fresh/jobs")
    await page.wait_for_selector(".first-steps .done .tick path")
    look = "one => getComputedStyle(one).stroke === getComputedStyle(one.closest('.tick')).color"
    assert await page.locator(".first-steps .done .tick path").first.evaluate(look)


async def test_an_address_stands_in_its_list(opened: Open, served: Rig) -> None:  # noqa: F811
    page = await opened("calendar")
    await page.get_by_role("button", name="Subscribe").click()
    await page.get_by_text("No address was given out yet").wait_for()
    made = {
        "roles": ["calendar"],
        "read_only": True,
        "expires_at": (datetime.now(UTC) + timedelta(days=300)).isoformat(),
    }
    await do(served, "IssueKey", made)
    await expect(page.locator(".given li")).to_have_count(1, timeout=5000)


async def test_views_that_lag_do_not_lose_what_was_typed(opened: Open, served: Rig) -> None:  # noqa: F811
    path = "/v1/acme/services/used"
    old = await seen(served, path)
    page = await opened("jobs?tab=services")
    row = page.get_by_role("row").filter(has_text=old["name"])
    await row.get_by_role("button", name=f"More about {old['name']}").click()
    await page.get_by_role("menuitem", name="Configure").click()
    form = sheet(page)
    await form.get_by_label("Name", exact=True).fill("Mine again")
    asked = []

    async def lag(route: Route) -> None:
        asked.append(1)
        await (route.fulfill(json=old) if len(asked) == 1 else route.continue_())

    await page.route(f"**{path}", lag)
    theirs = {"id": "used", "name": old["name"], "handler": "sleep", "config": {"seconds": 2}}
    await do(served, "ConfigureService", theirs)
    await form.get_by_role("button", name="Take theirs in and go on").click()
    await expect(form.get_by_role("button", name="Take theirs in")).to_have_count(0, timeout=6000)
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    kept = await seen(served, path)
    assert (kept["name"], kept["config"]["seconds"]) == ("Mine again", 2)


async def test_what_is_sent_again_because_its_end_is_not_known_is_done_once(
    opened: Open,
    served: Rig,  # noqa: F811
    complaints: Complaints,
) -> None:
    page = await opened("jobs?tab=services")
    name = (await seen(served, "/v1/acme/services/used"))["name"]
    sent: list[str] = []

    async def lose(route: Route) -> None:
        sent.append(route.request.headers["idempotency-key"])
        answer = await route.fetch()
        await (route.abort() if len(sent) < 3 else route.fulfill(response=answer))

    await page.route(re.compile(r"/commands/RunNow\?$"), lose)
    await page.get_by_role("button", name=f"Run now: {name}").press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Run now").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("The service does not answer")
    await dialog.get_by_role("button", name="Run now").click()
    await expect(page.get_by_text("Started: Run")).to_be_visible()

    assert (len(sent), len(set(sent))) == (3, 1)
    runs = (await seen(served, "/v1/acme/runs"))["items"]
    assert len([run for run in runs if run["owner"]["id"] == "used"]) == 1
    assert all("net::ERR_FAILED" in one for one in complaints.found)
    complaints.found.clear()


async def test_a_refusal_that_comes_after_the_form_was_closed_is_told(
    opened: Open,
    complaints: Complaints,
) -> None:
    page = await opened("jobs?tab=services")
    await page.get_by_role("button", name="Add a service").click()
    form = sheet(page)
    await form.get_by_label("Does").select_option("sleep")
    await form.get_by_label("Name", exact=True).fill("Too late")
    await form.get_by_label("Seconds").fill("1")
    await expect(form.get_by_text("Service too-late was added")).to_be_visible()
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.fulfill(status=409, json={"code": "id_taken", "detail": "there is another one by now"})

    await page.route(re.compile(r"/commands/AddService\?$"), hold)
    await form.get_by_role("button", name="Add the service").click()
    await page.keyboard.press("Escape")
    await form.get_by_role("button", name="Drop it").click()
    held.set()
    told = "nothing was saved. There is another one by now"
    await expect(page.get_by_text(told)).to_be_visible()
    assert all("409" in one for one in complaints.found)
    complaints.found.clear()
