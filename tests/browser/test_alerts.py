"""People say what of a schedule is watched for and who is told of it."""

import re

from playwright.async_api import expect

from tests.api.rig import Rig
from tests.browser.conftest import Open, seen
from tests.browser.test_dashboard import serious
from tests.browser.test_schedule_forms import chosen, sure

HOOK = {"url": "https://hooks.example.org/jobs", "secret": "secret://hook", "previous_secret": "secret://before"}


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
