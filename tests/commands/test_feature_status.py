"""A feature's status decides the activity of its schedules (R55 to R67, and the decision table's rows of it)."""

import pytest
from pydantic import ValidationError

from eventjobs.domain.integration import Status
from eventjobs.domain.streams import integration_stream
from eventjobs.events.integration import (
    IntegrationFeatureStatusSet,
    IntegrationInactivated,
    IntegrationSynced,
    IntegrationSyncFailed,
)
from eventjobs.events.run import RunOpened, RunStopRequested
from eventjobs.events.schedule import ScheduleActivated, ScheduleInactivated, ScheduleRunOpened
from tests.support.bodies import DAILY, edit, run_now, tick, workspace
from tests.support.definitions import BOOK, NIGHTLY, feature, publish, put, register, scheduled, sync
from tests.support.story import WORKSPACE, Fact, Story, at, command

PAST = {**DAILY, "start_time": "09:00"}
RECORDED = Fact(ScheduleRunOpened)


def registered(*schedules: dict[str, object]) -> Story:
    return Story().given(workspace(), publish(feature("contacts", *schedules)), register())


def active() -> Story:
    return registered().given(put("active"))


def activate(schedule_id: str = NIGHTLY) -> object:
    return command("ActivateSchedule", id=schedule_id)


def inactivate(schedule_id: str = NIGHTLY) -> object:
    return command("InactivateSchedule", id=schedule_id)


def test_R58_chosen_features_begin_in_onboarding_and_others_are_off() -> None:
    story = Story().given(workspace(), publish(feature(), feature("orders", scheduled("hourly"))), register("contacts"))
    assert story.schedule(NIGHTLY).exists
    assert not story.schedule(NIGHTLY).active
    assert not story.schedule("crm.hourly").exists


def test_R60_an_active_feature_makes_its_schedules_active() -> None:
    story = registered()
    story.when(put("active")).then(
        IntegrationFeatureStatusSet(feature="contacts", status="active", before="onboarding"),
        Fact(ScheduleActivated, cause="feature"),
    )
    assert story.schedule(NIGHTLY).next.due == at("2026-12-01 20:00")  # type: ignore[union-attr]


def test_R24_going_live_runs_what_never_ran() -> None:
    story = registered(scheduled(cadence=PAST))
    story.when(put("active")).then(
        Fact(IntegrationFeatureStatusSet),
        Fact(ScheduleActivated),
        Fact(RunOpened, cause="catch_up", cause_detail="first_activation"),
        RECORDED,
    )
    assert story.schedule(NIGHTLY).next.due == at("2026-12-02 12:00")  # type: ignore[union-attr]


def test_R60_the_activity_of_an_active_features_schedules_is_not_switched_by_hand() -> None:
    story = active()
    story.when(inactivate()).then_refused("activity_managed_by_feature", feature="contacts")
    story.when(activate()).then_refused("activity_managed_by_feature", integration=BOOK)


@pytest.mark.parametrize("status", ["onboarding", "maintenance"])
def test_R61_elsewhere_each_schedule_has_its_own_switch(status: str) -> None:
    story = registered()
    if status == "maintenance":
        story.given(put("active"), put("maintenance"))
    assert not story.schedule(NIGHTLY).active
    story.when(activate()).then(Fact(ScheduleActivated, cause="asked"))
    story.when(inactivate()).then(Fact(ScheduleInactivated, cause="asked"))


@pytest.mark.parametrize("status", ["maintenance", "off"])
def test_R63_leaving_active_makes_them_inactive(status: str) -> None:
    story = active()
    story.when(put(status)).then(Fact(IntegrationFeatureStatusSet), Fact(ScheduleInactivated, cause="feature"))
    assert story.schedule(NIGHTLY).next is None


def test_R63_what_fell_due_while_active_is_answered_first() -> None:
    story = active().at("2026-12-01 20:00")
    story.when(put("maintenance")).then(
        Fact(IntegrationFeatureStatusSet), Fact(RunOpened), RECORDED, Fact(ScheduleInactivated)
    )


def test_R31_back_from_maintenance_what_is_behind_runs_once() -> None:
    story = active().at("2026-12-01 20:00").given(tick(), put("maintenance")).at("2026-12-04 09:00")
    story.given(command("AdvanceRun", run=next(iter(story.schedule(NIGHTLY).open_runs)), term=1))
    story.given(_ended(story))
    story.when(put("active")).then(
        Fact(IntegrationFeatureStatusSet),
        Fact(ScheduleActivated),
        Fact(RunOpened, cause_detail="reactivated"),
        RECORDED,
    )


def _ended(story: Story) -> object:
    run = story.schedule(NIGHTLY).open_runs[0]
    ended = [{"row": 1, "attempt": 1, "state": "succeeded"}]
    return command("AdvanceRun", run=run, term=1, ended=ended)


def test_R77_a_status_change_resets_the_switch_and_a_sync_does_not() -> None:
    story = registered().given(activate(), publish(feature("contacts", scheduled(description="other"))))
    story.given(sync())
    assert story.schedule(NIGHTLY).active
    assert story.schedule(NIGHTLY).description == "other"
    story.given(put("active"), put("maintenance"))
    assert not story.schedule(NIGHTLY).active


def test_R63_a_schedule_that_comes_to_a_feature_in_onboarding_is_inactive() -> None:
    story = Story().given(workspace(), publish(feature(), feature("orders", scheduled("hourly"))))
    story.given(register("contacts", "orders"), put("active"))
    assert story.schedule(NIGHTLY).active
    story.given(publish(feature("contacts", scheduled("other")), feature("orders", scheduled("hourly"), scheduled())))
    story.given(sync())
    assert story.schedule(NIGHTLY).origin.feature == "orders"  # type: ignore[union-attr]
    assert not story.schedule(NIGHTLY).active
    story.given(activate(), sync())
    assert story.schedule(NIGHTLY).active


@pytest.mark.parametrize(
    ("before", "status"),
    [("onboarding", "maintenance"), ("off", "active"), ("off", "maintenance"), ("active", "onboarding")],
)
def test_R64_only_some_changes_are_possible(before: str, status: str) -> None:
    story = registered()
    if before != "onboarding":
        story.given(put(before))
    story.when(put(status)).then_refused("transition_not_possible", status=before)


def test_R64_a_feature_that_is_off_may_skip_onboarding() -> None:
    story = registered().given(put("off"))
    story.when(put("active", skip_onboarding=True)).then(Fact(IntegrationFeatureStatusSet), Fact(ScheduleActivated))


def test_R52_manual_runs_work_in_every_status_but_off() -> None:
    story = registered()
    story.when(run_now(NIGHTLY)).then(Fact(RunOpened), RECORDED)
    story = registered().given(put("off"))
    story.when(run_now(NIGHTLY)).then_refused("feature_off")
    story.when(activate()).then_refused("feature_off")


def test_R47_turning_off_lets_open_runs_finish_unless_it_says_otherwise() -> None:
    story = registered().given(run_now(NIGHTLY))
    story.when(put("off")).then(Fact(IntegrationFeatureStatusSet))
    story = registered().given(run_now(NIGHTLY))
    story.when(put("off", cancel_open_runs=True)).then(Fact(IntegrationFeatureStatusSet), Fact(RunStopRequested))


@pytest.mark.parametrize("count", [1, 30])
def test_the_runs_of_all_schedules_that_are_to_stop_are_read_at_once(count: int) -> None:
    names = [f"nightly-{number}" for number in range(count)]
    story = registered(*map(scheduled, names)).given(*(run_now(f"{BOOK}.{name}") for name in names))
    off = put("off", cancel_open_runs=True)
    assert story.beginnings(off) <= 4
    assert sum(isinstance(fact, RunStopRequested) for fact in story.when(off).facts) == count


def test_R67_an_inactive_integration_triggers_nothing() -> None:
    story = active()
    story.given(register(active=False))
    assert not story.schedule(NIGHTLY).active
    story.when(activate()).then_refused("integration_inactive")
    story.given(register(active=True))
    assert story.schedule(NIGHTLY).active


def test_R65_a_status_change_syncs_the_registration() -> None:
    story = registered().given(publish(feature("contacts", scheduled(description="new"))), put("active"))
    assert story.load(integration_stream(WORKSPACE, BOOK)).state.synced == 2
    assert story.schedule(NIGHTLY).description == "new"


def test_R56_a_feature_has_one_of_four_statuses() -> None:
    assert [str(status) for status in Status] == ["off", "onboarding", "active", "maintenance"]
    with pytest.raises(ValidationError):
        put("deprecated")


@pytest.mark.parametrize(
    ("ways", "active"),
    [(["off"], False), ([], False), (["active"], True), (["active", "maintenance"], False)],
)
def test_R57_only_in_productive_use_a_feature_triggers_by_itself(ways: list[str], active: bool) -> None:
    story = registered().given(*(put(status) for status in ways)).at("2026-12-01 20:00")
    assert (story.schedule(NIGHTLY).next is not None) is active


def test_R72_a_status_change_brings_all_pending_changes_along() -> None:
    story = registered().given(publish(feature("contacts", scheduled(cadence={**DAILY, "every": 2}))))
    outcome = story.when(put("active"))
    assert Fact(IntegrationSynced, version=2) in outcome.facts
    assert story.schedule(NIGHTLY).cadence.every == 2


def unsyncable() -> Story:
    """An active feature, and a version of its definition that the workspace cannot take."""
    return active().given(publish(feature("contacts", scheduled(policies={"calendars": ["gone"]}))))


@pytest.mark.parametrize("status", ["off", "maintenance"])
def test_R63_a_feature_is_taken_out_of_use_although_the_registration_cannot_be_synced(status: str) -> None:
    story = unsyncable()
    outcome = story.when(put(status))
    outcome.then(
        Fact(IntegrationFeatureStatusSet, status=status),
        Fact(IntegrationSyncFailed, version=2, code="unknown_calendar"),
        Fact(ScheduleInactivated, cause="feature"),
    )
    assert outcome.warnings == ["sync_failed"]
    story.when(sync()).then_nothing()
    assert story.load(integration_stream(WORKSPACE, BOOK)).state.synced == 1


def test_R65_a_feature_is_not_put_into_use_where_the_registration_cannot_be_synced() -> None:
    unsyncable().given(put("maintenance")).when(put("active")).then_refused("unknown_calendar")


def test_R67_an_integration_becomes_inactive_although_it_cannot_be_synced() -> None:
    story = unsyncable()
    story.when(register(active=False)).then(
        Fact(IntegrationInactivated), Fact(IntegrationSyncFailed), Fact(ScheduleInactivated, cause="integration")
    )


def test_R63_overrides_and_history_are_kept_while_a_feature_is_off() -> None:
    story = active().given(edit(NIGHTLY, every=3), put("off"), put("onboarding"), put("active"))
    assert story.schedule(NIGHTLY).cadence.every == 3


def test_the_status_that_it_has_decides_nothing() -> None:
    active().when(put("active")).then_nothing()


def test_an_unknown_feature_or_integration_is_not_found() -> None:
    registered().when(put("active", "nothing")).then_refused("not_found")
    Story().given(workspace()).when(put("active")).then_refused("not_found")
