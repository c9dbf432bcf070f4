"""People look at the dashboard and press its buttons."""

import asyncio
import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Route, expect

from tests.api.rig import Rig, schedule
from tests.browser.conftest import Complaints, Open, sign_in
from tests.support.waiting import eventually

PAGES = {
    "jobs?tab=workspace": "Contacts, every night",
    "jobs?tab=services": "noop",
    "jobs?tab=integrations": "No integrations are registered here",
    "jobs?tab=blackouts": "Nothing is blacked out here",
    "connect?tab=all": "orders",
    "connect?tab=completed": "Nothing ended in the last seven days",
    "connect?tab=groups": "Nightly lists",
    "runs/first-run": "Stage 1",
    "calendar?day=2100-12-01": "nightly",
    "calendar?view=week&day=2100-12-01": "Sun 5",
    "calendar?view=load": "The next 24 hours",
    "history": "Service load was added",
    "members": "Nobody is a member yet",
}
"""Addresses, and what only that page shows."""
WIDTHS = (390, 2560)
LINKS_ELSEWHERE = "[...document.links].filter((one) => one.origin !== location.origin).map((one) => one.href)"
KEPT = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, document.documentElement.outerHTML])"
REFUSED = re.compile(r"^error: Failed to load resource: .* 401 ")


async def test_a_key_is_shown_once_and_kept_nowhere(
    opened: Open, served: Rig, context: BrowserContext, complaints: Complaints
) -> None:
    page = await opened("jobs", key=None)
    await page.get_by_label("Your key").fill("ej_AAAAAAAAAAAA_not-a-key")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("no valid key")
    assert [bool(REFUSED.match(one)) for one in complaints.found] == [True]
    complaints.found.clear()

    await page.get_by_label("Your key").fill(served.key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()

    assert served.key not in await page.evaluate(KEPT)
    (cookie,) = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Your key")).to_be_visible()
    assert await context.cookies() == []


async def test_what_another_client_does_is_shown_without_a_reload(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=workspace")
    await page.evaluate("window.isTheSame = true")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()

    await served.command("CreateSchedule", schedule("weekly", description="Made elsewhere"))
    await expect(page.get_by_role("row").filter(has_text="Made elsewhere")).to_contain_text("active")
    await served.command("DeleteSchedule", {"id": "weekly"})
    await expect(page.get_by_role("row").filter(has_text="Made elsewhere")).to_have_count(0)

    assert await page.evaluate("window.isTheSame")


async def test_pages_of_one_browser_share_one_live_stream(opened: Open, served: Rig) -> None:
    pages = [await opened("jobs?tab=services"), await opened("jobs?tab=services")]
    for page in pages:
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()

    await eventually(
        lambda: served.deps.metrics.live_streams._value.get() == 1.0
    )  # those of other tests are left first
    await served.command("AddService", {"id": "shared", "name": "Heard by both", "handler": "noop"})
    for page in pages:
        await expect(page.get_by_text("Heard by both")).to_be_visible()
    await pages[0].close()
    await expect(pages[1].get_by_text("Live", exact=True)).to_be_visible()
    await served.command("DeleteService", {"id": "shared"})
    await expect(pages[1].get_by_text("Heard by both")).to_have_count(0)


async def test_a_command_is_shown_before_it_is_run_and_the_keyboard_is_enough(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=workspace")
    before = served.log.known_head.position

    await page.get_by_role("button", name="Run now: Contacts, every night").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Run Contacts, every night now?")
    await expect(dialog).to_contain_text("1 run would start at once: nightly")
    await expect(dialog).to_contain_text("of schedule nightly opened by hand: 1 job")
    assert served.log.known_head.position == before

    await dialog.get_by_role("button", name="Run now").press("Enter")
    await expect(page.get_by_text("Started: Run Contacts, every night now.")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Contacts, every night")
    await expect(row.get_by_role("progressbar")).to_be_visible()
    await row.get_by_role("button", name="Run now").press("Enter")
    await expect(page.get_by_text("Run now is not possible")).to_contain_text("is open")


async def test_what_a_role_does_not_allow_says_why_and_is_not_sent(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=services", key=await served.issue("reader"))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)

    await page.get_by_role("button", name="More about load").press("Enter")
    entry = page.get_by_role("menuitem", name="Delete")
    await expect(entry).to_be_disabled()
    await expect(entry).to_contain_text("flow_author")
    await entry.press("Enter")

    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    assert await page.evaluate("document.activeElement.ariaLabel") == "More about load"
    assert sent == []


async def test_filters_stand_in_the_address_and_are_there_for_whom_it_is_sent_to(opened: Open) -> None:
    page = await opened("jobs?tab=workspace")
    await page.get_by_label("Search jobs").fill("nothing like that")
    await expect(page.get_by_text("Nothing here matches")).to_be_visible()
    assert page.url.endswith("#/acme/jobs?tab=workspace&q=nothing+like+that")
    await page.get_by_label("Search jobs").fill("every ")
    await expect(page).to_have_url(re.compile(r"q=every$"))
    await expect(page.get_by_role("row").filter(has_text="every night")).to_be_visible()
    await page.keyboard.type("night")
    await expect(page.get_by_label("Search jobs")).to_have_value("every night")

    other = await opened("jobs?tab=workspace&q=every+night&state=active")
    await expect(other.get_by_label("Search jobs")).to_have_value("every night")
    await expect(other.get_by_label("State")).to_have_value("active")
    await other.get_by_role("tab", name="Workspace schedules").press("ArrowRight")
    await expect(other.get_by_role("tab", name="Services")).to_be_focused()
    assert "tab=services" in other.url


async def test_the_history_tells_facts_and_shows_what_is_recorded(opened: Open) -> None:
    page = await opened("jobs?tab=services")
    await page.get_by_role("button", name="More about load").press("Enter")
    await page.get_by_role("menuitem", name="Show its history").press("Enter")

    assert page.url.endswith("#/acme/history?stream=service%3Aload")
    entry = page.get_by_role("listitem").filter(has_text="Service load was added")
    await entry.locator("summary").press("Enter")
    await expect(entry.locator("pre")).to_contain_text('"type": "service.added"')
    await expect(page.get_by_text("Nothing here matches")).to_have_count(0)


async def test_the_history_grows_by_what_is_new_and_reads_nothing_twice(opened: Open, served: Rig) -> None:
    page = await opened("history?types=service.added")
    await expect(page.get_by_text("Service load was added")).to_be_visible()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    head = served.log.known_head.position
    asked: list[int] = []
    page.on("request", lambda request: asked.extend(map(int, re.findall(r"after=(\d+)", request.url))))

    await served.command("AddService", {"id": "fresh", "name": "Fresh", "handler": "noop"})
    await expect(page.get_by_role("listitem").filter(has_text="Service fresh was added")).to_have_count(1)
    await expect(page.get_by_text("Service load was added")).to_have_count(1)
    assert asked
    assert min(asked) >= head
    await served.command("DeleteService", {"id": "fresh"})


async def test_what_is_asked_about_a_command_is_what_would_be_done_now(opened: Open, served: Rig) -> None:
    await served.command("CreateSchedule", schedule("asked", description="Asked about"))
    page = await opened("jobs?tab=workspace")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await page.get_by_role("button", name="More about Asked about").press("Enter")
    await page.get_by_role("menuitem", name="Inactivate").press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("What would be recorded")

    await served.command("InactivateSchedule", {"id": "asked"})
    await expect(dialog).to_contain_text("Nothing would change.")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="More about Asked about")).to_be_focused()
    await served.command("DeleteSchedule", {"id": "asked"})


async def test_who_could_not_be_signed_out_is_told_so(
    opened: Open, context: BrowserContext, complaints: Complaints
) -> None:
    page = await opened("jobs")
    await context.set_offline(True)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are still signed in: The service does not answer.")).to_be_visible()
    await expect(page.get_by_label("Your key")).to_have_count(0)

    await page.close()  # it goes on to try
    assert all("net::ERR_INTERNET_DISCONNECTED" in one for one in complaints.found), complaints.found
    complaints.found.clear()


async def test_who_signs_out_reads_nothing_more_before_the_session_ends(opened: Open, context: BrowserContext) -> None:
    asked, is_out = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await is_out.wait()
        await route.continue_()

    await context.route("**/strips?*", hold)
    page = await opened("jobs?tab=workspace")
    tables: list[int] = []

    async def see(route: Route) -> None:
        tables.append(await page.get_by_role("table").count())
        await route.continue_()

    await expect(page.get_by_role("table")).to_have_count(1)
    await asked.wait()
    await page.route("**/v1/me/session", see, times=1)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Your key")).to_be_visible()
    assert tables == [0]
    is_out.set()
    await page.evaluate("fetch('v1/me/session')")  # what the browser had to say of the other answer, it said by then


async def test_an_address_that_was_mangled_leads_to_a_page_that_says_so(opened: Open) -> None:
    page = await opened("jobs")
    await page.evaluate("location.hash = '#/acme%/jobs'")
    await expect(page.get_by_text("There is no workspace acme% for you")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_for_everybody_and_fits_where_it_is_shown(
    context: BrowserContext, served: Rig, opened: Open, scheme: str
) -> None:
    """No serious finding of axe, and nothing to scroll sideways, at both widths."""
    page = await opened("jobs", key=None)
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    wrong = await serious(page, "sign in")
    await sign_in(context, served)
    await page.reload()
    for address, only_there in PAGES.items():
        await page.goto(f"{served.url}/#/acme/{address}")
        await expect(page.locator("main").get_by_text(only_there).first).to_be_visible()
        await expect(page.locator(".loading")).to_have_count(0)
        wrong += await serious(page, address)
        assert await page.evaluate(LINKS_ELSEWHERE) == []
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{address} is wider than {width}")
    assert wrong == []


async def serious(page: object, where: str) -> list[str]:
    """Return what axe finds that keeps people out."""
    said = (await Axe().run(page)).response  # type: ignore[arg-type]
    assert len(said["passes"]) > 10, f"axe hardly looked at {where}"
    return [
        f"{where}: {one['id']} at {one['nodes'][0]['target']}: {one['nodes'][0]['failureSummary']}"
        for one in said["violations"]
        if one["impact"] in ("serious", "critical")
    ]
