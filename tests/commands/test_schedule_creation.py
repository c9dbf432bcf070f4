"""What a schedule may be, and what creating it means."""

from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.commands.context import Limits
from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState, Unit
from eventjobs.events.run import Ref, RunOpened, SnapshotJob
from eventjobs.events.schedule import JobRow, ScheduleCreated, SchedulePolicies, ScheduleRunOpened
from eventjobs.events.service import AttemptPolicy, ServiceAttached
from tests.support.bodies import DAILY, row, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at, command


def ready(**story: Any) -> Story:
    return Story(**story).given(workspace(), service("load"), service("clean"))


def test_R14_a_schedule_whose_start_is_ahead_waits_for_it() -> None:
    ready().when(schedule(description="Nightly load")).then(
        (
            "schedule:nightly",
            ScheduleCreated(
                description="Nightly load",
                active=True,
                cadence=Cadence(start_date="2026-12-01", start_time="20:00", time_zone="UTC", every=1, unit=Unit.DAY),
                policies=SchedulePolicies(timing=TimingPolicies(), overlap="skip", on_failure="continue"),
                jobs=(JobRow(row=1, job=Ref(kind="service", id="load"), seq=1),),
                cadence_version=1,
                timing=TimingState(),
                next=NextDue(due=at("2026-12-01 20:00"), local="2026-12-01T20:00:00", fold=0, zone_data=_zone_data()),
            ),
        ),
        ("service:load", ServiceAttached(schedule="nightly")),
    )


def _zone_data() -> str:
    from eventjobs.domain.zones import zone_data

    return zone_data()


@pytest.mark.parametrize("kind", ["integration", "automation", "customer", "development"])
def test_R2_the_kind_of_workspace_changes_no_timing(kind: str) -> None:
    story = Story().given(workspace(kind=kind), service("load"), schedule())
    assert story.schedule().next.due == at("2026-12-01 20:00")  # type: ignore[union-attr]


def test_R5_the_number_means_every_so_many_units() -> None:
    story = ready().given(schedule(cadence={**DAILY, "every": 4, "unit": "hour"})).at("2026-12-01 20:00").given(tick())
    assert story.schedule().next.due == at("2026-12-02 00:00")  # type: ignore[union-attr]


def test_R11_date_time_and_zone_make_one_instant() -> None:
    story = ready().given(schedule(cadence={**DAILY, "start_time": "14:00", "time_zone": "America/Chicago"}))
    assert story.schedule().next.due == at("2026-12-01 20:00")  # type: ignore[union-attr]


def test_R24_a_schedule_created_active_with_a_past_start_runs_now() -> None:
    story = ready()
    outcome = story.when(schedule(cadence={**DAILY, "start_time": "08:00"}))
    outcome.then(
        Fact(ScheduleCreated),
        Fact(ServiceAttached),
        ("run:schedule.nightly.1.20261201t120000z", Fact(RunOpened, cause="catch_up", cause_detail="first_activation")),
        ("schedule:nightly", Fact(ScheduleRunOpened, due=story.now, cause="catch_up")),
    )
    assert _next(story) == at("2026-12-02 12:00")


def test_a_start_at_this_very_second_is_on_time() -> None:
    story = ready().at("2026-12-01 20:00:00.4")
    story.when(schedule()).then(
        Fact(ScheduleCreated), Fact(ServiceAttached), Fact(RunOpened, cause="scheduled"), Fact(ScheduleRunOpened)
    )


def test_R44_a_run_opens_on_a_snapshot_of_its_jobs() -> None:
    story = ready()
    jobs = [
        row("load", attempts=4, timeout="PT2M", wait_timeout="PT3M", delivery="at_most_once"),
        row("clean", skip_wait=True),
    ]
    outcome = story.when(schedule(jobs=jobs, cadence={**DAILY, "start_time": "08:00"}))
    opened = outcome.facts[3]
    overridden = AttemptPolicy(delivery="at_most_once", attempts=4, timeout_s=120.0, wait_timeout_s=180.0)
    assert opened.jobs == (
        SnapshotJob(
            row=1,
            job=Ref(kind="service", id="load"),
            seq=1,
            skip_wait=False,
            handler="noop",
            config={},
            version=1,
            policy=overridden,
        ),
        SnapshotJob(
            row=2,
            job=Ref(kind="service", id="clean"),
            seq=2,
            skip_wait=True,
            handler="noop",
            config={},
            version=1,
            policy=AttemptPolicy(delivery="at_least_once"),
        ),
    )
    assert (opened.term, opened.instance, opened.on_failure, opened.cadence_version) == (1, "one", "continue", 1)


def test_a_schedule_created_inactive_has_nothing_due() -> None:
    story = ready()
    story.when(schedule(active=False, cadence={**DAILY, "start_time": "08:00"})).then(
        Fact(ScheduleCreated, active=False, next=None, timing=TimingState()), Fact(ServiceAttached)
    )
    story.when(tick()).then_nothing()


def test_R41_a_new_row_goes_behind_the_highest_number_before_it() -> None:
    story = ready().given(schedule(jobs=[row("load"), row("clean", seq=7), row("load"), row("clean", seq=2)]))
    assert [(job.row, job.seq) for job in story.schedule().jobs] == [(1, 1), (2, 7), (3, 8), (4, 2)]


def test_the_same_schedule_again_decides_nothing() -> None:
    ready().given(schedule()).when(schedule()).then_nothing()


@pytest.mark.parametrize(
    "other",
    [{"description": "x"}, {"jobs": [row("clean")]}, {"policies": {"on_failure": "stop"}}, {"active": False}],
)
def test_the_same_id_with_other_content_is_taken(other: dict[str, Any]) -> None:
    ready().given(schedule()).when(schedule(**other)).then_refused("id_taken")


def test_a_schedule_that_was_inactivated_is_not_the_one_that_was_asked_for() -> None:
    story = ready().given(schedule(), command("InactivateSchedule", id="nightly"))
    story.when(schedule()).then_refused("id_taken")
    story.when(schedule(active=False)).then_nothing()


def test_the_id_of_a_deleted_schedule_stays_taken() -> None:
    ready().given(schedule(), command("DeleteSchedule", id="nightly")).when(schedule()).then_refused("id_taken")


def test_a_schedule_without_an_id_gets_the_commands() -> None:
    fields = {"cadence": DAILY, "jobs": [row()]}
    outcome = ready().when(command("CreateSchedule", **fields), command_id="0192")
    outcome.then(("schedule:0192", Fact(ScheduleCreated)), ServiceAttached(schedule="0192"))


def test_a_schedule_needs_its_workspace() -> None:
    Story().when(schedule()).then_refused("not_found")


def test_R9_jobs_must_exist_first() -> None:
    ready().when(schedule(jobs=[row("load"), row("other")])).then_refused("unknown_job", "jobs.1.job.id")


def test_R9_a_deleted_job_does_not_exist() -> None:
    story = ready().given(command("DeleteService", id="clean"))
    story.when(schedule(jobs=[row("clean")])).then_refused("unknown_job", "jobs.0.job.id")


def test_R8_a_job_is_in_a_stage_once_and_in_other_stages_again() -> None:
    ready().when(schedule(jobs=[row(seq=1), row(seq=1)])).then_refused("duplicate_job", "jobs.1")
    assert ready().when(schedule(jobs=[row(seq=1), row(seq=2)])).refusal is None


def test_R8_at_least_one_job() -> None:
    with pytest.raises(ValidationError):
        schedule(jobs=[])


def test_all_wrong_rows_are_named_at_once() -> None:
    outcome = ready().when(schedule(jobs=[row("x"), row("y"), row("load", seq=9), row("load", seq=9)]))
    outcome.then_refused("unknown_job")
    assert outcome.refusal is not None
    assert [error.path for error in outcome.refusal.errors] == ["jobs.0.job.id", "jobs.1.job.id", "jobs.3"]


def test_a_schedule_has_at_most_as_many_jobs_as_the_limit() -> None:
    story = ready(limits=Limits(jobs_per_schedule=2))
    story.when(schedule(jobs=[row(), row(), row()])).then_refused("too_many_jobs", "jobs")
    assert story.when(schedule(jobs=[row(), row()])).refusal is None


@pytest.mark.parametrize(("every", "refused"), [(14, True), (15, False)])
def test_R6_fourteen_minutes_are_refused_and_fifteen_are_not(every: int, refused: bool) -> None:
    outcome = ready().when(schedule(cadence={**DAILY, "every": every, "unit": "minute"}))
    if refused:
        outcome.then_refused("interval_too_short", "cadence.every")
    assert (outcome.refusal is not None) is refused


def test_R6_the_floor_is_a_setting_of_the_deployment() -> None:
    story = ready(limits=Limits(min_period_s=60))
    assert story.when(schedule(cadence={**DAILY, "every": 1, "unit": "minute"})).refusal is None


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"jobs": [row(), {"job": {"kind": "import", "id": "load"}}]}, "jobs.1.job.kind"),
    ],
)
def test_what_a_schedule_cannot_run_is_refused_and_never_ignored(fields: dict[str, Any], path: str) -> None:
    ready().when(schedule(**fields)).then_refused("not_supported", path)


@pytest.mark.parametrize(
    ("cadence", "code", "path"),
    [
        ({"start_date": "2026-02-30"}, "date_invalid", "cadence.start_date"),
        ({"start_date": "2201-01-01"}, "date_out_of_range", "cadence.start_date"),
        ({"start_time": "24:00"}, "time_invalid", "cadence.start_time"),
        ({"time_zone": "Mars/Base"}, "time_zone_unknown", "cadence.time_zone"),
        ({"every": 0}, "interval_out_of_range", "cadence.every"),
        ({"every": 10_001}, "interval_out_of_range", "cadence.every"),
        ({"every": None}, "missing", "cadence.every"),
        ({"start_date": None}, "missing", "cadence.start_date"),
        ({"unit": None}, "missing", "cadence.unit"),
    ],
)
def test_R4_a_cadence_that_makes_no_sense_is_refused(cadence: dict[str, Any], code: str, path: str) -> None:
    ready().when(schedule(cadence={**DAILY, **cadence})).then_refused(code, path)


@pytest.mark.parametrize(
    ("unit", "timing"), [("once", "grid"), ("once", "wall_clock"), ("minute", "wall_clock"), ("hour", "wall_clock")]
)
def test_a_timing_that_the_unit_does_not_have_is_refused(unit: str, timing: str) -> None:
    outcome = ready().when(schedule(cadence={**DAILY, "every": 60, "unit": unit}, policies={"timing": timing}))
    outcome.then_refused("timing_not_possible", "policies.timing")


def test_R7_the_number_of_a_schedule_that_runs_once_is_ignored() -> None:
    story = ready().given(schedule(cadence={**DAILY, "every": 12, "unit": "once"}))
    assert story.schedule().cadence.every == 1


def _next(story: Story) -> Any:
    following = story.schedule().next
    return None if following is None else following.due
