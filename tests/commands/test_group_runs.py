"""Runs of groups: one job at a time, preflight, overlap, what is late (G3 to G25, G43 to G48)."""

from dataclasses import replace

import pytest

from eventjobs.commands.context import Limits
from eventjobs.domain.run import State
from eventjobs.domain.standing import Standing, group_standing
from eventjobs.events.job import JobAwaited, JobClaimed
from eventjobs.events.run import JobRunDefined, JobRunWaiting, RunStopRequested
from eventjobs.ids import EVERYWHERE
from tests.support.connect import (
    DAILY,
    GROUP,
    active,
    advance,
    answer,
    end,
    job,
    rows,
    run,
    running,
    saved,
    stop,
    story,
    through,
)
from tests.support.story import Fact, Story, at, command, operator

DUE = "group.lists.1.20261201t140000z"
ONCE = {"type": "once", "date": "2026-12-01", "at": "14:05"}


def test_G3_G4_the_jobs_of_a_group_run_one_after_another() -> None:
    it = active().given(run())
    assert advance(it, "r").facts[-1].row == 1
    assert advance(it, "r", end(1)).facts[-1].row == 2
    advance(it, "r", end(2))
    assert it.run("r").state is State.SUCCEEDED


@pytest.mark.parametrize("reason", ["error", "count_mismatch", "reject_threshold", "timeout"])
def test_G4_G50_the_first_failure_skips_the_others(reason: str) -> None:
    it = running()
    advance(it, "r", end(1, "failed", reason=reason))
    assert (it.run("r").state, it.run("r").reason) == (State.FAILED, reason)
    assert rows(it)[1] == ("skipped", "previous_job_failed")


@pytest.mark.parametrize("reason", ["count_mismatch", "reject_threshold"])
def test_G50_wrong_data_is_not_tried_again(reason: str) -> None:
    it = story().given(job("contacts", attempts=3), saved("ActivateGroup"), run())
    advance(it, "r")
    advance(it, "r", end(1, "failed", reason=reason))
    assert it.run("r").state is State.FAILED


def test_W2_the_group_goes_on_after_one_that_is_not_required() -> None:
    it = running(jobs=[{"job": "contacts", "required": False}, "extension"])
    assert advance(it, "r", end(1, "failed", reason="error")).facts[-1].row == 2
    advance(it, "r", end(2))
    assert (it.run("r").state, rows(it)) == (State.FAILED, [("failed", "error"), ("succeeded", None)])


def test_G11_a_draft_and_an_inactive_group_do_not_run() -> None:
    it = story().when(run()).then_refused("group_inactive")
    it.given(saved("ActivateGroup"), command("DeactivateGroup", id="lists"))
    it.when(run()).then_refused("group_inactive")


def test_G13_switching_off_leaves_the_open_run_alone_and_drops_what_waits() -> None:
    it = running(schedule=DAILY, policies={"overlap": "queue_one"})
    it.given(answer("2026-12-01 14:00"), command("DeactivateGroup", id="lists"))
    assert (it.run(DUE).state, it.run(DUE).reason, it.group().waiting) == (State.SKIPPED, "inactive", ())
    advance(it, "r", end(1))
    advance(it, "r", end(2))
    assert (it.run("r").state, it.group().open_runs) == (State.SUCCEEDED, ())


def test_G22_a_job_that_was_edited_meanwhile_runs_as_it_is_defined_by_its_turn() -> None:
    it = running().given(job("extension", config={"source": "new.csv"}))
    advance(it, "r", end(1)).then(
        Fact(object), Fact(object), Fact(object), Fact(object), Fact(JobRunDefined, row=2), Fact(object)
    )
    assert it.run("r").rows[2].job.config == {"source": "new.csv"}


def test_G22_one_that_was_edited_meanwhile_is_required_as_the_run_began() -> None:
    it = active(jobs=["contacts", {"job": "extension", "required": False}]).given(run())
    advance(it, "r")
    it.given(job("extension", config={"source": "new.csv"}))
    advance(it, "r", end(1))
    assert (it.run("r").rows[2].job.config, it.run("r").rows[2].job.required) == ({"source": "new.csv"}, False)


def test_G22_an_edit_after_the_turn_began_is_for_the_next_run() -> None:
    it = running().given(job("contacts", config={"source": "new.csv"}))
    advance(it, "r", end(1))
    assert it.run("r").rows[1].job.config == {}


def test_G23_a_member_that_does_not_qualify_fails_the_run_before_anything_starts() -> None:
    it = active().given(command("DeactivateJob", id="extension", force=True), run())
    assert (it.run("r").state, it.run("r").reason) == (State.FAILED, "not_qualified")
    assert rows(it) == [("skipped", "preflight_failed")] * 2
    assert it.group().open_runs == ()
    advance(it, "r").then_nothing()


def test_G23_a_member_whose_last_day_is_over_does_not_qualify_before_that_is_written() -> None:
    it = story().given(job("contacts", expires_on="2026-12-02"), saved("ActivateGroup"))
    it.at("2026-12-03 00:00").given(run())
    assert (it.run("r").reason, it.job("contacts").deleted) == ("not_qualified", False)
    it.when(command("CreateGroup", id="others", name="Others", jobs=["contacts"])).then_refused(
        "job_not_qualified", "jobs.0"
    )


def test_G23_the_preflight_of_a_due_moment_consumes_it() -> None:
    it = active(schedule=DAILY).given(command("DeleteJob", id="extension", force=True), answer("2026-12-01 14:00"))
    assert (it.run(DUE).state, it.group().next.due) == (State.FAILED, at("2026-12-02 14:00"))  # type: ignore[union-attr]


def test_G23_a_member_that_was_lost_after_the_preflight_fails_in_its_turn() -> None:
    it = running().given(command("DeactivateJob", id="extension", force=True))
    advance(it, "r", end(1))
    assert rows(it) == [("succeeded", None), ("failed", "not_qualified")]


def test_G25_a_job_that_runs_by_itself_is_waited_for_and_has_its_turn() -> None:
    it = active().given(run("alone", kind="import", id="extension"))
    advance(it, "alone")
    it.given(run())
    advance(it, "r")
    waits = advance(it, "r", end(1))
    waits.then(
        *[Fact(object)] * 3, ("job:extension", Fact(JobAwaited, deadline=at("2026-12-01 13:00"))), Fact(JobRunWaiting)
    )
    assert Fact(JobClaimed) in advance(it, "alone", end(1)).facts
    assert it.run("r").rows[2].joined is None
    advance(it, "r")
    advance(it, "r", end(2))
    assert it.run("r").state is State.SUCCEEDED


def test_G25_it_waits_for_an_hour_at_most() -> None:
    it = active().given(run("alone", kind="import", id="contacts"))
    advance(it, "alone")
    it.given(run())
    advance(it, "r")
    it.after(minutes=59)
    advance(it, "r").then_nothing()
    it.after(minutes=1)
    advance(it, "r")
    assert rows(it) == [("failed", "job_running"), ("skipped", "previous_job_failed")]


@pytest.mark.parametrize("member", ["contacts", "extension"])
@pytest.mark.parametrize("turn", [0, 1])
def test_G25_a_job_of_an_open_run_is_not_run_by_itself(member: str, turn: int) -> None:
    it = running()
    if turn:
        advance(it, "r", end(1))
    alone = run("alone", kind="import", id=member)
    it.when(alone).then_refused("job_in_running_group", group="lists", open_run="r")


def test_G25_a_job_that_left_the_group_is_not_run_by_itself_while_the_run_has_it() -> None:
    it = running().given(job("third"), command("ActivateJob", id="third"))
    it.given(saved(jobs=["contacts", "third"]))
    alone = run("alone", kind="import", id="extension")
    it.when(alone).then_refused("job_in_running_group", group="lists", open_run="r")
    assert it.when(run("other", kind="import", id="third")).refusal is None
    advance(it, "r", end(1))
    advance(it, "r", end(2))
    assert it.when(alone).refusal is None


def test_G44_a_member_that_is_another_group_s_by_now_has_its_turn() -> None:
    it = running().given(job("third"), command("ActivateJob", id="third"), saved(jobs=["contacts", "third"]))
    it.given(command("CreateGroup", id="others", name="Others", jobs=["extension"]))
    assert advance(it, "r", end(1)).facts[-1].row == 2


def test_G25_a_job_that_runs_is_not_run_again() -> None:
    it = active().given(run("alone", kind="import", id="contacts"))
    it.when(run("again", kind="import", id="contacts")).then_refused("already_running", open_run="alone")


def test_G43_a_late_moment_runs_for_an_hour() -> None:
    assert active(schedule=DAILY).given(answer("2026-12-01 15:00")).run(DUE).cause == "catch_up"
    it = active(schedule=DAILY).given(answer("2026-12-01 15:01"))
    assert (it.run(DUE).state, it.run(DUE).reason) == (State.MISSED, "catch_up_window")
    never = active(schedule=DAILY, policies={"catch_up": "never"}).given(answer("2026-12-01 14:10"))
    assert (never.run(DUE).state, never.run(DUE).reason) == (State.MISSED, "catch_up_never")


def test_G44_a_run_has_the_members_and_the_order_that_were_when_it_began() -> None:
    it = running().given(command("ReorderGroup", id="lists", jobs=["extension", "contacts"]))
    assert advance(it, "r", end(1)).facts[-1].row == 2
    assert it.run("r").rows[2].job.job.id == "extension"


def test_G45_G46_a_scheduled_group_is_run_by_hand_and_keeps_its_moment() -> None:
    it = active(schedule=ONCE)
    before = it.group().next
    it.given(run())
    assert it.group().next == before
    through(it).given(answer("2026-12-01 14:00"))
    assert (it.run("r").cause, it.run(DUE).cause, it.run(DUE).state) == ("manual", "scheduled", State.RUNNING)


def test_G14_a_single_run_that_fired_leaves_the_group_active_and_spent() -> None:
    it = active(schedule=ONCE)
    assert not standing(it).spent
    it.given(answer("2026-12-01 14:00"))
    through(it, DUE)
    assert (it.group().active, it.group().next, it.group().schedule.type) == (True, None, "once")
    assert (standing(it).spent, standing(it).invalid) == (True, ())
    it.given(run())
    through(it).given(answer("2027-01-01 00:00"))
    assert it.group().deleted


def test_G14_a_single_run_that_never_came_is_not_spent() -> None:
    late = {"type": "once", "date": "2027-06-01", "at": "14:05"}
    it = active(schedule=late)
    assert (it.group().next, standing(it).spent) == (None, False)
    assert [mark.code for mark in standing(it).invalid] == ["no_future_occurrence"]


def standing(it: Story) -> Standing:
    jobs = {name: it.job(name) for name in ("contacts", "extension")}
    return group_standing("lists", it.group(), jobs, it.now, ("import",))


def test_G47_with_an_open_run_a_second_by_hand_is_refused_and_a_due_one_skipped() -> None:
    it = running(schedule=DAILY)
    it.when(run("s")).then_refused("already_running", open_run="r")
    it.given(answer("2026-12-01 14:00"))
    assert (it.run(DUE).state, it.run(DUE).reason) == (State.SKIPPED, "overlap")
    assert it.group().next.due == at("2026-12-02 14:00")  # type: ignore[union-attr]


def test_G47_queue_one_keeps_the_older_and_a_stop_does_not_end_it() -> None:
    hourly = {"type": "hourly", "every": 1, "slot": "00-14", "time_zone": "UTC"}
    it = running(schedule=hourly, policies={"overlap": "queue_one", "catch_up_window": "P1D"})
    it.given(answer("2026-12-01 13:00"), answer("2026-12-01 14:00"))
    assert it.run("group.lists.1.20261201t140000z").reason == "overlap"
    it.given(stop())
    advance(it, "r", end(1, "aborted"))
    assert it.group().open_runs == ("group.lists.1.20261201t130000z",)


def test_G47_cancel_running_stops_the_open_run_and_the_due_one_follows() -> None:
    it = running(schedule=DAILY, policies={"overlap": "cancel_running"})
    it.given(answer("2026-12-01 14:00"))
    assert it.run("r").state is State.STOPPING
    advance(it, "r", end(1, "aborted"))
    assert (it.run("r").state, it.run("r").reason) == (State.ABORTED, "displaced")
    assert it.group().open_runs == (DUE,)


def test_overlapping_runs_of_a_group_are_not_to_be_had() -> None:
    with pytest.raises(ValueError, match="overlap"):
        story(policies={"overlap": "allow"})


def test_G48_groups_run_beside_each_other_and_one_that_waits_for_room_counts_as_running() -> None:
    it = active(schedule=DAILY)
    it.context = replace(it.context, limits=Limits(runs_per_workspace=2))
    names = ("one", "two", "alone")
    it.given(*(job(name) for name in names), *(command("ActivateJob", id=name) for name in names))
    it.given(command("CreateGroup", id="others", name="Others", jobs=["one", "two"]))
    it.given(command("ActivateGroup", id="others"), run("beside", kind="group", id="others"), run())
    assert [str(it.run(one).state) for one in ("beside", "r")] == ["running", "running"]
    through(it).given(run("alone", kind="import", id="alone"), answer("2026-12-01 14:00"))
    assert ([one.due for one in it.group().waiting], it.group().open_runs) == ([at("2026-12-01 14:00")], ())
    it.when(run("again")).then_refused("no_room")
    through(it, "beside")
    it.when(run("again")).then_refused("already_running", open_run=DUE)


def test_G75_a_running_group_is_not_deleted_and_one_that_is_due_runs_first() -> None:
    running().when(command("DeleteGroup", id="lists")).then_refused("group_running", open_run="r")
    it = active(schedule=DAILY).at("2026-12-01 14:00")
    it.when(command("DeleteGroup", id="lists")).then_refused("group_running", open_run=DUE)


def test_G85_directors_run_groups_and_operators_too_and_readers_do_not() -> None:
    it = active()
    it.when(run("a"), grant=operator("acme", "flow_author")).then_refused("forbidden")
    it.when(run("a"), grant=operator("acme", "data_director")).then(*[Fact(object)] * 2)
    it.when(stop(run_id="a"), grant=operator("acme", "integration_author")).then_refused("forbidden")
    it.when(stop(run_id="a"), grant=operator()).then(Fact(RunStopRequested))


def test_a_held_workspace_skips_what_is_due_and_refuses_what_is_asked() -> None:
    it = active(schedule=DAILY).given(command("HoldStarts", note="upgrade"))
    it.when(run()).then_refused("held")
    assert it.given(answer("2026-12-01 14:00")).run(DUE).reason == "held"
    assert EVERYWHERE not in {stream.workspace for stream in it.streams}


def test_a_paused_group_skips_what_is_due_and_runs_by_hand() -> None:
    it = active(schedule=DAILY).given(command("PauseOwner", owner=GROUP), answer("2026-12-01 14:00"), run())
    assert (it.run(DUE).reason, it.run("r").state) == ("paused", State.RUNNING)


@pytest.mark.parametrize("count", [2, 12])
def test_the_end_of_a_run_reads_all_members_at_once(count: int) -> None:
    names = [f"list-{number}" for number in range(count)]
    it = Story().given(
        command("CreateWorkspace", id="acme", time_zone="UTC", kind="automation"),
        *(job(name) for name in names),
        *(command("ActivateJob", id=name) for name in names),
        saved("CreateGroup", jobs=names),
        command("ActivateGroup", id="lists"),
        run(),
    )
    advance(it, "r")
    for row in range(1, count):
        advance(it, "r", end(row))
    assert it.beginnings(command("AdvanceRun", run="r", term=1, ended=[end(count)])) <= 4
