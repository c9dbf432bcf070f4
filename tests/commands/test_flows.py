"""Flows are added, edited and deleted, and stand in job tables where they are on demand (R8 to R10, R83, R87, R95)."""

from typing import Any

import pytest
from pydantic import ValidationError

from eventjobs.commands.context import Limits
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.run import State
from eventjobs.events.flow import (
    FlowAdded,
    FlowAttached,
    FlowClaimed,
    FlowDeleted,
    FlowDetached,
    FlowEdited,
    FlowReleased,
    FlowRunClosed,
    FlowRunOpened,
)
from eventjobs.events.run import AttemptEnded, AttemptStarted, JobRunEnded, JobRunWaiting, RunEnded, RunOpened
from eventjobs.events.schedule import ScheduleCreated, ScheduleJobsEdited, ScheduleRunClosed
from tests.support.bodies import advance, ended, flow, flow_row, row, run_now, schedule, service, workspace
from tests.support.story import Fact, Story, command


def edit(**fields: Any) -> CommandFields:
    return command("EditFlow", **{"id": "approve", "handler": "python", **fields})


def delete(flow_id: str = "approve") -> CommandFields:
    return command("DeleteFlow", id=flow_id)


def with_flow(**fields: Any) -> Story:
    return Story().given(workspace(), flow(**fields))


def scheduled(*jobs: dict[str, Any], **fields: Any) -> Story:
    story = with_flow(**fields).given(service())
    return story.given(schedule(jobs=list(jobs) or [flow_row()]))


def test_a_flow_is_added_with_what_starts_it_and_how_it_may_try() -> None:
    story = Story().given(workspace())
    story.when(flow(name="Approve", trigger="cache_event", exclusive=True, wait_timeout="PT4H")).then(
        (
            "flow:approve",
            Fact(FlowAdded, name="Approve", trigger="cache_event", handler="python", exclusive=True, active=True),
        )
    )
    assert story.flow().policy.wait_timeout_s == 4 * 3600


@pytest.mark.parametrize("trigger", ["on_demand", "cache_event", "action_close_out", "work_request_batch_ready"])
def test_R10_a_flow_has_one_of_four_triggers(trigger: str) -> None:
    assert with_flow(trigger=trigger).flow().trigger == trigger


@pytest.mark.parametrize("wrong", [{"trigger": "by_hand"}, {"trigger": ["on_demand"]}, {"handler": "command"}])
def test_another_trigger_or_handler_is_none_of_a_flow(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        flow(**wrong)


def test_the_same_flow_again_decides_nothing_and_another_one_is_refused() -> None:
    story = with_flow(wait_timeout="PT5M")
    story.when(flow(wait_timeout="PT5M")).then_nothing()
    story.when(flow()).then_refused("id_taken")
    story.given(delete()).when(flow(wait_timeout="PT5M")).then_refused("id_taken")


def test_job_ids_are_unique_over_all_kinds_also_after_deletion() -> None:
    story = with_flow().given(service("load"))
    story.when(service("approve")).then_refused("id_taken")
    story.when(flow("load")).then_refused("id_taken")
    story.given(delete()).when(service("approve")).then_refused("id_taken")


def test_an_edit_is_the_whole_new_definition_and_a_new_version() -> None:
    story = with_flow(exclusive=True)
    story.when(edit(name="Other")).then(("flow:approve", Fact(FlowEdited, name="Other", exclusive=False)))
    assert story.flow().definition_version == 2
    story.when(edit(name="Other")).then_nothing()
    story.when(command("EditFlow", id="unknown", handler="python")).then_refused("not_found")


def test_R9_a_flow_of_a_job_table_must_be_there() -> None:
    with_flow().when(schedule(jobs=[flow_row("unknown")])).then_refused("unknown_job", "jobs.0.job.id")


def test_R10_only_on_demand_flows_are_schedulable() -> None:
    story = with_flow(trigger="cache_event").given(service(), schedule())
    story.when(schedule("other", jobs=[row(), flow_row()])).then_refused("flow_not_on_demand", "jobs.1.job.id")
    story.when(command("EditScheduleJobs", id="nightly", jobs=[flow_row()])).then_refused("flow_not_on_demand")


def test_R10_a_flow_in_job_tables_stays_on_demand() -> None:
    story = scheduled()
    story.when(edit(trigger="cache_event")).then_refused("in_use", users=[{"kind": "schedule", "id": "nightly"}])
    story.when(edit(name="Other")).then(Fact(FlowEdited))


def test_R8_a_schedule_holds_services_and_flows_together() -> None:
    story = with_flow().given(service())
    created = story.when(schedule(jobs=[row(), flow_row()]))
    kinds = [fact.TYPE for fact in created.facts[:1]] + [stream.name for stream, _ in created.emitted[1:3]]
    assert kinds == [ScheduleCreated.TYPE, "flow:approve", "service:load"]
    assert story.flow().users == {"nightly"}
    story.when(command("EditScheduleJobs", id="nightly", jobs=[row()])).then(
        Fact(ScheduleJobsEdited), ("flow:approve", FlowDetached(schedule="nightly"))
    )


def test_R8_a_flow_is_not_twice_in_one_stage() -> None:
    with_flow().when(schedule(jobs=[flow_row(seq=1), flow_row(seq=1)])).then_refused("duplicate_job")


def test_R87_a_flow_in_use_is_not_deleted() -> None:
    story = scheduled()
    story.when(delete()).then_refused("in_use", users=[{"kind": "schedule", "id": "nightly"}])
    story.given(command("DeleteSchedule", id="nightly"))
    assert story.flow().users == frozenset()
    story.when(delete()).then(("flow:approve", FlowDeleted()))
    story.when(delete()).then_nothing()


def test_a_deleted_schedule_detaches_its_flows() -> None:
    outcome = scheduled().when(command("DeleteSchedule", id="nightly"))
    assert ("flow:approve", FlowDetached(schedule="nightly")) in [(s.name, e) for s, e in outcome.emitted]


def test_a_new_row_attaches_its_flow() -> None:
    story = scheduled(row())
    story.when(command("EditScheduleJobs", id="nightly", jobs=[row(), flow_row()])).then(
        Fact(ScheduleJobsEdited), ("flow:approve", FlowAttached(schedule="nightly"))
    )


def test_R83_a_run_records_the_flows_version() -> None:
    story = scheduled(name="Old").given(edit(name="New", config={"a": 1}))
    opened = story.when(run_now()).facts[0]
    assert isinstance(opened, RunOpened)
    (job,) = opened.jobs
    assert (job.job.kind, job.version, dict(job.config)) == ("flow", 2, {"a": 1})


def test_a_flow_is_run_by_itself() -> None:
    story = with_flow()
    story.when(run_now("approve", "flow", id="r1")).then(
        Fact(RunOpened, cause="manual"), ("flow:approve", FlowRunOpened(run="r1", cause="manual"))
    )
    story.given(advance("r1")).when(advance("r1", ended=[ended()])).then(
        Fact(AttemptEnded),
        Fact(JobRunEnded, state="succeeded"),
        Fact(RunEnded, state="succeeded"),
        ("flow:approve", FlowRunClosed(run="r1", state="succeeded")),
    )


def test_R46_flows_have_no_lock_by_default() -> None:
    story = scheduled().given(schedule("other", jobs=[flow_row()]), run_now(id="r1"), run_now("other", id="r2"))
    story.when(advance("r1")).then(Fact(AttemptStarted))
    story.when(advance("r2")).then(Fact(AttemptStarted))


def test_R46_a_flow_without_a_lock_runs_by_hand_beside_its_open_runs() -> None:
    story = with_flow().given(run_now("approve", "flow", id="r1"), run_now("approve", "flow", id="r2"))
    assert story.flow().open_runs == ("r1", "r2")
    story.given(advance("r1"), advance("r2"))
    facts = story.when(advance("r2", ended=[ended()])).facts
    assert FlowRunClosed(run="r2", state="succeeded", open_run="r1") in facts
    facts = story.when(advance("r1", ended=[ended()])).facts
    assert FlowRunClosed(run="r1", state="succeeded") in facts
    assert story.flow().open_run is None


def test_the_same_command_again_runs_a_flow_without_a_lock_once() -> None:
    story = with_flow()
    assert story.when(run_now("approve", "flow"), command_id="once").answer == {"run": "once"}
    story.when(run_now("approve", "flow"), command_id="once").then_nothing()


def test_R46_an_exclusive_flow_is_not_run_by_hand_beside_its_open_run() -> None:
    story = with_flow(exclusive=True).given(run_now("approve", "flow", id="r1"))
    story.when(run_now("approve", "flow", id="r2")).then_refused("already_running", open_run="r1")


def test_a_flow_without_a_lock_has_as_many_runs_by_hand_as_an_owner_may() -> None:
    story = Story(limits=Limits(runs_per_owner=2)).given(workspace(), flow())
    story.given(run_now("approve", "flow", id="r1"), run_now("approve", "flow", id="r2"))
    story.when(run_now("approve", "flow")).then_refused("no_room", limit=2, of="flow")


def test_R46_an_exclusive_flow_runs_for_one_at_a_time() -> None:
    story = scheduled(exclusive=True).given(schedule("other", jobs=[flow_row()]))
    story.given(run_now(id="r1"), run_now("other", id="r2"))
    story.when(advance("r1")).then(("flow:approve", Fact(FlowClaimed)), Fact(AttemptStarted))
    assert story.when(advance("r2")).facts[1] == Fact(JobRunWaiting, holder="r1")
    facts = story.when(advance("r1", ended=[ended()])).facts
    assert Fact(FlowReleased) in facts
    assert Fact(FlowClaimed) in facts
    story.when(advance("r2")).then(Fact(AttemptStarted))


def test_R95_an_inactive_flow_is_not_run_which_counts_as_failure_and_aborts_nothing() -> None:
    story = scheduled(flow_row(seq=1), row(seq=2), active=False).given(run_now(id="r1"))
    story.when(advance("r1")).then(
        Fact(JobRunEnded, row=1, state="skipped", reason="flow_inactive"),
        ("service:load", Fact(object)),
        Fact(AttemptStarted, row=2),
    )
    closed = story.when(advance("r1", ended=[ended(row=2)])).facts
    assert Fact(RunEnded, state="failed", reason="flow_inactive", counts={"skipped": 1, "succeeded": 1}) in closed
    assert Fact(ScheduleRunClosed, state="failed") in closed


def test_R95_after_a_flow_that_was_not_run_on_failure_stop_stops() -> None:
    story = with_flow(active=False).given(service())
    story.given(schedule(jobs=[flow_row(seq=1), row(seq=2)], policies={"on_failure": "stop"}), run_now(id="r1"))
    story.given(advance("r1"))
    assert story.run("r1").rows[2].reason == "earlier_failed"
    assert story.run("r1").state is State.FAILED


def test_R95_a_flow_deleted_meanwhile_is_not_run() -> None:
    story = scheduled(row(seq=1), flow_row(seq=2)).given(run_now(id="r1"), advance("r1"))
    story.given(command("EditScheduleJobs", id="nightly", jobs=[row()]), delete())
    facts = story.when(advance("r1", ended=[ended()])).facts
    assert Fact(JobRunEnded, row=2, state="skipped", reason="flow_deleted") in facts


def test_R95_an_inactive_flow_does_not_begin_with_its_run() -> None:
    story = scheduled(active=False).at("2026-12-01 20:00")
    facts = story.when(command("AnswerDue", kind="schedule", id="nightly")).facts
    assert Fact(RunOpened) in facts
    assert Fact(AttemptStarted) not in facts


def test_an_inactive_flow_is_not_run_by_hand_either() -> None:
    with_flow(active=False).when(run_now("approve", "flow")).then_refused("flow_inactive")


def test_R94_a_rows_input_is_part_of_the_runs_snapshot() -> None:
    story = scheduled(flow_row(seq=1, input={"order": 7}), row(seq=2)).given(run_now(id="r1"))
    inputs = {number: one.job.input for number, one in story.run("r1").rows.items()}
    assert inputs == {1: {"order": 7}, 2: None}
    story.when(command("EditScheduleJobs", id="nightly", jobs=[flow_row(seq=1, input={"order": 7}), row(seq=2)]))
    assert story.schedule().definition_version == 1
    story.when(command("EditScheduleJobs", id="nightly", jobs=[flow_row(input=[8])])).then(
        Fact(ScheduleJobsEdited), ("service:load", Fact(object))
    )


@pytest.mark.parametrize(("wanted", "refused"), [("x" * 65_534, False), ("x" * 65_535, True)])
def test_R94_an_input_has_64_kilobytes_at_most(wanted: str, *, refused: bool) -> None:
    outcome = with_flow().when(schedule(jobs=[flow_row(input=wanted)]))
    assert (outcome.refusal is not None) is refused
    if refused:
        outcome.then_refused("too_long", "jobs.0.input")
