"""People make, edit and hold schedules, with what would happen before their eyes."""

from playwright.async_api import Locator, Page, expect

from tests.api.rig import DAILY, Rig, schedule
from tests.browser.conftest import Open, seen
from tests.browser.test_dashboard import serious

DEFINITION = {
    "id": "crm",
    "services": [{"id": "sync", "handler": "noop"}],
    "features": [
        {
            "id": "people",
            "schedules": [
                {
                    "id": "people",
                    "description": "People of the CRM",
                    "cadence": DAILY,
                    "jobs": [{"job": {"kind": "service", "id": "sync"}}],
                }
            ],
        }
    ],
}


async def test_a_schedule_is_made_by_keyboard_and_what_is_wrong_leads_to_its_field(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=workspace")
    before = served.log.known_head.position
    await page.get_by_role("button", name="Add schedule").press("Enter")
    form = page.get_by_role("dialog", name="Add schedule")
    await expect(form.get_by_label("Description")).to_be_focused()
    await page.keyboard.type("Morning load")

    await form.get_by_role("button", name="Save").press("Enter")
    await form.get_by_role("button", name="Jobs", exact=True).press("Enter")
    await form.get_by_role("button", name="Add service").press("Enter")
    await expect(form.get_by_label("Service", exact=True)).to_be_focused()
    await page.keyboard.type("load")
    await page.keyboard.press("Enter")
    await form.get_by_label("Start date").fill("2100-03-01")
    await form.get_by_label("Start time").fill("02:30")
    await form.get_by_label("Time zone").select_option("America/New_York")

    foreseen = form.get_by_label("What it would do")
    await expect(foreseen.get_by_role("heading", name="Next 10 due")).to_be_visible()
    await expect(foreseen).to_contain_text("With daylight saving in America/New_York")
    await expect(foreseen.get_by_role("img", name="Open runs in each minute")).to_be_visible()
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await form.evaluate("(sheet) => sheet.scrollWidth") <= 390
    assert await serious(page, "the form of a schedule") == []
    await page.set_viewport_size({"width": 1280, "height": 900})
    await form.get_by_label("Start date").fill("2020-03-01")
    await expect(foreseen).to_contain_text("1 run would start at once: morning-load")

    await form.get_by_label("Interval type").select_option("Minute")
    await form.get_by_role("spinbutton", name="Interval").fill("14")
    fault = form.get_by_text("at most once in 15 minutes")
    await expect(fault.first).to_be_visible()
    await form.get_by_role("button", name="Save").press("Enter")
    await expect(form.get_by_role("spinbutton", name="Interval")).to_be_focused()
    assert served.log.known_head.position == before

    await page.keyboard.type("0")
    await form.get_by_label("Active from now on").uncheck()
    await expect(foreseen).to_contain_text("If it were activated now:")
    await sure(form.get_by_role("button", name="Save"))
    await expect(page.get_by_role("row").filter(has_text="Morning load")).to_contain_text("Every 140 minutes")
    await expect(page.get_by_role("button", name="Add schedule")).to_be_focused()
    made = await seen(served, "/v1/acme/schedules/morning-load")
    assert (made["active"], made["cadence"]["start_date"], made["jobs"][0]["job"]["id"]) == (
        False,
        "2020-03-01",
        "load",
    )


async def test_a_job_table_is_edited_as_it_runs_and_nothing_of_others_is_lost(opened: Open, served: Rig) -> None:
    for service in ("first", "second"):
        await served.command("AddService", {"id": service, "handler": "noop"})
    jobs = [{"job": {"kind": "service", "id": name}} for name in ("load", "first", "second")]
    await served.command("CreateSchedule", schedule("table", description="Has a table", jobs=jobs))
    page = await opened("jobs?tab=workspace")
    form = await chosen(page, "Has a table", "Edit …")
    await expect(form.get_by_role("button", name="Save")).to_be_disabled()

    await form.get_by_role("button", name="Move second up").press("Enter")
    await expect(form.get_by_role("button", name="Move second up")).to_be_focused()
    await page.keyboard.press("Alt+ArrowUp")
    await form.get_by_role("listitem", name="Row 3").get_by_label("Skip wait").check()
    stages = form.get_by_role("group", name="In which order the jobs run")
    await expect(stages).to_contain_text("From the start")
    await form.get_by_role("button", name="Remove load").press("Enter")
    await expect(form.get_by_label("What it would do")).to_contain_text("Next 10 due")

    await served.command("DescribeSchedule", {"id": "table", "description": "Was described elsewhere"})
    await expect(form.get_by_role("alert")).to_contain_text("It is now described as “Was described elsewhere”.")
    await expect(form.get_by_role("button", name="Save")).to_be_disabled()
    await form.get_by_role("button", name="Take theirs in and go on").press("Enter")
    await expect(form.get_by_label("Description")).to_have_value("Was described elsewhere")
    await sure(form.get_by_role("button", name="Save"))
    await expect(page.get_by_text("Saved.")).to_be_visible()

    now = await seen(served, "/v1/acme/schedules/table")
    assert now["description"] == "Was described elsewhere"
    assert [(one["job"]["id"], one["seq"], one["skip_wait"]) for one in now["jobs"]] == [
        ("second", 1, False),
        ("first", 3, True),
    ]
    await page.get_by_role("button", name="Details of Was described elsewhere").press("Enter")
    await expect(page.get_by_role("group", name="In which order the jobs run")).to_contain_text("secondservice")


async def test_of_a_managed_schedule_only_the_cadence_is_edited_and_given_back(opened: Open, served: Rig) -> None:
    await served.command("PublishDefinition", DEFINITION)
    await served.command("RegisterIntegration", {"definition": "crm", "features": ["people"]})
    page = await opened("jobs?tab=onboarding")
    row = page.get_by_role("row").filter(has_text="People of the CRM").first
    await page.get_by_role("button", name="More about People of the CRM").press("Enter")
    await expect(page.get_by_role("menuitem", name="Edit …")).to_contain_text("change its definition, then sync")
    await page.get_by_role("menuitem", name="Edit cadence").press("Enter")
    form = page.get_by_role("dialog", name="Edit the cadence of People of the CRM")
    await expect(form).to_contain_text(
        "The integration crm manages this schedule: only its cadence can be changed here."
    )

    await form.get_by_text("By a cron expression").click()
    await form.get_by_role("textbox", name="Cron expression").fill("0 0 30 2 *")
    await page.keyboard.press("Tab")
    await expect(form.get_by_text("none of its months has such a day")).to_be_visible()
    await form.get_by_role("textbox", name="Cron expression").fill("0 6 * * mon")
    await expect(form.get_by_label("What it would do")).to_contain_text("What would be recorded")
    await sure(form.get_by_role("button", name="Save"))
    await expect(row).to_contain_text("overridden")
    await expect(row).to_contain_text("cron 0 6 * * MON")

    cleared = await chosen(page, "People of the CRM", "Give up the local cadence")
    await sure(cleared.get_by_role("button", name="Give up the local cadence"))
    await expect(row).not_to_contain_text("overridden")


async def test_all_starts_are_held_and_released_and_a_form_that_holds_something_is_not_lost(
    opened: Open,
) -> None:
    page = await opened("connect?tab=all")
    await page.get_by_role("link", name="Jobs", exact=True).click()
    await page.get_by_role("button", name="More about all jobs").press("Enter")
    await page.get_by_role("menuitem", name="Hold all starts").press("Enter")
    dialog = page.get_by_role("dialog", name="Hold all starts?")
    await dialog.get_by_label("Note").fill("the database moves")
    await dialog.get_by_label("Until").fill("2001-01-01T00:00")
    await expect(dialog).to_contain_text("it would be over already")
    await dialog.get_by_role("button", name="1 hour").press("Enter")
    await expect(dialog).to_contain_text("What would be recorded")
    await sure(dialog.get_by_role("button", name="Hold all starts"))
    await expect(page.get_by_role("status").filter(has_text="are held")).to_contain_text("the database moves")

    await page.get_by_role("button", name="Add schedule").press("Enter")
    form = page.get_by_role("dialog", name="Add schedule")
    await form.get_by_label("Description").fill("Half of")
    await page.keyboard.press("Escape")
    await expect(form.get_by_text("What you filled in is not saved.")).to_be_visible()
    await expect(form.get_by_role("button", name="Go on")).to_be_focused()
    await form.get_by_role("button", name="Go on").press("Enter")

    here = page.url
    await page.go_back()
    await expect(form.get_by_text("What you filled in is not saved.")).to_be_visible()
    await expect(form.get_by_label("Description")).to_have_value("Half of")
    assert page.url == here
    await form.get_by_role("button", name="Drop it").press("Enter")
    await expect(form).to_have_count(0)
    await expect(page.get_by_role("heading", name="Manage Connect")).to_be_visible()
    await page.go_forward()

    await page.get_by_role("button", name="Release").press("Enter")
    await sure(page.get_by_role("dialog").get_by_role("button", name="Release"))
    await expect(page.get_by_text("are held")).to_have_count(0)


async def test_who_may_not_make_schedules_is_told_why(opened: Open, served: Rig) -> None:
    page = await opened("jobs", key=await served.issue("operator"))
    await page.get_by_role("button", name="Add schedule").press("Enter")
    await expect(page.get_by_text("Add schedule is not possible: it needs one of: integration_author.")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def chosen(page: Page, row: str, entry: str) -> Locator:
    """Choose an entry of a row's menu and return the dialog that it opens."""
    await page.get_by_role("button", name=f"More about {row}").press("Enter")
    await page.get_by_role("menuitem", name=entry).press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".loading")).to_have_count(0)
    return dialog


async def sure(button: Locator) -> None:
    """Press a button once what it would do is known."""
    await expect(button).to_be_enabled()
    await button.press("Enter")
