"""Pauses of an owner, holds of a workspace and of the whole deployment (SPEC decision 7)."""

from datetime import timedelta
from typing import Any

import pytest

from eventjobs.domain.access import Grant
from eventjobs.domain.streams import schedule_stream, workspace_stream
from eventjobs.errors import Forbidden
from eventjobs.events.run import RunMissed, RunOpened, RunSkipped
from eventjobs.events.schedule import (
    ScheduleOccurrenceDropped,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePaused,
    ScheduleRunOpened,
    ScheduleUnpaused,
)
from eventjobs.events.service import ServiceRunOpened
from eventjobs.events.workspace import WorkspaceStartsHeld, WorkspaceStartsReleased
from tests.commands.test_overlap import FIRST, end, running
from tests.commands.test_schedule_edits import due, ran
from tests.support.bodies import QUARTERLY, edit, run_now, schedule, service, tick, workspace
from tests.support.story import WORKSPACE, Fact, Story, at, command, operator

OWNER = {"kind": "schedule", "id": "nightly"}


def pause(**fields: Any) -> Any:
    return command("PauseOwner", owner=OWNER, **fields)


def unpause() -> Any:
    return command("UnpauseOwner", owner=OWNER)


def hold(**fields: Any) -> Any:
    return command("HoldStarts", **fields)


def release(**fields: Any) -> Any:
    return command("ReleaseStarts", **fields)


def quarterly(**fields: Any) -> Story:
    """Return a story whose schedule is due from 20:00 on, every quarter of an hour."""
    return Story().given(workspace(), service(), schedule(cadence=QUARTERLY, **fields)).at("2026-12-01 19:50")


def skipped(moment: str, reason: str) -> tuple[Any, Any]:
    return (
        Fact(RunSkipped, due=at(moment), reason=reason, open_run=None),
        Fact(ScheduleOccurrencesSkipped, first=at(moment), count=1, reason=reason),
    )


def test_a_moment_in_a_pause_is_finally_skipped_and_the_reference_moves_on_by_a_period() -> None:
    story = quarterly()
    story.when(pause(note="the source moves"), actor="key:ops").then(
        SchedulePaused(since=story.now, note="the source moves", by="key:ops")
    )
    version = story.schedule().definition_version
    story.at("2026-12-01 20:00:01").when(tick()).then(*skipped("2026-12-01 20:00", "paused"))
    assert due(story) == at("2026-12-01 20:15")
    assert story.schedule().timing.reference == at("2026-12-01 20:00")
    assert story.schedule().definition_version == version


def test_ending_a_pause_runs_nothing_at_once() -> None:
    story = quarterly().given(pause()).at("2026-12-01 21:07")
    story.when(unpause()).then(
        Fact(ScheduleOccurrencesSkipped, reason="paused", count=5, last=at("2026-12-01 21:00")),
        ScheduleUnpaused(cause="asked"),
    )
    story.when(tick()).then_nothing()
    assert due(story) == at("2026-12-01 21:15")


def test_a_pause_ends_by_itself_at_its_end_which_is_not_in_it() -> None:
    story = quarterly().given(pause(until="2026-12-01T21:15:00+01:00"))
    story.at("2026-12-01 20:14:59").given(tick()).when(tick()).then_nothing()
    story.at("2026-12-01 20:15").when(tick()).then(
        Fact(RunOpened, due=at("2026-12-01 20:15")), Fact(ScheduleRunOpened), ScheduleUnpaused(cause="until")
    )
    assert story.schedule().pause is None


def test_a_moment_of_an_ended_pause_stays_skipped_when_it_is_answered_late() -> None:
    story = quarterly().given(pause(until="2026-12-01T20:40:00Z")).at("2026-12-01 21:07")
    story.when(tick()).then(
        Fact(ScheduleOccurrencesSkipped, reason="paused", count=3, last=at("2026-12-01 20:30")),
        Fact(RunOpened, due=at("2026-12-01 20:45"), cause="catch_up", missed_occurrences=1),
        Fact(ScheduleRunOpened),
        Fact(RunMissed, due=at("2026-12-01 21:00")),
        Fact(ScheduleOccurrencesMissed, count=1),
        ScheduleUnpaused(cause="until"),
    )


def test_what_fell_due_before_a_pause_is_answered_before_it() -> None:
    story = quarterly().at("2026-12-01 20:00:02")
    story.when(pause()).then(Fact(RunOpened, due=at("2026-12-01 20:00")), Fact(ScheduleRunOpened), Fact(SchedulePaused))


def test_a_pause_is_not_an_inactivation_and_lets_people_run() -> None:
    story = quarterly().given(pause())
    story.when(run_now(id="mine")).then(Fact(RunOpened, cause="manual"), Fact(ScheduleRunOpened, run="mine"))
    assert story.schedule().active


def test_an_edit_that_makes_it_behind_during_a_pause_is_skipped() -> None:
    story = ran().at("2026-12-02 10:00").given(pause()).at("2026-12-02 11:00")
    facts = story.when(edit(every=12, unit="hour")).facts
    assert facts[1:] == list(skipped("2026-12-02 08:00", "paused"))


def test_the_same_pause_again_decides_nothing_and_another_one_replaces_it() -> None:
    story = quarterly().given(pause(note="a"))
    since = story.now
    story.when(pause(note="a")).then_nothing()
    story.after(minutes=1).when(pause(note="b", until="2026-12-02T00:00:00Z")).then(
        Fact(SchedulePaused, note="b", since=since, until=at("2026-12-02 00:00"))
    )
    story.given(unpause()).when(unpause()).then_nothing()


def test_only_what_has_occurrences_of_its_own_can_be_paused() -> None:
    story = quarterly()
    story.when(command("PauseOwner", owner={"kind": "service", "id": "load"})).then_refused(
        "not_supported", "owner.kind"
    )
    story.when(command("PauseOwner", owner={"kind": "schedule", "id": "x"})).then_refused("not_found")
    story.when(pause(until="2026-12-01T19:50:00Z")).then_refused("in_the_past", "until")
    story.when(pause(until="2026-12-01T23:50:00")).then_refused("no_offset", "until")


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_hold_skips_what_falls_due_and_refuses_people(everywhere: bool) -> None:
    story = quarterly()
    stream = workspace_stream("*" if everywhere else WORKSPACE)
    outcome = story.when(hold(note="upgrade", everywhere=everywhere, until="2026-12-01T21:00:00Z"), actor="key:ops")
    assert outcome.emitted == [
        (stream, WorkspaceStartsHeld(since=story.now, until=at("2026-12-01 21:00"), note="upgrade", by="key:ops"))
    ]
    told = {"by": "key:ops", "note": "upgrade", "until": at("2026-12-01 21:00"), "everywhere": everywhere}
    story.when(run_now()).then_refused("held", **told)
    story.when(run_now("load", "service")).then_refused("held", **told)
    story.at("2026-12-01 20:00").when(tick()).then(*skipped("2026-12-01 20:00", "held"))
    story.at("2026-12-01 20:05")
    assert story.when(release(everywhere=everywhere)).emitted == [(stream, WorkspaceStartsReleased(since=story.now))]
    story.when(tick()).then_nothing()
    story.when(run_now()).then(Fact(RunOpened), Fact(ScheduleRunOpened))
    assert due(story) == at("2026-12-01 20:15")


def test_a_hold_that_is_over_counts_for_what_is_answered_later() -> None:
    story = quarterly().at("2026-12-01 20:05").given(hold()).at("2026-12-01 20:50").given(release())
    story.at("2026-12-01 21:10").when(tick()).then(
        Fact(ScheduleOccurrencesSkipped, reason="held", first=at("2026-12-01 20:15"), count=3),
        Fact(RunOpened, due=at("2026-12-01 20:00"), missed_occurrences=1, missed_first=at("2026-12-01 21:00")),
        Fact(ScheduleRunOpened, due=at("2026-12-01 20:00")),
        Fact(RunMissed, due=at("2026-12-01 21:00")),
        Fact(ScheduleOccurrencesMissed, covered_by=FIRST),
    )
    assert due(story) == at("2026-12-01 21:25")


def test_what_fell_due_before_a_hold_and_was_not_started_is_held_as_well() -> None:
    story = quarterly().at("2026-12-01 20:00:01").given(hold())
    story.when(tick()).then(*skipped("2026-12-01 20:00", "held"))


def test_a_start_and_a_hold_at_once_name_each_others_version() -> None:
    story = quarterly().at("2026-12-01 20:00:01")
    outcome = story.when(tick())
    assert {workspace_stream(WORKSPACE), workspace_stream("*"), schedule_stream(WORKSPACE, "nightly")} <= set(
        outcome.named
    )
    manual = quarterly().when(run_now())
    assert {workspace_stream(WORKSPACE), workspace_stream("*")} <= set(manual.named)


@pytest.mark.parametrize("everywhere", [True, False])
def test_an_instance_whose_clock_is_a_little_behind_starts_nothing_in_a_hold(everywhere: bool) -> None:
    story = quarterly().at("2026-12-01 20:00:00.9").given(hold(everywhere=everywhere)).at("2026-12-01 20:00:00.7")
    story.when(run_now("load", "service")).then_refused("held", everywhere=everywhere)
    story.when(tick()).then(*skipped("2026-12-01 20:00", "held"))
    story.at("2026-12-01 20:05").given(release(everywhere=everywhere)).at("2026-12-01 20:04:59.8")
    story.when(run_now("load", "service")).then(Fact(RunOpened), Fact(ServiceRunOpened))


def test_what_waits_when_its_turn_comes_in_a_halt_is_skipped() -> None:
    for halt, reason in ((pause(), "paused"), (hold(), "held"), (hold(everywhere=True), "held")):
        story = running("queue_one").at("2026-12-01 20:15").given(tick()).at("2026-12-01 20:16").given(halt)
        assert end(story, FIRST)[-2:] == [
            Fact(RunSkipped, reason=reason, due=at("2026-12-01 20:15")),
            Fact(ScheduleOccurrenceDropped, outcome="skipped", reason=reason),
        ]
        assert story.schedule().open_runs == ()


def test_a_new_hold_continues_the_one_in_force_and_an_ended_one_begins_anew() -> None:
    story = quarterly().given(hold(until="2026-12-01T20:20:00Z")).at("2026-12-01 20:10")
    story.given(hold(until="2026-12-01T20:40:00Z"))
    story.when(hold(until="2026-12-01T20:40:00Z")).then_nothing()
    assert [one.until for one in story.load(workspace_stream(WORKSPACE)).state.holds] == [
        at("2026-12-01 20:10"),
        at("2026-12-01 20:40"),
    ]
    story.at("2026-12-01 20:46").when(release()).then_nothing()
    story.when(tick()).then(
        Fact(ScheduleOccurrencesSkipped, reason="held", count=3, first=at("2026-12-01 20:00")),
        Fact(RunOpened, due=at("2026-12-01 20:45"), cause="scheduled"),
        Fact(ScheduleRunOpened),
    )


def test_a_release_of_the_workspace_leaves_the_hold_of_the_deployment() -> None:
    story = quarterly().given(hold(everywhere=True))
    story.when(release()).then_nothing()
    story.when(run_now()).then_refused("held", everywhere=True)


def test_R105_only_an_administrator_of_the_whole_deployment_holds_everywhere() -> None:
    story = quarterly()
    for body in (hold(everywhere=True), release(everywhere=True)):
        for grant in (
            operator(),
            operator(WORKSPACE, "administrator"),
            Grant(roles=frozenset({"operator"}), workspaces=frozenset({"*"})),
        ):
            outcome = story.when(body, grant=grant)
            assert isinstance(outcome.refusal, Forbidden)
    grant = Grant(roles=frozenset({"administrator"}), workspaces=frozenset({"*"}))
    assert story.when(hold(everywhere=True), grant=grant).refusal is None


def test_a_workspace_that_is_not_there_cannot_be_held() -> None:
    Story().when(hold()).then_refused("not_found")


def test_a_hold_of_another_workspace_concerns_nobody_here() -> None:
    story = quarterly().given(
        (workspace_stream("other"), WorkspaceStartsHeld(since=at("2026-12-01 00:00"), note="", by="key:x"))
    )
    story.after(minutes=10, seconds=1).when(tick()).then(Fact(RunOpened), Fact(ScheduleRunOpened))


def test_a_long_hold_moves_the_reference_by_whole_periods() -> None:
    story = quarterly().given(hold())
    story.now += timedelta(days=30, minutes=3)
    story.when(tick()).then(Fact(ScheduleOccurrencesSkipped, reason="held", count=30 * 96))
    assert due(story) == at("2026-12-31 20:00")
