"""Schedules with a cron cadence, as commands make and change them."""

from typing import Any

import pytest

from eventjobs.commands.spec import CommandFields
from eventjobs.events.cadence import Cadence, Repeat, Timing, Unit
from eventjobs.events.schedule import ScheduleCadenceEdited, ScheduleCreated, SchedulePoliciesEdited
from tests.support.bodies import DAILY, policies, schedule, service, workspace
from tests.support.story import Fact, Story, at, command

NIGHT = {"cron": "0 3 * * *", "time_zone": "Europe/Berlin"}


def ready(**fields: Any) -> Story:
    story = Story().given(workspace(), service())
    return story.given(schedule(**fields)) if fields else story


def edited(**cadence: Any) -> CommandFields:
    return command("EditCadence", id="nightly", cadence=cadence)


def due(story: Story) -> Any:
    following = story.schedule().next
    return None if following is None else following.due


def test_a_cron_is_created_by_the_wall_clock_and_runs_nothing_at_once() -> None:
    story = ready()
    story.when(schedule(cadence=NIGHT)).then(
        Fact(
            ScheduleCreated,
            cadence=Cadence(time_zone="Europe/Berlin", unit=Unit.CRON, cron="0 3 * * *"),
            active=True,
        ),
        Fact(object),
    )
    assert story.schedule().policies.timing.timing is Timing.WALL_CLOCK
    assert due(story) == at("2026-12-02 02:00")


def test_a_short_form_is_stored_as_its_five_fields_and_is_the_same_schedule() -> None:
    story = ready(cadence={**NIGHT, "cron": "@daily"})
    assert story.schedule().cadence.cron == "0 0 * * *"
    story.when(schedule(cadence={**NIGHT, "cron": "0  0 * * *"})).then_nothing()


@pytest.mark.parametrize(
    ("cadence", "given", "code", "path"),
    [
        ({"cron": "61 * * * *"}, {}, "cron_invalid", "cadence.cron"),
        ({"cron": "@reboot"}, {}, "cron_invalid", "cadence.cron"),
        ({"cron": "0 0 3 * * *"}, {}, "cron_invalid", "cadence.cron"),
        ({"cron": "*/5 * * * *"}, {}, "interval_too_short", "cadence.cron"),
        ({"time_zone": "Mars/Base"}, {}, "time_zone_unknown", "cadence.time_zone"),
        ({"unit": "day"}, {}, "not_with_cron", "cadence.unit"),
        ({"start_date": "2026-12-01"}, {}, "not_with_cron", "cadence.start_date"),
        ({}, {"timing": "elapsed"}, "timing_not_possible", "policies.timing"),
        ({}, {"timing": "grid"}, "timing_not_possible", "policies.timing"),
    ],
)
def test_a_cron_that_makes_no_sense_is_refused(
    cadence: dict[str, Any], given: dict[str, Any], code: str, path: str
) -> None:
    ready().when(schedule(cadence={**NIGHT, **cadence}, policies=given)).then_refused(code, path)


def test_a_cron_that_never_comes_is_told() -> None:
    outcome = ready().when(schedule(cadence={**NIGHT, "cron": "0 0 */30 2 1#5"}))
    assert outcome.warnings == ["never_fires"]


def test_a_schedule_becomes_a_cron_and_brings_its_timing_with_it() -> None:
    story = ready(cadence={**DAILY, "every": 1, "unit": "hour"}, policies={"overlap": "queue_one"})
    story.when(edited(**NIGHT)).then(Fact(ScheduleCadenceEdited, cadence_version=2))
    policy = story.schedule().policies
    assert (policy.timing.timing, policy.overlap) == (Timing.WALL_CLOCK, "queue_one")
    assert due(story) == at("2026-12-02 02:00")


def test_a_cron_becomes_hourly_again_and_its_timing_is_elapsed() -> None:
    story = ready(cadence=NIGHT)
    story.when(edited(**{**DAILY, "every": 2, "unit": "hour"})).then(Fact(ScheduleCadenceEdited))
    assert story.schedule().policies.timing.timing is Timing.ELAPSED
    assert due(story) == at("2026-12-01 20:00")


def test_a_cron_that_becomes_daily_stays_with_the_wall_clock() -> None:
    story = ready(cadence=NIGHT)
    story.when(edited(**DAILY)).then(Fact(ScheduleCadenceEdited, policies=None))
    assert story.schedule().policies.timing.timing is Timing.WALL_CLOCK


def test_another_expression_is_a_new_cadence_version() -> None:
    story = ready(cadence=NIGHT)
    story.when(edited(**{**NIGHT, "cron": "30 4 * * 1"})).then(
        Fact(ScheduleCadenceEdited, cadence_version=2, policies=None)
    )
    assert due(story) == at("2026-12-07 03:30")
    story.when(edited(**{**NIGHT, "cron": "30 4 * * mon"})).then(Fact(ScheduleCadenceEdited, cadence_version=3))


def test_policies_without_a_timing_leave_a_cron_by_the_wall_clock() -> None:
    story = ready(cadence=NIGHT)
    story.when(policies(repeat="both")).then(Fact(SchedulePoliciesEdited, cadence_version=2))
    timing = story.schedule().policies.timing
    assert (timing.timing, timing.repeat) == (Timing.WALL_CLOCK, Repeat.BOTH)
    story.when(policies(timing="elapsed")).then_refused("timing_not_possible", "policies.timing")
