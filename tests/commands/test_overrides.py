"""A cadence edited in a workspace is kept by syncs, in two bundles, until it is cleared (R73 to R75)."""

from dataclasses import replace
from typing import Any

import pytest

from eventjobs.commands.context import Limits
from eventjobs.events.integration import IntegrationSynced
from eventjobs.events.run import RunOpened
from eventjobs.events.schedule import (
    ScheduleCadenceEdited,
    ScheduleCadenceOverridden,
    ScheduleOverrideCleared,
    ScheduleRunOpened,
    ScheduleSynced,
)
from tests.support.bodies import DAILY, edit, schedule, service, tick, workspace
from tests.support.definitions import NIGHTLY, feature, publish, put, register, scheduled, sync
from tests.support.story import Fact, Story, at, command


def active() -> Story:
    return Story().given(workspace(), publish(), register(), put("active"))


def at_daily(**cadence: Any) -> Any:
    return publish(feature("contacts", scheduled(cadence={**DAILY, **cadence})))


def clear(**fields: Any) -> Any:
    return command("ClearCadenceOverride", id=NIGHTLY, **fields)


@pytest.mark.parametrize(
    ("edited", "bundles"),
    [
        ({"every": 2}, ("period",)),
        ({"unit": "month"}, ("period",)),
        ({"start_time": "21:00"}, ("start",)),
        ({"time_zone": "America/Chicago"}, ("start",)),
        ({"start_date": "2026-12-02", "every": 2}, ("period", "start")),
    ],
)
def test_R74_an_edit_overrides_the_bundles_that_it_changes(edited: dict[str, Any], bundles: tuple[str, ...]) -> None:
    story = active()
    story.when(edit(NIGHTLY, **edited)).then(Fact(ScheduleCadenceEdited), ScheduleCadenceOverridden(bundles=bundles))
    assert story.schedule(NIGHTLY).overrides == bundles


def test_R74_a_period_that_the_definitions_timing_does_not_go_with_is_refused_at_what_was_sent() -> None:
    by_the_wall = publish(feature("contacts", scheduled(policies={"timing": "wall_clock"})))
    story = Story().given(workspace(), by_the_wall, register(), put("active"))
    refused = story.when(edit(NIGHTLY, every=6, unit="hour"))
    refused.then_refused("timing_not_possible", "cadence.unit")
    assert "The definition says the timing." in refused.refusal.errors[0].detail  # type: ignore[union-attr]


def test_R33_a_save_that_changes_nothing_overrides_nothing() -> None:
    active().when(edit(NIGHTLY)).then_nothing()


def test_R73_an_overridden_bundle_survives_a_sync_and_the_other_follows() -> None:
    story = active().given(edit(NIGHTLY, every=3), at_daily(every=2, start_time="22:00"), sync())
    cadence = story.schedule(NIGHTLY).cadence
    assert (cadence.every, cadence.start_time) == (3, "22:00")
    assert story.schedule(NIGHTLY).next.due == at("2026-12-01 22:00")  # type: ignore[union-attr]


def test_R74_another_zone_in_the_definition_moves_no_start_that_was_set_here() -> None:
    story = active().given(edit(NIGHTLY, start_time="21:00"), at_daily(time_zone="Asia/Tokyo"))
    outcome = story.when(sync())
    assert not [fact for fact in outcome.facts if isinstance(fact, RunOpened)]
    assert story.schedule(NIGHTLY).cadence.time_zone == "UTC"


def test_R75_a_cleared_override_follows_the_definition_as_it_was_synced() -> None:
    story = active().given(edit(NIGHTLY, every=3, start_time="21:00"), at_daily(every=2), sync())
    story.when(clear(bundles=["period"])).then(
        Fact(ScheduleCadenceEdited), ScheduleOverrideCleared(bundles=("period",))
    )
    cadence = story.schedule(NIGHTLY).cadence
    assert (cadence.every, cadence.start_time) == (2, "21:00")
    story.when(clear()).then(Fact(ScheduleCadenceEdited), ScheduleOverrideCleared(bundles=("start",)))
    story.when(clear()).then_nothing()


def test_R75_a_cleared_override_may_run_the_schedule() -> None:
    story = active().at("2026-12-01 20:00").given(tick(NIGHTLY), edit(NIGHTLY, every=3)).at("2026-12-03 09:00")
    story.given(_ended(story, "start"), _ended(story, "end"))
    story.when(clear()).then(
        Fact(ScheduleCadenceEdited),
        Fact(RunOpened, cause_detail="interval_decreased"),
        Fact(ScheduleRunOpened),
        Fact(ScheduleOverrideCleared),
    )


def _ended(story: Story, what: str) -> Any:
    run = story.schedule(NIGHTLY).open_runs[0]
    ended = [] if what == "start" else [{"row": 1, "attempt": 1, "state": "succeeded"}]
    return command("AdvanceRun", run=run, term=1, ended=ended)


def test_R75_an_override_that_came_to_agree_with_the_definition_is_cleared_without_an_edit() -> None:
    story = active().given(edit(NIGHTLY, every=3), at_daily(every=3), sync())
    story.when(clear()).then(ScheduleOverrideCleared(bundles=("period",)))


def test_only_a_managed_schedule_has_overrides() -> None:
    story = Story().given(workspace(), service(), schedule())
    story.when(edit(every=2)).then(Fact(ScheduleCadenceEdited))
    story.when(command("ClearCadenceOverride", id="nightly")).then_refused("not_managed")
    story.when(command("ClearCadenceOverride", id="nothing")).then_refused("not_found")


CRON = {"cron": "0 3 * * *", "time_zone": "UTC"}


def timing(story: Story) -> str:
    return story.schedule(NIGHTLY).policies.timing.timing


@pytest.mark.parametrize("defined", ["elapsed", "grid", "wall_clock"])
def test_R75_a_cleared_cron_is_read_as_the_definition_says_at_once(defined: str) -> None:
    content = feature("contacts", scheduled(policies={"timing": defined}))
    story = Story().given(workspace(), publish(content), register(), put("active"))
    story.given(command("EditCadence", id=NIGHTLY, cadence=CRON))
    assert timing(story) == "wall_clock"
    story.when(clear(bundles=["period"])).then(Fact(ScheduleCadenceEdited), Fact(ScheduleOverrideCleared))
    assert timing(story) == defined
    story.when(sync()).then_nothing()


def test_R75_cleared_for_all_schedules_of_an_integration_each_has_its_definitions_timing() -> None:
    story = active().given(command("EditCadence", id=NIGHTLY, cadence=CRON))
    story.given(command("ClearCadenceOverride", integration="crm"))
    assert timing(story) == "elapsed"


def test_R74_a_cron_edited_back_to_a_period_is_read_as_the_definition_says() -> None:
    story = active().given(command("EditCadence", id=NIGHTLY, cadence=CRON), edit(NIGHTLY, every=3))
    assert timing(story) == "elapsed"


def test_R73_a_period_that_the_definitions_new_timing_cannot_read_is_read_as_before() -> None:
    story = active().given(edit(NIGHTLY, every=30, unit="minute"))
    story.given(publish(feature("contacts", scheduled(policies={"timing": "wall_clock", "on_failure": "stop"}))))
    outcome = story.when(sync())
    outcome.then(Fact(ScheduleSynced, cadence_version=2), Fact(IntegrationSynced))
    assert outcome.warnings == ["timing_kept"]
    assert (timing(story), story.schedule(NIGHTLY).policies.on_failure) == ("elapsed", "stop")
    story.when(sync()).then_nothing()
    story.given(clear())
    assert timing(story) == "wall_clock"


def test_R73_a_period_below_a_floor_that_was_raised_since_refuses_no_sync() -> None:
    story = active().given(edit(NIGHTLY, every=15, unit="minute"), at_daily(start_time="22:00"))
    story.context = replace(story.context, limits=Limits(min_period_s=3_600))
    story.given(sync())
    assert (story.schedule(NIGHTLY).cadence.every, story.schedule(NIGHTLY).cadence.start_time) == (15, "22:00")
