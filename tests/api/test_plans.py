"""What would be made of others' files is read and shown, and nothing is written."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from eventjobs.handlers.registry import Registry
from eventjobs.runner.catalog import Catalog
from tests.api.rig import Rig, started

EXAMPLE = Path(__file__).parents[2] / "examples/people.yaml"
CRONTAB = """MAILTO=ops@example.org
30 2 * * MON-FRI  report --all
@reboot  start
*/5 * * * * poll
"""


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A server whose jobs may run a shell."""
    async with started(catalog=Catalog(Registry.load({"commands": ("/bin/sh",)}))) as running:
        made = await running.post("/v1/workspaces", {"id": "acme", "time_zone": "Europe/Berlin"})
        assert made.status == 201
        yield running


async def plan(rig: Rig, text: str, **fields: Any) -> Mapping[str, Any]:
    answered = await rig.post("/v1/acme/plans/crontab", {"text": text, **fields})
    assert answered.status == 200, answered.body
    document: Mapping[str, Any] = answered.json
    return document


async def test_each_line_of_a_crontab_is_planned_and_nothing_is_written(rig: Rig) -> None:
    before = rig.log.known_head.position

    shown = await plan(rig, CRONTAB)

    new, reboot, often = shown["lines"]
    assert (shown["time_zone"], shown["settings"][0]["line"]) == ("Europe/Berlin", 1)
    assert (new["state"], new["line"], new["schedule"]["cadence"]["cron"]) == ("new", 2, "30 2 * * MON-FRI")
    assert [moment["local"][11:16] for moment in new["next"]] == ["02:30"] * 5
    assert (reboot["state"], reboot["problem"]["code"], reboot["schedule"]) == ("refused", "not_carried_over", None)
    assert (often["state"], often["problem"]["errors"][0]["code"]) == ("refused", "interval_too_short")
    assert rig.log.known_head.position == before


async def test_what_a_plan_answers_are_the_commands_that_make_it(rig: Rig) -> None:
    (line,) = (await plan(rig, "0 3 * * * tidy", time_zone="Asia/Tokyo"))["lines"]
    batch = [
        {"command": "AddService", "data": line["service"]},
        {"command": "CreateSchedule", "data": line["schedule"]},
    ]

    made = await rig.post("/v1/acme/commands?atomic=true", batch)

    assert (made.status, line["schedule"]["cadence"]["time_zone"]) == (200, "Asia/Tokyo")
    (again,) = (await plan(rig, "0 3 * * * tidy", time_zone="Asia/Tokyo"))["lines"]
    assert again["state"] == "there"
    (other,) = (await plan(rig, "5 3 * * * root tidy", time_zone="Asia/Tokyo", system=True))["lines"]
    assert (other["notes"], other["state"]) == (["it runs as the user of the service, not as root"], "new")


async def test_a_crontab_is_planned_for_who_may_make_it_and_within_limits(rig: Rig) -> None:
    for roles in (("reader",), ("flow_author",), ("integration_author",)):
        refused = await rig.post("/v1/acme/plans/crontab", {"text": ""}, key=await rig.issue(*roles))
        assert (refused.status, refused.code) == (403, "forbidden")
    for fields, code in (
        ({"text": "0 3 * * * x\n" * 1001}, "too_many"),
        ({"text": "", "time_zone": "Europe/Nowhere"}, "time_zone_unknown"),
        ({"text": "", "color": "red"}, "unknown_field"),
    ):
        refused = await rig.post("/v1/acme/plans/crontab", fields)
        assert (refused.status, refused.json["errors"][0]["code"]) == (422, code)


async def test_a_definitions_file_is_read_with_the_line_of_each_part(rig: Rig) -> None:
    text = EXAMPLE.read_text()

    shown = (await rig.post("/v1/acme/plans/definition", {"text": text})).json

    assert shown["content"]["features"][0]["schedules"][0]["cadence"]["start_date"] == "2030-01-01"
    assert "handler" in text.splitlines()[shown["lines"]["services.0.handler"] - 1]
    as_json = (await rig.post("/v1/acme/plans/definition", {"text": '{"id": "x", "name": "X"}'})).json
    assert as_json["content"] == {"id": "x", "name": "X"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: x\nname: [", "line"),
        ("- 1", "a mapping with an id"),
        ("id: &a x\nname: *a", "line 2: an alias is not read"),
        ("", "a mapping with an id"),
    ],
)
async def test_what_is_no_definition_is_refused_with_its_line(rig: Rig, text: str, said: str) -> None:
    refused = await rig.post("/v1/acme/plans/definition", {"text": text})

    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "not_a_definition")
    assert said in refused.json["errors"][0]["detail"]


async def test_a_definition_is_read_for_who_may_publish_it(rig: Rig) -> None:
    refused = await rig.post("/v1/acme/plans/definition", {"text": "id: x"}, key=await rig.issue("operator"))

    assert (refused.status, refused.code) == (403, "forbidden")


async def test_a_calendars_events_are_planned_with_those_that_no_blackout_can_say(rig: Rig) -> None:
    """What is refused is named, what breaks off or is too much is a problem, and who may not save may not plan."""
    holidays = ("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "RRULE:FREQ=YEARLY", "SUMMARY:Christmas")
    odd = ("DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=MONTHLY", "SUMMARY:Inventory")
    broken = ("DTSTART;VALUE=DATE:99991231", "DURATION:P9999D", "SUMMARY:The end")
    body = {"text": ics(holidays, odd, broken), "time_zone": "Europe/Berlin"}

    answered = await rig.post("/v1/acme/plans/calendar", body)

    shown = answered.json
    assert [one["event"] for one in shown["refused"]] == ["Inventory", "The end"]
    assert shown["content"]["yearly"] == [{"start": "12-24", "end": "12-26", "note": "Christmas"}]
    saved = await rig.command("SaveCalendar", {**shown["content"], "id": "holidays", "name": "Holidays"})
    assert saved.status == 201, saved.body
    many = [("DTSTART;VALUE=DATE:20000101", "RRULE:FREQ=YEARLY;COUNT=900")] * 2
    for fields, code in (
        ({"text": "nonsense"}, "not_a_calendar"),
        ({"text": ics(*many), "time_zone": "UTC"}, "not_a_calendar"),
        ({"text": ics(holidays)}, "missing"),
        ({"text": "", "time_zone": "Europe/Nowhere"}, "time_zone_unknown"),
    ):
        refused = await rig.post("/v1/acme/plans/calendar", fields)
        assert (refused.status, refused.json["errors"][0]["code"]) == (422, code)
    refused = await rig.post("/v1/acme/plans/calendar", body, key=await rig.issue("reader"))
    assert (refused.status, refused.code) == (403, "forbidden")


def ics(*events: tuple[str, ...]) -> str:
    lines = [line for event in events for line in ("BEGIN:VEVENT", *event, "END:VEVENT")]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", *lines, "END:VCALENDAR", ""])
