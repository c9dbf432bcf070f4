"""People put groups together, by mouse and by keyboard, and are led to what is wrong."""

import re
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.api.rig import Rig
from tests.browser.conftest import Complaints, Open
from tests.browser.test_dashboard import serious

STALE = re.compile(r"^error: Failed to load resource: .* 412 ")
CLOSE_LATE = """
    const close = HTMLDialogElement.prototype.close;
    window.late = [];
    HTMLDialogElement.prototype.close = function () {
        late.push(() => new Promise((told) => {
            this.addEventListener("close", () => setTimeout(told));
            close.call(this);
        }));
    };
"""
"""Dialogs close when the test says so."""


async def some_jobs(served: Rig, *jobs: str, **fields: Any) -> None:
    """Make imports that a group may have, called as their ids are."""
    for job in jobs:
        body = {"id": job, "kind": "import", "name": job.capitalize(), "handler": "noop", "expires_on": "never"}
        assert (await served.command("SaveJob", {**body, **fields})).status == 201
        assert (await served.command("ActivateJob", {"id": job})).status == 201


async def group(served: Rig, the_id: str) -> Any:
    return (await served.get(f"/v1/acme/groups/{the_id}?wait_for={served.log.known_head.position}")).json


async def begin(page: Page, name: str) -> Locator:
    """Open the wizard and name the group."""
    await page.get_by_role("button", name="Create group").press("Enter")
    wizard = page.get_by_role("dialog", name="Create a group")
    await expect(wizard.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type(name)
    return wizard


def step(wizard: Locator, title: str) -> Locator:
    return wizard.get_by_role("list", name="Steps").get_by_role("button", name=title)


def member(wizard: Locator, name: str) -> Locator:
    return wizard.get_by_role("region", name="In the group").get_by_role("listitem").filter(has_text=name)


async def drag(page: Page, what: Locator, onto: Locator, *, above: bool = False) -> None:
    """Carry something with the mouse onto something else, or just above its middle."""
    begin, end = await what.bounding_box(), await onto.bounding_box()
    assert begin is not None
    assert end is not None
    await page.mouse.move(begin["x"] + 60, begin["y"] + begin["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(end["x"] + 80, end["y"] + end["height"] / 2 - (12 if above else -12), steps=5)
    await page.mouse.up()


async def test_a_group_is_put_together_by_drag_and_drop_and_activated(opened: Open, served: Rig) -> None:
    await some_jobs(served, "apples", "berries", "cherries")
    await some_jobs(served, "dates", schedule={"type": "daily", "at": "03:15"})
    page = await opened("connect?tab=groups")
    wizard = await begin(page, "Fruit")
    await wizard.get_by_role("button", name="Next").click()
    offered = wizard.get_by_role("region", name="Jobs", exact=True).get_by_role("listitem")
    await expect(offered.filter(has_text="Dates")).to_contain_text("it has a schedule of its own")
    await expect(offered.filter(has_text="Orders")).to_contain_text("it is in another group, lists")

    await drag(page, offered.filter(has_text="Cherries"), wizard.get_by_text("Drag jobs here"))
    await drag(page, offered.filter(has_text="Berries"), member(wizard, "Cherries"))
    await drag(page, offered.filter(has_text="Apples"), member(wizard, "Cherries"), above=True)
    await drag(page, member(wizard, "Berries"), member(wizard, "Apples"), above=True)
    await expect(wizard.get_by_role("status").filter(has_text="Berries is job 1 of 3.")).to_be_attached()
    await drag(page, offered.filter(has_text="Dates"), member(wizard, "Cherries"))
    await wizard.get_by_role("checkbox", name="Apples is required").uncheck()

    await wizard.get_by_role("button", name="Next").click()
    await wizard.get_by_text("Weekly", exact=True).click()
    await wizard.get_by_text("Mon", exact=True).click()
    await wizard.get_by_text("Thu", exact=True).click()
    await wizard.get_by_label("In the hour").select_option("3")
    await wizard.get_by_text("03:15-03:29").click()
    await expect(wizard.get_by_text("First run")).to_contain_text("in the window 03:15-03:29; its minute is drawn")
    await wizard.get_by_role("button", name="Activate").click()

    row = page.get_by_role("row").filter(has_text="Fruit")
    await expect(row).to_contain_text("active")
    made = await group(served, "fruit")
    assert [(one["job"]["id"], one["required"]) for one in made["jobs"]] == [
        ("berries", True),
        ("apples", False),
        ("cherries", True),
    ]
    assert (made["schedule"]["days"], made["schedule"]["window"]) == (["mon", "thu"], "03:15-03:29")
    cell = row.get_by_role("cell").filter(has_text="drawn in 03:15-03:29")
    await expect(cell).to_contain_text(f"03:{made['schedule']['minute']}")


async def test_a_group_is_put_together_by_the_keyboard_alone_and_saved_half_done(opened: Open, served: Rig) -> None:
    await some_jobs(served, "eels", "figs", "guavas")
    page = await opened("connect?tab=completed")
    wizard = await begin(page, "More food")
    await page.keyboard.press("Enter")
    await expect(step(wizard, "Jobs")).to_have_attribute("aria-current", "step")
    for name in ("Eels", "Figs", "Guavas"):
        await wizard.get_by_role("button", name=f"Add {name}").press("Enter")
        await expect(member(wizard, name)).to_be_visible()

    await wizard.get_by_role("button", name="Take Guavas out").focus()
    await page.keyboard.press("Alt+ArrowUp")
    await page.keyboard.press("Alt+ArrowUp")
    await expect(wizard.get_by_role("status").filter(has_text="Guavas is job 1 of 3.")).to_be_attached()
    await expect(wizard.get_by_role("button", name="Take Guavas out")).to_be_focused()
    await wizard.get_by_role("button", name="Move Eels down").press("Enter")
    await expect(wizard.get_by_role("button", name="Move Eels down")).to_be_focused()
    await expect(wizard.get_by_role("button", name="Move Eels down")).to_be_disabled()

    await step(wizard, "Schedule").press("Enter")
    await wizard.get_by_role("radio", name="Monthly").press("Space")
    await expect(wizard.get_by_role("button", name="also needs")).to_contain_text("day")
    await wizard.get_by_role("button", name="Save").press("Enter")
    await expect(page.get_by_text("Saved as a draft. 1 thing to do before it can be activated.")).to_be_visible()
    assert page.url.endswith("connect?tab=groups")
    made = await group(served, "more-food")
    assert [one["job"]["id"] for one in made["jobs"]] == ["guavas", "figs", "eels"]
    assert (made["state"], made["schedule"]["type"]) == ("draft", "monthly")


async def test_what_is_wrong_leads_to_its_step_and_field_and_a_taken_slot_to_the_next(
    opened: Open, served: Rig
) -> None:
    await some_jobs(served, "kiwis", "limes")
    page = await opened("connect?tab=all")
    wizard = await begin(page, "")
    await step(wizard, "Jobs").click()
    await wizard.get_by_role("button", name="Activate").click()
    await expect(wizard.get_by_role("textbox", name="Name")).to_be_focused()
    await expect(wizard.get_by_role("textbox", name="Name")).to_have_accessible_description(re.compile("has a name"))

    await page.keyboard.type("Green")
    await wizard.get_by_text("On failure only").click()
    await wizard.get_by_role("button", name="Add a webhook after success").click()
    await page.keyboard.type("https://hooks.example.org/green")
    await wizard.get_by_role("button", name="The name of the key that signs").click()
    await expect(wizard.get_by_label("Signed with")).to_be_focused()
    await page.keyboard.type("secret://hook")
    wrong = await serious(page, "the details of a group")
    await wizard.get_by_role("button", name="at least 2 jobs").click()
    await expect(wizard.get_by_role("list", name="In the group")).to_be_focused()
    for name in ("Kiwis", "Limes"):
        await wizard.get_by_role("button", name=f"Add {name}").click()
    wrong += await serious(page, "the jobs of a group")
    await wizard.get_by_role("button", name="needs somebody to tell").click()
    await expect(wizard.get_by_role("textbox", name="Recipients")).to_be_focused()
    await page.keyboard.type("ops@example.org")

    await step(wizard, "Schedule").click()
    await wizard.get_by_text("Once", exact=True).click()
    now = (await served.get("/v1/acme")).json["as_of"]["at"]
    here = await page.evaluate("at => new Date(at).toLocaleString('sv', {timeZone: 'Europe/Berlin'})", now)
    await wizard.get_by_role("textbox", name="Date").fill(here[:10])
    await wizard.get_by_label("In the hour").select_option(str(int(here[11:13])))
    await wizard.get_by_role("radio").nth(6 + int(here[14:16]) // 15).check(force=True)
    await wizard.get_by_role("button", name="Take the next free one").click()
    await expect(wizard.get_by_text("First run")).to_be_visible()
    assert [*wrong, *await serious(page, "the schedule of a group")] == []
    await wizard.get_by_role("button", name="Activate").click()
    await expect(page.get_by_text("The group is active")).to_be_visible()
    made = await group(served, "green")
    hook = {"url": "https://hooks.example.org/green", "secret": "secret://hook", "previous_secret": None}
    assert (made["state"], made["notification"]["on_success"]) == ("active", [hook])


async def test_what_others_saved_meanwhile_is_neither_lost_nor_overwritten(
    opened: Open, served: Rig, complaints: Complaints
) -> None:
    await some_jobs(served, "mangos", "nuts")
    body = {"id": "shared", "name": "Shared", "jobs": ["mangos", "nuts"], "schedule": {"type": "on_demand"}}
    assert (await served.command("CreateGroup", body)).status == 201
    page = await opened("connect?tab=groups")
    await page.get_by_role("button", name="More about Shared").click()
    async with page.expect_request("**/v1/acme/groups/shared*") as opening:
        await page.get_by_role("menuitem", name="Edit").click()
    # What waits for a position may be answered as others were a moment before.
    assert "wait_for" not in (await opening.value).url
    wizard = page.get_by_role("dialog", name="Edit Shared")
    await wizard.get_by_role("textbox", name="Description").fill("Mine")
    await served.command("SaveGroup", {**body, "name": "Theirs"})

    await expect(wizard.get_by_role("alert")).to_contain_text("its name")
    await wizard.get_by_role("button", name="Take theirs in").click()
    await expect(wizard.get_by_role("textbox", name="Name")).to_have_value("Theirs")
    await wizard.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    made = await group(served, "shared")
    assert (made["name"], made["description"]) == ("Theirs", "Mine")
    assert [one for one in complaints.found if not STALE.match(one)] == []
    complaints.found.clear()


async def test_a_group_is_extended_with_its_jobs_and_a_refused_action_says_why(opened: Open, served: Rig) -> None:
    await some_jobs(served, "olives", "pears", expires_on="2100-01-01")
    body = {"id": "short", "name": "Short", "jobs": ["olives", "pears"], "expires_on": "2099-12-24"}
    await served.command("CreateGroup", body)
    await served.command("ActivateGroup", {"id": "short"})
    await served.command("RunNow", {"owner": {"kind": "group", "id": "short"}})
    page = await opened("connect?tab=groups&running=true")
    await page.get_by_role("button", name="More about Short").click()
    entry = page.get_by_role("menuitem", name="Delete")
    await expect(entry).to_be_disabled()
    await expect(entry).to_contain_text("is open")
    await expect(page.get_by_role("menuitem", name="Stop after what runs now")).to_be_enabled()

    await page.get_by_role("menuitem", name="Extend").click()
    sheet = page.get_by_role("dialog", name="When Short expires")
    await sheet.get_by_text("Until a date").click()
    await sheet.get_by_label("Last day").fill("2101-02-03")
    await sheet.get_by_label("Its jobs too").check()
    await expect(sheet.get_by_label("What it would do")).to_contain_text("olives")
    await sheet.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("row").filter(has_text="Short")).to_contain_text("2101-02-03")
    pears = await served.get(f"/v1/acme/jobs/pears?wait_for={served.log.known_head.position}")
    assert pears.json["expires_on"] == "2101-02-03"

    reader = await opened("connect?tab=groups", key=await served.issue("reader"))
    await reader.get_by_role("button", name="Create group").press("Enter")
    await expect(reader.get_by_text("Create group is not possible")).to_contain_text("data_director")


async def test_a_job_is_made_activated_and_edited(opened: Open, served: Rig) -> None:
    page = await opened("connect?tab=all")
    await page.get_by_role("button", name="Create job").click()
    form = page.get_by_role("dialog", name="Create a job")
    await form.get_by_role("textbox", name="Name").fill("Suppliers")
    await form.get_by_label("Of").select_option("profile_extension")
    await form.get_by_role("button", name="Next").click()
    await form.get_by_label("Handler").select_option("noop")
    await form.get_by_label("Configuration as JSON").fill('{"bad": 1}')
    await form.get_by_role("button", name="Next").click()
    await form.get_by_text("Daily", exact=True).click()
    await form.get_by_label("In the hour").select_option("4")
    await form.get_by_text("04:30-04:44").click()
    await expect(form.get_by_role("button", name="no such field")).to_contain_text("Data: bad")
    await form.get_by_role("button", name="Activate").click()
    await expect(step(form, "Data")).to_have_attribute("aria-current", "step")
    await form.get_by_label("Configuration as JSON").fill("{}")
    await expect(form.get_by_label("What it would do")).to_contain_text("was activated")
    await form.get_by_role("button", name="Activate").click()
    row = page.get_by_role("row").filter(has_text="Suppliers")
    await expect(row).to_contain_text("drawn in 04:30-04:44")

    await page.get_by_role("button", name="More about Suppliers").click()
    await page.get_by_role("menuitem", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit Suppliers")
    await form.get_by_role("textbox", name="Name").fill("All suppliers")
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("row").filter(has_text="All suppliers")).to_contain_text("profile extension")
    job = (await served.get(f"/v1/acme/jobs/suppliers?wait_for={served.log.known_head.position}")).json
    assert (job["name"], job["state"], job["schedule"]["window"]) == ("All suppliers", "active", "04:30-04:44")


async def test_a_job_and_a_group_are_copied_and_the_copy_is_opened(opened: Open, served: Rig) -> None:
    await some_jobs(served, "quinces", "raisins", schedule={"type": "on_demand"})
    body = {"id": "dried", "name": "Dried", "jobs": ["quinces", "raisins"], "schedule": {"type": "on_demand"}}
    assert (await served.command("CreateGroup", body)).status == 201
    page = await opened("connect?tab=all")
    for tab, name, new in (("All jobs", "Quinces", "More quinces"), ("Group jobs", "Dried", "More dried")):
        await page.get_by_role("tab", name=tab).click()
        await page.get_by_role("button", name=f"More about {name}", exact=True).click()
        await page.get_by_role("menuitem", name="Copy").click()
        form = page.get_by_role("dialog", name=f"Copy {name}")
        await expect(form.get_by_role("textbox", name="Name")).to_have_value(f"{name} - copy")
        await form.get_by_role("textbox", name="Name").fill(new)
        await expect(form.get_by_label("What it would do")).to_contain_text(new.lower().replace(" ", "-"))
        await form.get_by_role("button", name="Copy").click()
        wizard = page.get_by_role("dialog", name=f"Edit {new}")
        await expect(wizard.get_by_role("textbox", name="Name")).to_have_value(new)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("row").filter(has_text=new)).to_contain_text("draft")
    assert (await group(served, "more-dried"))["jobs"] == []  # a job is in one group


async def test_a_form_of_which_the_browser_tells_late_that_it_closed_takes_no_other_away(
    opened: Open, served: Rig, context: BrowserContext
) -> None:
    await some_jobs(served, "sultanas", schedule={"type": "on_demand"})
    await context.add_init_script(CLOSE_LATE)
    page = await opened("connect?tab=all")
    await page.get_by_role("button", name="More about Sultanas", exact=True).click()
    await page.get_by_role("menuitem", name="Copy").click()
    await page.get_by_role("dialog", name="Copy Sultanas").get_by_role("button", name="Copy").click()
    wizard = page.get_by_role("dialog", name="Edit Sultanas - copy")
    await expect(wizard).to_be_visible()
    await page.evaluate("Promise.all(late.map((close) => close()))")
    await expect(wizard).to_be_visible()
