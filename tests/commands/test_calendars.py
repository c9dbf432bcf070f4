"""Blackout calendars, and what they make of due moments."""

from typing import Any

import pytest

from eventjobs.domain.streams import calendar_stream
from eventjobs.events.calendar import BlackoutDate, BlackoutWeekly, CalendarSaved
from eventjobs.events.run import RunMissed, RunOpened, RunSkipped
from eventjobs.events.schedule import (
    ScheduleCreated,
    ScheduleOccurrenceDropped,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePoliciesEdited,
    ScheduleRunOpened,
)
from eventjobs.events.service import ServiceAttached
from tests.commands.test_halts import pause, skipped
from tests.commands.test_overlap import end
from tests.commands.test_schedule_edits import due
from tests.support.bodies import QUARTERLY, advance, policies, run_now, schedule, service, tick, workspace
from tests.support.story import WORKSPACE, Fact, Story, at, command

NAMED = {"calendars": ["nights"]}
EARLY = "schedule.nightly.1.20261201t193000z"
FREEZE = {"start": "2026-12-01T20:00", "end": "2026-12-01T20:40", "note": "freeze"}


def calendar(calendar_id: str = "nights", **fields: Any) -> Any:
    return command("SaveCalendar", id=calendar_id, name="Nights", time_zone=fields.pop("time_zone", "UTC"), **fields)


def frozen(**fields: Any) -> Story:
    """Return a story whose schedule is due from 20:00 on, every quarter of an hour, and frozen until 20:40."""
    story = Story().given(workspace(), service(), calendar(ranges=[FREEZE]))
    named = {**NAMED, **fields}
    return story.given(schedule(cadence=QUARTERLY, policies=named)).at("2026-12-01 19:50")


def test_a_calendar_is_saved_and_the_same_again_decides_nothing() -> None:
    story = Story().given(workspace())
    body = calendar(
        time_zone="Europe/Berlin",
        dates=[{"date": "2026-12-24", "note": "Christmas"}],
        weekly=[{"days": ["sat"], "start": "22:00", "end": "06:00"}],
    )
    assert story.when(body).emitted == [
        (
            calendar_stream(WORKSPACE, "nights"),
            CalendarSaved(
                name="Nights",
                time_zone="Europe/Berlin",
                since=story.now,
                dates=(BlackoutDate(date="2026-12-24", note="Christmas"),),
                weekly=(BlackoutWeekly(days=("sat",), start="22:00", end="06:00"),),
            ),
        )
    ]
    story.after(hours=1).when(body).then_nothing()
    story.when(calendar()).then(CalendarSaved(name="Nights", time_zone="UTC", since=story.now))
    assert story.load(calendar_stream(WORKSPACE, "nights")).state.definition_version == 2


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone_unknown", "time_zone"),
        ({"dates": [{"date": "2026-12-01"}, {"date": "2026-02-30"}]}, "date_invalid", "dates.1.date"),
        ({"dates": [{"date": "1850-01-01"}]}, "date_out_of_range", "dates.0.date"),
        ({"ranges": [{**FREEZE, "end": "2026-12-01T20:00"}]}, "ends_before", "ranges.0.end"),
        ({"ranges": [{**FREEZE, "end": "2026-13-01T20:00"}]}, "date_invalid", "ranges.0.end"),
        ({"yearly": [{"start": "02-30", "end": "03-01"}]}, "day_invalid", "yearly.0.start"),
        (
            {
                "weekly": [
                    {"days": ["mon"], "start": "10:00", "end": "11:00", "first": "2026-12-02", "last": "2026-12-01"}
                ]
            },
            "ends_before",
            "weekly.0.last",
        ),
        ({"dates": [{"date": "2026-12-01"}] * 1_000, "ranges": [FREEZE]}, "too_many", ""),
    ],
)
def test_what_is_no_calendar_is_refused_with_its_place(fields: dict[str, Any], code: str, path: str) -> None:
    outcome = Story().given(workspace()).when(calendar(**fields))
    assert outcome.refusal is not None
    assert [(error.code, error.path) for error in outcome.refusal.errors] == [(code, path)]


def test_a_schedule_names_calendars_that_are_there_and_each_once() -> None:
    story = Story().given(workspace(), service(), calendar())
    story.when(schedule(policies={"calendars": ["nights", "x"]})).then_refused(
        "unknown_calendar", "policies.calendars.1"
    )
    story.given(schedule())
    story.when(policies(calendars=["x"])).then_refused("unknown_calendar", "policies.calendars.0")
    story.when(policies(calendars=["nights"] * 2)).then_refused("duplicate_calendar", "policies.calendars.1")
    story.when(policies(calendars=["nights"])).then(Fact(SchedulePoliciesEdited, cadence_version=1))
    assert story.schedule().policies.calendars == ("nights",)


def test_a_moment_in_a_blackout_is_skipped_and_the_first_after_it_runs() -> None:
    story = frozen().at("2026-12-01 20:00:01")
    story.when(tick()).then(*skipped("2026-12-01 20:00", "blackout"))
    assert due(story) == at("2026-12-01 20:15")
    story.at("2026-12-01 20:15").given(tick()).at("2026-12-01 20:30").given(tick()).at("2026-12-01 20:45")
    story.when(tick()).then(Fact(RunOpened, due=at("2026-12-01 20:45"), cause="scheduled"), Fact(ScheduleRunOpened))


def test_people_run_it_in_a_blackout() -> None:
    story = frozen().at("2026-12-01 20:10")
    story.given(tick()).when(run_now(id="mine")).then(Fact(RunOpened, cause="manual"), Fact(ScheduleRunOpened))


def test_an_answer_names_the_calendars_that_it_read() -> None:
    outcome = frozen().at("2026-12-01 20:45").when(tick())
    assert outcome.named[calendar_stream(WORKSPACE, "nights")] == 1


def test_what_was_blacked_out_while_nobody_was_up_is_skipped_among_what_is_caught_up() -> None:
    story = frozen().at("2026-12-01 21:07")
    story.when(tick()).then(
        Fact(ScheduleOccurrencesSkipped, reason="blackout", count=3, last=at("2026-12-01 20:30")),
        Fact(RunOpened, due=at("2026-12-01 20:45"), cause="catch_up", missed_occurrences=1),
        Fact(ScheduleRunOpened),
        Fact(RunMissed, due=at("2026-12-01 21:00")),
        Fact(ScheduleOccurrencesMissed, count=1),
    )


def test_what_would_be_caught_up_in_a_blackout_is_skipped() -> None:
    early = {**QUARTERLY, "start_time": "19:45"}
    story = Story().given(workspace(), service(), calendar(ranges=[FREEZE]))
    story.given(schedule(cadence=early, policies=NAMED)).at("2026-12-01 20:05")
    story.when(tick()).then(*skipped("2026-12-01 20:00", "blackout"), *skipped("2026-12-01 19:45", "blackout"))


def test_a_late_answer_goes_by_what_the_calendar_said_at_the_instant() -> None:
    story = frozen().at("2026-12-01 20:20").given(calendar()).at("2026-12-01 20:33")
    story.when(tick()).then(
        Fact(ScheduleOccurrencesSkipped, reason="blackout", count=2, last=at("2026-12-01 20:15")),
        Fact(RunOpened, due=at("2026-12-01 20:30")),
        Fact(ScheduleRunOpened),
    )


def test_a_calendar_that_was_saved_later_blacks_out_nothing_before() -> None:
    story = Story().given(workspace(), service(), calendar(), schedule(cadence=QUARTERLY, policies=NAMED))
    story.at("2026-12-01 20:20").given(calendar(ranges=[{**FREEZE, "end": "2026-12-01T20:25"}])).at("2026-12-01 20:27")
    story.when(tick()).then(
        Fact(RunOpened, due=at("2026-12-01 20:00"), missed_occurrences=1),
        Fact(ScheduleRunOpened),
        Fact(RunMissed, due=at("2026-12-01 20:15")),
        Fact(ScheduleOccurrencesMissed),
    )


def test_other_calendars_are_for_what_falls_due_after_the_edit() -> None:
    story = frozen().at("2026-12-01 20:10")
    story.when(policies(calendars=[])).then(*skipped("2026-12-01 20:00", "blackout"), Fact(SchedulePoliciesEdited))
    story.at("2026-12-01 20:15").when(tick()).then(Fact(RunOpened, due=at("2026-12-01 20:15")), Fact(ScheduleRunOpened))


def test_a_pause_comes_before_a_blackout() -> None:
    story = frozen().given(pause(until="2026-12-01T20:10:00Z")).at("2026-12-01 20:16")
    facts = story.when(tick()).facts
    assert [fact.reason for fact in facts if isinstance(fact, RunSkipped)] == ["paused", "blackout"]


def test_R24_a_first_activation_in_a_blackout_is_skipped() -> None:
    story = Story().given(workspace(), service(), calendar(ranges=[FREEZE])).at("2026-12-01 20:10")
    past = {**QUARTERLY, "start_time": "10:00"}
    story.when(schedule(cadence=past, policies=NAMED)).then(
        Fact(ScheduleCreated),
        Fact(ServiceAttached),
        *skipped("2026-12-01 20:10", "blackout"),
    )


def test_what_waits_and_would_open_in_a_blackout_is_skipped() -> None:
    early = {**QUARTERLY, "start_time": "19:30"}
    story = Story().given(workspace(), service(), calendar(ranges=[FREEZE]))
    story.given(schedule(cadence=early, policies={**NAMED, "overlap": "queue_one"}))
    story.at("2026-12-01 19:30").given(tick(), advance(EARLY)).at("2026-12-01 19:45").given(tick())
    story.at("2026-12-01 20:00").given(tick()).at("2026-12-01 20:05")
    assert end(story, EARLY)[-1:] == [Fact(ScheduleOccurrenceDropped, outcome="skipped", reason="blackout")]
    assert story.schedule().waiting == ()


def test_a_schedule_that_its_calendars_leave_no_moment_is_warned_of() -> None:
    every_night = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "18:00", "end": "06:00"}
    story = Story().given(workspace(), service(), calendar(weekly=[every_night]), schedule())
    assert story.when(policies(calendars=["nights"])).warnings == ["all_blacked_out"]
    assert story.when(schedule("other", policies=NAMED)).warnings == ["all_blacked_out"]
    story.given(calendar(weekly=[{**every_night, "days": ["mon", "tue", "wed", "thu", "fri", "sat"]}]))
    assert story.when(schedule("third", policies=NAMED)).warnings == []
