"""What docs/groups.md tells people to send is accepted, and its schedules are told as they stand there."""

import re
from pathlib import Path

import orjson
import pytest

from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.domain.slots import describe
from eventjobs.events.slots import SlotType
from tests.support.story import Story, command

PAGE = (Path(__file__).parents[2] / "docs/groups.md").read_text("utf-8")
SENT = re.findall(r"eventjobs do (\w+) --data '([^']+)'", PAGE)
SCHEDULES = re.findall(r"^\| `(\{.*?\})` \| (.*?) \|$", PAGE, re.MULTILINE)


def test_each_command_of_the_page_is_accepted_in_its_order() -> None:
    it = Story().given(command("CreateWorkspace", id="acme", time_zone="Europe/Berlin", kind="automation"))
    for name, fields in SENT:
        outcome = it.when(command(name, **orjson.loads(fields)))
        assert outcome.refusal is None, f"{name}: {outcome.refusal}"
        if name == "StopRun":
            it.given(command("AdvanceRun", run="by-hand", term=1))
    assert it.group("lists").deleted
    assert len(SENT) > 12


@pytest.mark.parametrize(("schedule", "told"), SCHEDULES)
def test_a_schedule_of_the_page_is_told_as_it_says(schedule: str, told: str) -> None:
    assert describe(slots_of(SlotFields.model_validate_json(schedule), "UTC")) == told


def test_the_page_has_a_schedule_of_each_type() -> None:
    assert {orjson.loads(schedule)["type"] for schedule, _ in SCHEDULES} == set(SlotType)
