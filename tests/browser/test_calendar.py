"""People look at the calendar: what was, what comes, how busy it gets, how late starts were."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from playwright.async_api import expect

from eventjobs.domain.cadence import due_at
from eventjobs.domain.streams import run_stream, schedule_stream
from eventjobs.events.cadence import Cadence, TimingState, Unit
from eventjobs.events.run import AttemptStarted, Ref, RunEnded, RunOpened
from eventjobs.events.schedule import JobRow, ScheduleOccurrencesMissed
from eventjobs.log.port import Append, Filter
from tests.api.rig import Rig, schedule
from tests.browser.conftest import Open, seen
from tests.support.facts import snapshot
from tests.support.views import BY, Writer
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("ran")
ROW = JobRow(row=1, job=Ref(kind="service", id="load"), seq=1)
NOW = datetime.now(UTC).replace(microsecond=0)
CADENCE = {"start_date": "2026-01-01", "start_time": "12:00", "time_zone": "UTC", "every": 1, "unit": "day"}
NOON = NOW.replace(hour=12, minute=0, second=0) - timedelta(days=1)


@pytest.fixture(scope="module")
async def ran(served: Rig) -> Rig:
    """A schedule that is due each day, with three runs, the last one failed; the day after tomorrow is a blackout."""
    day = (NOW + timedelta(days=2)).date().isoformat()
    dates = [{"date": day, "note": "Stocktaking"}]
    await served.command("SaveCalendar", {"id": "shop", "name": "Shop", "time_zone": "UTC", "dates": dates})
    policies = {"timing": "wall_clock", "catch_up": "never", "calendars": ["shop"]}
    made = await served.command(
        "CreateSchedule", schedule("stock", cadence=CADENCE, policies=policies, description="Stock")
    )
    assert made.status == 201, made.body
    writer = Writer(served.log)
    for hours, state in ((0, "failed"), (-24, "succeeded"), (-48, "succeeded")):
        due = NOON + timedelta(hours=hours)
        run = run_stream("acme", f"schedule.stock.1.{due:%Y%m%dt%H%M%S}z")
        opened = RunOpened(
            owner=Ref(kind="schedule", id="stock"),
            cause="scheduled",
            due=due,
            term=1,
            instance="one",
            on_failure="continue",
            jobs=(snapshot(ROW),),
            cadence_version=1,
        )
        started = AttemptStarted(row=1, attempt=1, term=1)
        await writer.append([(run, opened), (run, started), (run, RunEnded(state=state, reason=None, counts={}))])
    return served


async def test_days_show_what_was_what_comes_and_what_is_blacked_out(opened: Open, ran: Rig) -> None:
    page = await opened(f"calendar?zone=UTC&day={NOON.date()}")
    cell = page.get_by_role("region", name=f"{NOON:%A} {NOON.day} {NOON:%B}", exact=True)
    await expect(cell.get_by_role("link", name="12:00 stock, failed")).to_be_visible()
    await expect(page.get_by_role("list", name="Outcomes in this time")).to_contain_text("1 failed")

    week = await opened(f"calendar?view=week&zone=UTC&day={NOW.date() + timedelta(days=2)}&owner=schedule/stock")
    blacked_out = NOW + timedelta(days=2)
    day = week.get_by_role("region", name=f"{blacked_out:%A} {blacked_out.day} {blacked_out:%B}", exact=True)
    await expect(day.get_by_role("link", name="12:00 stock, will be skipped: blackout")).to_be_visible()
    await expect(day.get_by_text("Stocktaking").first).to_be_visible()

    await page.get_by_role("combobox", name="Outcome", exact=True).select_option("Failed")
    await expect(page).to_have_url(re.compile("outcome=failed"))
    await expect(page.get_by_role("list", name="Outcomes in this time")).to_have_text(re.compile(r"^1\s*failed$"))
    await cell.get_by_role("link", name="12:00 stock, failed").press("Enter")
    await expect(page.get_by_role("heading", name="Run failed")).to_be_visible()

    await page.get_by_role("button", name="Resume").press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("What would be recorded")
    await dialog.get_by_role("button", name="Resume").press("Enter")
    await expect(page.get_by_text("Resumed: ")).to_be_visible()
    (again,) = [run for run in (await seen(ran, "/v1/acme/runs"))["items"] if run["resumes"]]
    assert again["resumes"] == f"schedule.stock.1.{NOON:%Y%m%dt%H%M%S}z"


async def test_what_did_not_run_or_comes_leads_to_why(opened: Open, ran: Rig) -> None:
    assert (await ran.command("CreateSchedule", schedule("late", cadence=CADENCE))).status == 201
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    stream = schedule_stream("acme", "late")
    version = len(await ran.log.read(0, 100, matching=Filter(workspace="acme", stream=stream.name)))
    missed = ScheduleOccurrencesMissed(
        reason="downtime",
        count=1,
        first=due,
        last=due,
        cadence_version=1,
        timing=TimingState(),
        next=due_at(Cadence(**{**CADENCE, "unit": Unit.DAY}), NOON + timedelta(days=9)),
    )
    await ran.log.append(Append(events=[(stream, missed)], expected={stream: version}, provenance=BY))
    await eventually(lambda: datetime.now(UTC) > due)

    page = await opened(f"calendar?view=week&zone=UTC&day={due.date()}&owner=schedule/late")
    link = page.get_by_role("link", name=f"{due:%H:%M} late, missed: downtime")
    await link.press("Enter")
    why = page.get_by_role("dialog", name="Why did late run, or not?")
    await expect(why.get_by_text("missed", exact=True)).to_be_visible()
    assert f"at={due:%Y-%m-%dT%H:%M:%S}Z" in unquote(page.url)
    await page.keyboard.press("Escape")
    await expect(link).to_be_focused()
    await expect(page).not_to_have_url(re.compile("why="))

    await page.goto(f"{ran.url}/#/acme/calendar?view=week&zone=UTC&day={NOW.date() + timedelta(days=2)}")
    await page.get_by_role("link", name="12:00 stock, will be skipped: blackout").click()
    why = page.get_by_role("dialog", name="Why did stock run, or not?")
    await expect(why).to_contain_text("has not come yet")
    await expect(why.get_by_text("Next due after it")).to_be_visible()


async def test_pages_are_turned_with_the_keyboard_and_the_zone_stands_in_the_address(opened: Open) -> None:
    page = await opened("calendar?zone=UTC&day=2026-11-15")
    await expect(page.get_by_role("heading", name="November 2026")).to_be_visible()
    await page.get_by_role("link", name="Sunday 15 November", exact=True).focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("link", name="Monday 16 November", exact=True)).to_be_focused()
    await page.keyboard.press("PageDown")
    await expect(page.get_by_role("heading", name="December 2026")).to_be_visible()
    await page.get_by_label("Time zone").select_option("Asia/Tokyo")
    await page.get_by_role("tab", name="Month").press("ArrowRight")
    await expect(page.get_by_role("heading", name=re.compile("^30 November.+6 December 2026$"))).to_be_visible()
    assert "zone=Asia%2FTokyo" in page.url
    assert "view=week" in page.url

    await page.get_by_role("button", name="Previous").press("Enter")
    await expect(page.get_by_role("heading", name=re.compile("^23.+29 November 2026$"))).to_be_visible()
    await page.get_by_role("button", name="Today").press("Enter")
    await expect(page.get_by_role("button", name="Today")).to_have_attribute("aria-current", "date")


async def test_load_and_lateness_are_drawn_and_told_in_tables(opened: Open) -> None:
    load = await opened("calendar?view=load&zone=UTC")
    await expect(load.get_by_role("img", name=re.compile("the most, .* at 12:00"))).to_be_visible()
    await load.get_by_text("By the hour").click()
    await expect(load.get_by_role("row").filter(has=load.get_by_role("rowheader", name="12:00"))).to_contain_text(
        "1 run"
    )

    late = await opened(f"calendar?view=lateness&zone=UTC&day={NOON.date()}&owner=schedule/stock")
    await expect(late.get_by_role("img", name=re.compile("^Lateness of"))).to_be_visible()
    await late.get_by_text("As tables").click()
    worst = late.get_by_role("table", name="The latest starts").get_by_role("row")
    await expect(worst.nth(1)).to_contain_text("stock")


async def test_a_row_has_a_strip_of_its_last_occurrences_read_for_all_rows_at_once(opened: Open) -> None:
    page = await opened("jobs?tab=services")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/strips?" in request.url else None)
    await page.get_by_role("tab", name="Workspace schedules").click()
    strip = page.get_by_role("link", name="stock: the last occurrences: 2 succeeded, 1 failed. Show its calendar")
    await expect(strip).to_be_visible()
    assert len(asked) == 1
    await strip.press("Enter")
    await expect(page.get_by_role("heading", name="Calendar")).to_be_visible()
    assert page.url.endswith("calendar?owner=schedule%2Fstock")


async def test_an_address_to_subscribe_to_is_made_shown_once_and_revoked(opened: Open, ran: Rig) -> None:
    page = await opened("calendar?owner=schedule/stock")
    await page.get_by_role("button", name="Subscribe …").press("Enter")
    await page.get_by_role("button", name="Make an address").press("Enter")
    shown = page.get_by_label("The address; it is shown this once")
    address = await shown.input_value()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("The address was not copied, and is not shown again.")).to_be_visible()
    await page.get_by_role("button", name="Go on").press("Enter")
    assert await shown.input_value() == address
    feed = await ran.call("GET", address.removeprefix(ran.url), key=None)
    assert (feed.status, b"SUMMARY:stock: failed" in feed.body) == (200, True)

    await page.get_by_role("button", name=re.compile("^Revoke ")).first.press("Enter")
    await (
        page.get_by_role("dialog", name="Revoke this calendar's address?").get_by_role("button", name="Revoke").click()
    )
    await expect(page.get_by_text("Revoked: Revoke this calendar's address.")).to_be_visible()
    assert (await ran.call("GET", address.removeprefix(ran.url), key=None)).status == 404
    await page.close()

    reader = await opened("calendar", key=await ran.issue("reader"))
    button = reader.get_by_role("button", name="Subscribe …")
    await expect(button).to_be_disabled()
    await expect(button).to_have_attribute("title", "it needs the role administrator")
