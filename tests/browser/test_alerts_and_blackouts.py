"""People say what of a schedule is watched for and who is told of it, and in which times nothing starts."""

import re

from playwright.async_api import expect

from tests.api.rig import Rig
from tests.browser.conftest import Open, seen
from tests.browser.test_dashboard import serious
from tests.browser.test_schedule_forms import chosen, sure

HOOK = {"url": "https://hooks.example.org/jobs", "secret": "secret://hook", "previous_secret": "secret://before"}

ICS = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Example//EN",
        *("BEGIN:VEVENT", "DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "RRULE:FREQ=YEARLY"),
        *("SUMMARY:Christmas", "END:VEVENT"),
        *("BEGIN:VEVENT", "DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=MONTHLY", "SUMMARY:Inventory", "END:VEVENT"),
        "END:VCALENDAR",
        "",
    ]
)


async def test_alerts_are_said_in_a_form_and_what_is_wrong_stands_at_its_field(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=workspace")
    form = await chosen(page, "Contacts, every night", "Alerts …")
    await form.get_by_label("It starts later than", exact=True).fill("10")
    await form.get_by_label("No run succeeded for", exact=True).fill("2")
    await form.get_by_label("Runs failed in a row").fill("3")
    await form.get_by_label("E-mail").fill("nobody")
    await form.get_by_role("button", name="Add a webhook").press("Enter")
    hook = form.get_by_role("listitem", name="Webhook 1")
    await expect(hook.get_by_label("URL")).to_be_focused()
    await page.keyboard.type(HOOK["url"])
    await hook.get_by_label("Signed with").fill("the key itself")
    await hook.get_by_label("And with, while keys are exchanged").fill(HOOK["previous_secret"])
    await form.get_by_label("Call after each success").fill("ftp://monitor.example.org")
    await expect(form.get_by_label("What it would do")).to_contain_text("Call after each success")
    await form.get_by_role("button", name="Save").press("Enter")
    await expect(form.get_by_role("heading", name="3 things to put right")).to_be_visible()
    await expect(form.get_by_label("E-mail")).to_have_accessible_description(re.compile("one plain address"))
    signed = hook.get_by_label("Signed with")
    await expect(signed).to_have_accessible_description(re.compile("the key is named by secret://name"))
    await expect(form.locator(".field.wrong").filter(has_text="Call after each success")).to_be_visible()
    assert await serious(page, "the alerts of a schedule") == []
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await form.evaluate("(sheet) => sheet.scrollWidth") <= 390
    await page.set_viewport_size({"width": 1280, "height": 900})

    await form.get_by_label("E-mail").fill("ops@example.org")
    await signed.fill(HOOK["secret"])
    await form.get_by_label("Call after each success").fill("https://monitor.example.org/1")
    await expect(form.get_by_label("What it would do")).to_contain_text("What would be recorded")
    await sure(form.get_by_role("button", name="Save"))
    await expect(page.get_by_text("The alerts are saved.")).to_be_visible()
    said = (await seen(served, "/v1/acme/schedules/nightly"))["alerts"]
    assert said == {
        "late_after": "PT10M",
        "runs_longer_than": None,
        "no_progress_in": None,
        "no_success_in": "P2D",
        "failures_in_a_row": 3,
        "on_recovery": True,
        "email": ["ops@example.org"],
        "webhook": [HOOK],
        "heartbeat": "https://monitor.example.org/1",
    }

    form = await chosen(page, "Contacts, every night", "Alerts …")
    await expect(form.get_by_label("It starts later than", exact=True)).to_have_value("10")
    await form.get_by_role("button", name="Remove webhook 1").press("Enter")
    await form.get_by_label("It starts later than", exact=True).fill("")
    await sure(form.get_by_role("button", name="Save"))
    await expect(form).to_have_count(0)
    now = (await seen(served, "/v1/acme/schedules/nightly"))["alerts"]
    assert now == {**said, "webhook": [], "late_after": None}


async def test_a_blackout_calendar_is_made_of_a_file_and_by_hand(opened: Open, served: Rig) -> None:
    page = await opened("jobs?tab=blackouts")
    await page.get_by_role("button", name="Add a calendar").first.press("Enter")
    form = page.get_by_role("dialog", name="Add a calendar")
    await expect(form.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type("Shop")
    chosen_file = {"name": "shop.ics", "mimeType": "text/calendar", "buffer": ICS.encode()}
    await form.locator("input[type=file]").set_input_files(chosen_file)
    await expect(form.get_by_label("What was not taken in")).to_contain_text("Inventory is left out: it recurs MONTHLY")
    await expect(form.get_by_role("listitem", name="Yearly time 1").get_by_label("First day")).to_have_value("12-24")

    await form.get_by_role("button", name="Add a weekly time").press("Enter")
    weekly = form.get_by_role("listitem", name="Weekly time 1")
    await expect(weekly.get_by_label("Mon")).to_be_focused()
    await weekly.get_by_text("Sat", exact=True).click()
    await weekly.get_by_label("From").fill("22:00")
    await form.get_by_role("button", name="Save").press("Enter")
    await expect(weekly.get_by_label("To")).to_be_focused()
    await weekly.get_by_label("To").fill("06:00")
    await form.get_by_role("button", name="Add a span").press("Enter")
    span = form.get_by_role("listitem", name="Span 1")
    await span.get_by_label("From").fill("2100-12-02T00:00")
    await span.get_by_label("To").fill("2100-12-01T00:00")
    await expect(span.get_by_label("To")).to_have_accessible_description("it ends after it begins")
    await span.get_by_label("To").fill("2100-12-03T00:00")
    assert await serious(page, "the form of a calendar") == []
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await form.evaluate("(sheet) => sheet.scrollWidth") <= 390
    await page.set_viewport_size({"width": 1280, "height": 900})
    await sure(form.get_by_role("button", name="Save"))
    row = page.get_by_role("row").filter(has_text="Shop")
    await expect(row).to_contain_text("1 span, 1 weekly time, 1 yearly time")
    made = await seen(served, "/v1/acme/calendars/shop")
    (week,) = made["weekly"]
    assert (week["days"], week["start"], week["end"], week["last"]) == (["sat"], "22:00", "06:00", None)
    assert made["yearly"] == [{"start": "12-24", "end": "12-26", "note": "Christmas"}]

    await page.set_viewport_size({"width": 390, "height": 844})
    await page.reload()
    await expect(page.get_by_role("tab", name="Services")).to_contain_text("1")  # what is counted takes place
    await expect(page.get_by_role("tab", name="Blackouts")).to_be_in_viewport(ratio=1)


async def test_a_schedule_names_a_calendar_and_starts_again_when_it_is_emptied(opened: Open, served: Rig) -> None:
    freeze = {"id": "freeze", "name": "Freeze", "time_zone": "UTC", "dates": [{"date": "2100-12-02"}]}
    await served.command("SaveCalendar", freeze)
    page = await opened("jobs?tab=workspace")
    form = await chosen(page, "Contacts, every night", "Edit …")
    await form.get_by_text("When things do not go as planned").click()
    await form.get_by_role("checkbox", name="Freeze").check()
    await expect(form.get_by_label("What it would do")).to_contain_text("blackout: will be skipped")
    await sure(form.get_by_role("button", name="Save"))
    await page.get_by_role("tab", name="Blackouts").click()
    row = page.get_by_role("row").filter(has_text="Freeze")
    await expect(row.get_by_role("link", name="nightly")).to_be_visible()
    await page.get_by_role("button", name="More about Freeze").press("Enter")
    await expect(page.get_by_role("menuitem", name="Delete")).to_be_disabled()
    await page.get_by_role("menuitem", name="Take everything out").first.press("Enter")
    await sure(page.get_by_role("dialog").get_by_role("button", name="Take everything out"))
    await expect(row).to_contain_text("nothing")
