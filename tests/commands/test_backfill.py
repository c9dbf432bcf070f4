"""A schedule runs for moments of the past, one after another, and changes no occurrence's outcome."""

from typing import Any

import pytest

from eventjobs.commands.context import Limits
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.run import State
from eventjobs.events.run import RunEnded, RunOpened
from eventjobs.events.schedule import (
    ScheduleBackfillAsked,
    ScheduleBackfillStopped,
    ScheduleRunClosed,
    ScheduleRunOpened,
)
from tests.support.bodies import DAILY, advance, edit, ended, row, run_now, schedule, service, tick, workspace
from tests.support.definitions import LOAD, NIGHTLY, feature, publish, put, register, scheduled, services, sync
from tests.support.story import Fact, Story, at, command

WEEK = {"start_date": "2026-11-20"}


def backfill(since: str = "2026-11-24T00:00:00Z", until: str = "2026-11-27T00:00:00Z", **fields: Any) -> CommandFields:
    owner = {"kind": "schedule", "id": "nightly"}
    return command("Backfill", **{"owner": owner, "id": "b1", "since": since, "until": until, **fields})


def stop() -> CommandFields:
    return command("StopBackfill", owner={"kind": "schedule", "id": "nightly"})


def ready(*, limits: Limits | None = None, active: bool = False, **fields: Any) -> Story:
    story = Story(limits=limits).given(workspace(), service())
    return story.given(schedule(active=active, **{"cadence": {**DAILY, **WEEK}, **fields}))


def end_open_run(story: Story, state: str = "succeeded") -> list[Any]:
    (run,) = story.schedule().open_runs
    story.given(advance(run))
    return story.when(advance(run, ended=[ended(state=state, reason=None if state == "succeeded" else "error")])).facts


MOMENTS = tuple(at(f"2026-11-{day} 20:00") for day in (24, 25, 26))


def test_each_moment_of_the_window_gets_a_run_that_stands_for_it_one_after_another() -> None:
    story = ready()
    story.when(backfill()).then(
        ("schedule:nightly", ScheduleBackfillAsked(backfill="b1", moments=MOMENTS)),
        Fact(RunOpened, cause="manual", cause_detail="backfill", due=None, stands_for=MOMENTS[0]),
        ("schedule:nightly", Fact(ScheduleRunOpened, cause="manual", due=None, stands_for=MOMENTS[0])),
    )
    for following in MOMENTS[1:]:
        facts = end_open_run(story)
        opened = next(fact for fact in facts if isinstance(fact, RunOpened))
        assert opened.stands_for == following
        assert story.run(story.schedule().open_runs[0]).moment == following
    facts = end_open_run(story)
    assert not any(isinstance(fact, RunOpened) for fact in facts)
    assert (story.schedule().backfill, story.schedule().open_runs) == (None, ())


def test_a_failed_one_does_not_end_it() -> None:
    story = ready().given(backfill())
    facts = end_open_run(story, "failed")
    assert Fact(RunEnded, state="failed") in facts
    assert Fact(RunOpened, stands_for=MOMENTS[1]) in facts


def test_it_moves_nothing_and_answers_no_occurrence() -> None:
    story = ready(active=True, policies={"timing": "grid"}).given(backfill())
    before = (story.schedule().next, story.schedule().timing)
    while story.schedule().open_runs:
        end_open_run(story)
    assert (story.schedule().next, story.schedule().timing) == before
    assert not any(stream.id.startswith("schedule.") for stream in story.streams)


@pytest.mark.parametrize("timing", ["elapsed", "grid", "wall_clock"])
def test_its_moments_are_those_that_the_cadence_has_from_its_start(timing: str) -> None:
    cadence = {**DAILY, **WEEK, "time_zone": "America/Chicago", "start_time": "14:00"}
    story = ready(cadence=cadence, policies={"timing": timing})
    asked = story.when(backfill(since="2026-11-01T00:00:00Z", until="2026-11-22T00:00:00Z")).facts[0]
    assert asked.moments == (at("2026-11-20 20:00"), at("2026-11-21 20:00"))


def test_a_cron_is_run_for_the_moments_that_its_expression_names() -> None:
    story = ready(cadence={"time_zone": "America/Chicago", "cron": "0 14 * * *"})
    story.when(backfill()).then(
        ("schedule:nightly", ScheduleBackfillAsked(backfill="b1", moments=MOMENTS)),
        Fact(RunOpened, cause="manual", cause_detail="backfill", due=None, stands_for=MOMENTS[0]),
        ("schedule:nightly", Fact(ScheduleRunOpened, cause="manual", due=None, stands_for=MOMENTS[0])),
    )


def test_the_window_is_half_open() -> None:
    asked = ready().when(backfill(since="2026-11-24T20:00:00Z", until="2026-11-26T20:00:00Z")).facts[0]
    assert asked.moments == MOMENTS[:2]


def test_more_moments_than_the_cap_are_refused_and_none_is_nothing_to_do() -> None:
    ready().when(backfill(max=2)).then_refused("too_many_moments", "max")
    quarterly = ready(cadence={**DAILY, **WEEK, "every": 15, "unit": "minute"})
    quarterly.when(backfill()).then_refused("too_many_moments", "max")
    ready().when(backfill(since="2026-11-24T00:00:00Z", until="2026-11-24T10:00:00Z")).then_nothing()


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({"since": "2026-11-27T00:00:00Z"}, "empty_window"),
        ({"until": "2026-12-02T00:00:00Z"}, "not_past"),
        ({"since": "1960-01-01T00:00:00Z"}, "bad_instant"),
    ],
)
def test_a_window_is_one_of_the_past(window: dict[str, str], code: str) -> None:
    ready().when(backfill(**window)).then_refused(code)


def test_one_backfill_at_a_time_and_the_same_again_does_nothing() -> None:
    story = ready().given(backfill())
    story.when(backfill()).then_nothing()
    story.when(backfill(id="b2")).then_refused("backfill_open", backfill="b1")


def test_one_that_is_over_does_not_run_again_under_its_id() -> None:
    story = ready().given(backfill())
    while story.schedule().open_runs:
        end_open_run(story)
    story.when(backfill()).then_nothing()
    story.when(backfill(id="b2")).then(Fact(ScheduleBackfillAsked), Fact(RunOpened), Fact(ScheduleRunOpened))


def test_it_waits_for_a_run_that_is_open() -> None:
    story = ready().given(run_now(id="mine"))
    assert [type(fact) for fact in story.when(backfill()).facts] == [ScheduleBackfillAsked]
    assert Fact(RunOpened, stands_for=MOMENTS[0]) in end_open_run(story)


def test_what_falls_due_meanwhile_comes_first() -> None:
    story = ready(active=True, policies={"overlap": "queue_one", "timing": "grid"}).given(backfill())
    story.at("2026-12-01 20:00").given(tick())
    opened = [fact for fact in end_open_run(story) if isinstance(fact, RunOpened)]
    assert [(fact.cause, fact.due) for fact in opened] == [("scheduled", at("2026-12-01 20:00"))]
    assert Fact(RunOpened, stands_for=MOMENTS[1]) in end_open_run(story)


def test_who_skips_overlaps_is_warned() -> None:
    assert ready(active=True).when(backfill()).warnings == ["may_overlap"]
    assert ready().when(backfill()).warnings == []


def test_the_next_run_opens_one_at_a_time_also_where_runs_may_overlap() -> None:
    story = ready(policies={"overlap": "allow"}).given(backfill())
    assert len(story.schedule().open_runs) == 1


def test_it_is_stopped_and_the_open_run_goes_on() -> None:
    story = ready().given(backfill())
    story.when(stop()).then(
        ("schedule:nightly", ScheduleBackfillStopped(backfill="b1", reason="asked", left=2)),
    )
    story.when(stop()).then_nothing()
    assert len(story.schedule().open_runs) == 1
    assert not any(isinstance(fact, RunOpened) for fact in end_open_run(story))


def test_a_hold_ends_it_and_begins_none() -> None:
    story = ready().given(backfill(), command("HoldStarts"))
    assert Fact(ScheduleBackfillStopped, reason="held", left=2) in end_open_run(story)
    story.when(backfill(id="b2")).then_refused("held")


def test_a_deleted_schedule_has_none() -> None:
    story = ready().given(backfill(), command("DeleteSchedule", id="nightly"))
    assert [type(fact) for fact in end_open_run(story)][-1] is ScheduleRunClosed
    story.when(backfill(id="b2")).then_refused("not_found")


def test_it_waits_for_room_in_the_workspace() -> None:
    story = ready(limits=Limits(runs_per_workspace=1)).given(service("other"), run_now("other", "service", id="mine"))
    story.given(backfill())
    assert story.schedule().open_runs == ()
    story.given(advance("mine"))
    facts = story.when(advance("mine", ended=[ended()])).facts
    assert Fact(RunOpened, stands_for=MOMENTS[0]) in facts


def test_it_goes_by_the_cadence_of_today() -> None:
    story = ready().given(edit(start_date="2026-11-20", start_time="06:00"))
    asked = story.when(backfill()).facts[0]
    assert [moment.hour for moment in asked.moments] == [6, 6, 6]
    assert story.run(story.schedule().open_runs[0]).state is State.RUNNING


def managed() -> Story:
    """A managed schedule in a backfill, its first run open; the feature is not active, so nothing falls due."""
    story = Story().given(workspace(), publish(feature("contacts", scheduled(cadence={**DAILY, **WEEK}))), register())
    return story.given(command("Backfill", **{**backfill().model_dump(), "owner": {"kind": "schedule", "id": NIGHTLY}}))


def end_managed(story: Story) -> list[Any]:
    (run,) = story.schedule(NIGHTLY).open_runs
    return story.given(advance(run)).when(advance(run, ended=[ended()])).facts


def test_R52_a_feature_that_is_turned_off_ends_it() -> None:
    story = managed().given(put("off"))
    facts = end_managed(story)
    assert Fact(ScheduleBackfillStopped, reason="feature_off", left=2) in facts
    assert story.schedule(NIGHTLY).open_runs == ()


def test_R80_a_schedule_that_a_sync_left_without_jobs_runs_for_no_moment_more() -> None:
    story = Story().given(workspace(), publish(), register())
    story.given(schedule(jobs=[row(LOAD)], active=False, cadence={**DAILY, **WEEK}))
    story.given(backfill(), publish(feature("contacts", scheduled("other", row("more"))), services=services("more")))
    story.given(sync())
    assert story.schedule().jobs == ()
    assert Fact(ScheduleBackfillStopped, reason="no_jobs", left=2) in end_open_run(story)
    assert story.schedule().open_runs == ()
