"""A sync brings a registration to its definition, and leaves the workspace's own things alone (R68 to R87)."""

from typing import Any

import pytest

from eventjobs.domain.service import Service
from eventjobs.domain.streams import service_stream
from eventjobs.events.definition import DefinitionPublished, DefinitionRegistered
from eventjobs.events.flow import FlowAdded, FlowAttached, FlowEdited, FlowRestored, FlowRunOpened
from eventjobs.events.integration import IntegrationRegistered, IntegrationSynced, IntegrationSyncFailed
from eventjobs.events.run import Ref, RunOpened
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleAlertsEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleInactivated,
    ScheduleJobsEdited,
    ScheduleRestored,
    ScheduleRunOpened,
    ScheduleSynced,
)
from eventjobs.events.service import (
    ServiceAdded,
    ServiceAttached,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
    ServiceRestored,
)
from tests.support.bodies import (
    DAILY,
    advance,
    edit,
    ended,
    flow,
    flow_row,
    policies,
    row,
    run_now,
    schedule,
    service,
    tick,
    workspace,
)
from tests.support.definitions import (
    BOOK,
    HOURLY,
    LOAD,
    NIGHTLY,
    feature,
    publish,
    put,
    register,
    scheduled,
    services,
    sync,
)
from tests.support.ports import FakeCatalog
from tests.support.story import WORKSPACE, Fact, Story, at, command, operator

RECORDED = Fact(ScheduleRunOpened)
SYNCED = Fact(IntegrationSynced)
EMPTY = feature("contacts", {**scheduled("other"), "jobs": [row("load")]})


def registered(**fields: Any) -> Story:
    return Story().given(workspace(), publish(), register(**fields))


def active() -> Story:
    return registered().given(put("active"))


def at_daily(**cadence: Any) -> dict[str, Any]:
    return feature("contacts", scheduled(cadence={**DAILY, **cadence}))


def managed(story: Story, service_id: str = LOAD) -> Service:
    return story.load(service_stream(WORKSPACE, service_id)).state  # type: ignore[no-any-return]


def test_R68_a_registration_brings_the_definitions_services_and_schedules() -> None:
    story = Story().given(workspace(), publish())
    story.when(register()).then(
        ("integration:crm", Fact(IntegrationRegistered, definition_workspace=WORKSPACE)),
        ("definition:crm", DefinitionRegistered(by=WORKSPACE)),
        ("service:crm.load", Fact(ServiceAdded, handler="noop")),
        ("schedule:crm.nightly", Fact(ScheduleCreated, active=False, next=None)),
        ("service:crm.load", ServiceAttached(schedule=NIGHTLY)),
        (
            "integration:crm",
            IntegrationSynced(version=1, added=(Ref(kind="schedule", id=NIGHTLY), Ref(kind="service", id=LOAD))),
        ),
    )
    origin = story.schedule(NIGHTLY).origin
    assert origin is not None
    assert (origin.integration, origin.feature, origin.definition_version) == (BOOK, "contacts", 1)


def test_R69_another_version_changes_nothing_before_a_sync() -> None:
    story = active().given(publish(at_daily(every=2)))
    assert story.schedule(NIGHTLY).cadence.every == 1
    story.when(sync()).then(Fact(ScheduleSynced, cadence_version=2), Fact(IntegrationSynced, version=2))
    assert story.schedule(NIGHTLY).cadence.every == 2
    story.when(sync()).then_nothing()


def test_the_same_content_published_again_is_no_new_version() -> None:
    story = registered()
    story.when(publish()).then_nothing()
    assert story.when(publish(at_daily(every=2))).answer == {"definition_version": 2}


def test_R35_a_sync_may_run_a_schedule() -> None:
    story = active().at("2026-12-01 20:00").given(tick(NIGHTLY)).at("2026-12-02 09:00")
    story.given(*(advance(story.schedule(NIGHTLY).open_runs[0], ended=rows) for rows in ([], [ended()])))
    story.given(publish(at_daily(every=12, unit="hour")))
    story.when(sync()).then(
        Fact(ScheduleSynced, cadence_version=2),
        Fact(RunOpened, cause="catch_up", cause_detail="interval_decreased"),
        RECORDED,
        SYNCED,
    )
    assert story.schedule(NIGHTLY).next.due == at("2026-12-02 21:00")  # type: ignore[union-attr]


def test_R29_other_jobs_by_sync_never_run_at_once() -> None:
    story = active()
    story.given(
        publish(
            feature("contacts", scheduled("nightly", row("load"), row("clean"))), services=services("load", "clean")
        )
    )
    before = story.schedule(NIGHTLY).next
    story.when(sync()).then(
        Fact(ServiceAdded),
        Fact(ScheduleSynced, cadence_version=1),
        ("service:crm.clean", ServiceAttached(schedule=NIGHTLY)),
        SYNCED,
    )
    assert story.schedule(NIGHTLY).next == before


def test_R33_a_sync_of_several_tightenings_runs_once() -> None:
    story = active().given(publish(at_daily(start_time="09:00", every=15, unit="minute")))
    outcome = story.when(sync())
    assert len([fact for fact in outcome.facts if isinstance(fact, RunOpened)]) == 1


def test_R79_what_the_definition_has_no_more_is_archived_even_when_overridden() -> None:
    story = active().given(edit(NIGHTLY, every=3), publish(EMPTY))
    story.when(sync()).then(
        ("schedule:crm.nightly", ScheduleDeleted(cause="archived")),
        ("service:crm.load", ServiceDetached(schedule=NIGHTLY)),
        ("schedule:crm.other", Fact(ScheduleCreated)),
        ("service:crm.load", ServiceAttached(schedule="crm.other")),
        ("schedule:crm.other", Fact(ScheduleActivated)),
        SYNCED,
    )
    story.when(command("RestoreSchedule", id=NIGHTLY)).then_refused("not_restorable")


def test_R78_what_comes_back_is_no_first_activation() -> None:
    story = active().at("2026-12-01 20:00").given(tick(NIGHTLY), publish(EMPTY), sync(), publish())
    story.when(sync()).then(
        Fact(ScheduleDeleted),
        Fact(ServiceDetached),
        ("schedule:crm.nightly", ScheduleRestored()),
        ("service:crm.load", ServiceAttached(schedule=NIGHTLY)),
        Fact(ScheduleSynced),
        Fact(ScheduleActivated),
        SYNCED,
    )
    assert story.schedule(NIGHTLY).next.due == at("2026-12-02 20:00")  # type: ignore[union-attr]


def test_R78_a_schedule_deleted_here_stays_deleted_until_it_is_restored() -> None:
    story = active().given(command("DeleteSchedule", id=NIGHTLY), publish(at_daily(every=2)))
    story.when(sync()).then(Fact(ScheduleSynced), SYNCED)
    assert not story.schedule(NIGHTLY).alive
    story.when(command("RestoreSchedule", id=NIGHTLY)).then(
        ScheduleRestored(), ServiceAttached(schedule=NIGHTLY), Fact(ScheduleActivated, cause="feature")
    )
    assert story.schedule(NIGHTLY).cadence.every == 2
    story.when(command("RestoreSchedule", id=NIGHTLY)).then_nothing()


def test_R97_a_schedule_that_comes_back_is_watched_again_for_what_it_was() -> None:
    watched = command("EditScheduleAlerts", id=NIGHTLY, alerts={"late_after": "PT10M", "email": ["ops@example.org"]})
    story = active().given(watched)
    again = ScheduleAlertsEdited(alerts=story.schedule(NIGHTLY).alerts)

    story.given(command("DeleteSchedule", id=NIGHTLY))
    assert story.when(command("RestoreSchedule", id=NIGHTLY)).facts[:2] == [ScheduleRestored(), again]

    story.given(publish(feature("contacts", scheduled("other"))), sync(), publish())
    facts = story.when(sync()).facts
    assert [fact for fact in facts if isinstance(fact, ScheduleRestored | ScheduleAlertsEdited)] == [
        ScheduleRestored(),
        again,
    ]


def test_R78_restored_in_onboarding_it_is_inactive() -> None:
    story = registered().given(command("DeleteSchedule", id=NIGHTLY))
    story.when(command("RestoreSchedule", id=NIGHTLY)).then(ScheduleRestored(), ServiceAttached(schedule=NIGHTLY))


def test_only_what_an_integration_manages_can_be_restored() -> None:
    story = Story().given(workspace(), service(), schedule(), command("DeleteSchedule", id="nightly"))
    story.when(command("RestoreSchedule", id="nightly")).then_refused("not_restorable")
    story.when(command("RestoreSchedule", id="nothing")).then_refused("not_found")


def test_R76_of_a_managed_schedule_only_the_cadence_may_be_changed() -> None:
    story = registered()
    for refused in (
        command("EditScheduleJobs", id=NIGHTLY, jobs=[row("load")]),
        command("DescribeSchedule", id=NIGHTLY, description="mine"),
        policies(NIGHTLY, on_failure="stop"),
    ):
        story.when(refused).then_refused("managed_by_integration", integration=BOOK)
    assert story.when(edit(NIGHTLY, every=2)).refusal is None


def test_R87_a_managed_service_is_changed_by_its_definition_alone() -> None:
    story = registered()
    story.when(command("ConfigureService", id=LOAD, handler="noop")).then_refused("managed_by_integration")
    story.given(publish(services=services("load", config={"a": 1})))
    story.when(sync()).then(Fact(ServiceConfigured, config={"a": 1}), SYNCED)


def test_R87_a_service_deleted_here_comes_back_when_a_schedule_needs_it() -> None:
    story = registered().given(
        command("DeleteSchedule", id=NIGHTLY), command("DeleteService", id=LOAD), publish(at_daily(every=2)), sync()
    )
    assert not managed(story).alive
    story.when(command("RestoreSchedule", id=NIGHTLY)).then(
        ScheduleRestored(), ServiceRestored(), ServiceAttached(schedule=NIGHTLY)
    )


@pytest.mark.parametrize("kind", ["Service", "Flow"])
def test_R87_a_job_deleted_here_stays_deleted_until_it_is_restored(kind: str) -> None:
    def defined(**config: Any) -> Any:
        jobs = {"services": [*services(), *services("spare", config=config)]}
        flows = [{"id": "approve", "handler": "python", "config": config}]
        return publish(feature(services=["spare"], flows=["approve"]), **jobs, flows=flows)

    the_id = {"Service": "crm.spare", "Flow": "crm.approve"}[kind]
    restore = command(f"Restore{kind}", id=the_id)
    edited, restored = {
        "Service": (Fact(ServiceConfigured, config={"a": 1}), ServiceRestored()),
        "Flow": (Fact(FlowEdited, config={"a": 1}), FlowRestored()),
    }[kind]
    story = Story().given(workspace(), defined(), register())
    story.when(restore).then_nothing()
    story.given(command(f"Delete{kind}", id=the_id))
    story.when(sync()).then_nothing()
    assert edited in story.given(defined(a=1)).when(sync()).facts
    story.when(restore).then((f"{kind.lower()}:{the_id}", restored))
    story.when(sync()).then_nothing()

    story.given(command(f"Delete{kind}", id=the_id), publish(), sync())
    story.when(restore).then_refused("not_restorable")
    story.when(command(f"Restore{kind}", id="gone")).then_refused("not_found")


def test_only_a_service_that_a_definition_has_can_be_restored() -> None:
    story = Story().given(workspace(), service(), command("DeleteService", id="load"))
    story.when(command("RestoreService", id="load")).then_refused("not_restorable")


def test_R84_a_service_tells_where_it_is_from() -> None:
    story = registered().given(service("own"))
    assert managed(story).origin.integration == BOOK  # type: ignore[union-attr]
    assert managed(story, "own").origin is None


def test_R82_a_flow_of_an_integration_is_managed_and_one_of_the_workspaces_own_is_not() -> None:
    defined = publish(
        feature("contacts", scheduled("nightly", flow_row())), flows=[{"id": "approve", "handler": "python"}]
    )
    story = Story().given(workspace(), defined, register(), flow("mine"))
    content = {"name": "Other", "handler": "python"}
    story.when(command("EditFlow", id="crm.approve", **content)).then_refused("managed_by_integration")
    story.given(command("EditFlow", id="mine", **content))


@pytest.mark.parametrize("kind", ["service", "flow"])
def test_R52_a_job_runs_by_hand_unless_all_features_that_use_it_are_off(kind: str) -> None:
    both = [feature(name, {**scheduled(name), "jobs": [row("load")]}, flows=["approve"]) for name in ("one", "two")]
    defined = publish(*both, flows=[{"id": "approve", "handler": "python"}])
    run = run_now({"service": LOAD, "flow": "crm.approve"}[kind], kind)
    story = Story().given(workspace(), defined, register("one", "two"), put("off", "one"))
    assert story.when(run).refusal is None
    story = Story().given(workspace(), defined, register("one", "two"), put("off", "one"), put("off", "two"))
    story.when(run).then_refused("feature_off", integration=BOOK, feature="one")


@pytest.mark.parametrize("status", ["active", "maintenance"])
def test_R62_the_flows_of_a_feature_run_by_hand(status: str) -> None:
    defined = publish(
        feature("contacts", scheduled("nightly", flow_row())), flows=[{"id": "approve", "handler": "python"}]
    )
    story = Story().given(workspace(), defined, register(), put("active"))
    story.when(put(status))
    story.when(run_now("crm.approve", "flow")).then(Fact(RunOpened), Fact(FlowRunOpened))


def test_R80_the_workspaces_own_schedules_are_left_alone() -> None:
    own = schedule("mine", jobs=[row(LOAD), row("own")])
    story = registered().given(service("own"), own, publish(at_daily(every=2)))
    story.given(sync())
    assert story.schedule("mine").cadence.every == 1


def test_R80_a_service_that_goes_leaves_the_rows_of_the_workspaces_schedules() -> None:
    story = registered().given(
        service("own"),
        schedule("both", jobs=[row(LOAD), row("own")]),
        schedule("alone", jobs=[row(LOAD)]),
        publish(feature("contacts", scheduled("nightly", row("clean"))), services=services("clean")),
    )
    outcome = story.when(sync())
    assert outcome.warnings == ["job_removed", "job_removed"]
    assert ("schedule:alone", Fact(ScheduleInactivated, cause="no_jobs")) in [
        (stream.name, event) for stream, event in outcome.emitted
    ]
    assert [one.job.id for one in story.schedule("both").jobs] == ["own"]
    assert story.schedule("both").active
    assert story.schedule("alone").jobs == ()
    assert not managed(story).alive
    story.when(command("ActivateSchedule", id="alone")).then_refused("no_jobs")
    story.when(command("RunNow", owner={"kind": "schedule", "id": "alone"})).then_refused("no_jobs")
    assert Fact(ScheduleJobsEdited) in outcome.facts
    assert Fact(ServiceDeleted) in outcome.facts


def test_R86_two_features_may_share_a_service() -> None:
    story = Story().given(workspace(), publish(feature(), feature("orders", scheduled("hourly"))))
    story.given(register("contacts", "orders"))
    assert managed(story).origin.features == ("contacts", "orders")  # type: ignore[union-attr]
    story.given(put("active"))
    assert story.schedule(NIGHTLY).active
    assert not story.schedule(HOURLY).active


def test_a_workspace_may_set_some_of_a_services_configuration_itself() -> None:
    story = Story().given(workspace(), publish(services=services("load", config={"a": 1, "b": 1})))
    story.given(register(configuration={"load": {"b": 2}}))
    assert managed(story).config == {"a": 1, "b": 2}
    story.given(register(configuration={"load": {"b": 3}}))
    assert managed(story).config == {"a": 1, "b": 3}
    story.when(register(configuration={"gone": {}})).then_refused("unknown_job", "configuration.gone")


def test_a_configuration_that_a_handler_refuses_is_told_where_it_stands_in_the_command() -> None:
    story = registered()
    story.when(register(configuration={"load": {"bad": 1}})).then_refused("extra_forbidden", "configuration.load.bad")


def test_R71_a_sync_that_fails_changes_nothing_and_says_why() -> None:
    story = registered().given(publish(feature("contacts", scheduled(), scheduled("mine"))))
    story.given((story_stream("schedule:crm.mine"), _unmanaged(story)))
    outcome = story.when(sync())
    outcome.then(("integration:crm", Fact(IntegrationSyncFailed, version=2, code="id_taken")))
    assert outcome.warnings == ["sync_failed"]
    story.when(sync()).then_nothing()
    assert story.when(put("active")).refusal is not None


def test_what_a_workspace_cannot_take_is_told_where_the_definition_says_it() -> None:
    unknown = scheduled("hourly", policies={"calendars": ["gone"]})
    content = publish(feature("orders", scheduled("other")), feature("contacts", scheduled(), unknown))
    path = "definition.features.1.schedules.1.policies.calendars.0"
    story = registered().given(content)
    outcome = story.when(sync())
    outcome.then(Fact(IntegrationSyncFailed, detail=f"{path}: there is no calendar 'gone'"))
    assert [(warn.code, warn.path) for warn in outcome.told] == [("sync_failed", path)]
    story.when(put("active")).then_refused("unknown_calendar", path)
    Story().given(workspace(), content).when(register()).then_refused("unknown_calendar", path)


def test_a_job_that_a_workspace_cannot_take_is_told_where_the_definition_says_it() -> None:
    class Fewer(FakeCatalog):
        """An instance without the handler that the definition was published with."""

        def find(self, name: str) -> None:
            assert name == "noop"

    story = Story().given(workspace(), publish(services=[*services("clean"), *services("load")]))
    story.when(register(), catalog=Fewer()).then_refused("unknown_handler", "definition.services.1.handler")


def story_stream(name: str) -> Any:
    return service_stream(WORKSPACE, "x")._replace(name=name)


def _unmanaged(story: Story) -> Any:
    story.given(service("own"), schedule("another", jobs=[row("own")]))
    return story.streams[story_stream("schedule:another")][0]


def test_ids_that_begin_like_those_of_an_integration_are_its_own() -> None:
    story = registered()
    story.when(service("crm.mine")).then_refused("reserved_id", "id")
    story.given(service("own"))
    story.when(schedule("crm.mine", jobs=[row("own")])).then_refused("reserved_id", "id")
    story.given(service("other.mine"))


def test_ids_of_another_integration_are_taken() -> None:
    story = Story().given(workspace(), publish(feature("contacts", scheduled("b.nightly"))), register())
    nested = command(
        "PublishDefinition", id="crm.b", services=services(), features=[feature("contacts", scheduled("nightly"))]
    )
    story.given(nested)
    story.when(command("RegisterIntegration", definition="crm.b", features=["contacts"])).then_refused("id_taken")


def test_R66_an_archived_feature_is_not_chosen() -> None:
    story = Story().given(workspace(), publish(feature("contacts", lifecycle="archived")))
    story.when(register("contacts")).then_refused("feature_archived")


def test_R66_who_uses_a_feature_is_told_as_far_as_the_key_covers_it() -> None:
    story = registered()
    publisher = operator("elsewhere", "integration_author")
    story.when(publish(feature("orders")), grant=publisher).then_refused("feature_in_use", users=[])


def test_R66_a_feature_in_use_cannot_be_taken_away() -> None:
    story = registered()
    story.when(publish(feature("orders"))).then_refused("feature_in_use", feature="contacts")
    archived = publish(feature("contacts", lifecycle="archived"))
    story.when(archived).then_refused("feature_in_use")
    story.given(put("off"), archived)
    story.when(put("onboarding")).then_refused("feature_archived")


def test_R55_a_features_lifecycle_informs_and_changes_nothing() -> None:
    story = active().given(publish(feature("contacts", lifecycle="deprecated")))
    story.when(sync()).then(Fact(IntegrationSynced))


def test_a_definition_is_checked_when_it_is_published() -> None:
    story = Story().given(workspace())
    story.when(publish(services=services("other"))).then_refused("unknown_job", "features.0.schedules.0.jobs.0.job.id")
    story.when(publish(at_daily(every=5, unit="minute"))).then_refused(
        "interval_too_short", "features.0.schedules.0.cadence.every"
    )
    story.when(publish(services=services("load", "load"))).then_refused("duplicate_id", "services.1.id")
    story.when(publish(feature("a"), feature("b"))).then_refused("duplicate_id", "features.1.schedules.0.id")
    story.when(publish(services=[{"id": "load", "handler": "gone"}])).then_refused(
        "unknown_handler", "services.0.handler"
    )
    story.when(publish(feature("a", scheduled("x" * 64)))).then_refused("too_long", "features.0.schedules.0.id")


def test_a_definition_has_at_most_a_thousand_schedules_over_all_its_features() -> None:
    half = [scheduled(f"a{number}") for number in range(500)]
    rest = [scheduled(f"b{number}") for number in range(501)]
    story = Story().given(workspace())
    story.when(publish(feature("a", *half), feature("b", *rest))).then_refused("too_many", "features")
    story.when(publish(feature("a", *half), feature("b", *rest[1:]))).then(Fact(DefinitionPublished))


@pytest.mark.parametrize("count", [1, 30])
def test_the_users_of_all_jobs_that_a_sync_takes_away_are_read_at_once(count: int) -> None:
    names = [f"load-{number}" for number in range(count)]
    content = publish(feature(services=names), services=services("load", *names))
    own = [schedule(f"own-{name}", jobs=[row(f"{BOOK}.{name}")]) for name in names]
    story = Story().given(workspace(), content, register(), *own, publish(feature()))
    assert story.beginnings(sync()) <= 4
    assert story.when(sync()).warnings == ["job_removed"] * count


def test_a_definition_of_another_workspace_is_named_with_it() -> None:
    story = Story().given(workspace("builder"))
    story.given(workspace())
    story.when(publish(), workspace="builder")
    elsewhere = command("RegisterIntegration", definition="builder/crm", features=["contacts"])
    story.when(register()).then_refused("not_found")
    story.when(elsewhere, grant=operator(WORKSPACE, "integration_author")).then_refused("not_found")
    assert story.when(elsewhere).refusal is None
    story.when(elsewhere).then_nothing()
    assert story.load(story_stream("definition:crm")._replace(workspace="builder")).state.registered_by == (WORKSPACE,)


def test_R81_who_builds_in_a_customers_workspace_is_told() -> None:
    story = Story().given(workspace(kind="customer"))
    assert story.when(service()).warnings == ["customer_workspace"]
    assert story.when(schedule()).warnings == ["customer_workspace"]
    assert story.when(edit(every=2)).warnings == ["customer_workspace"]
    assert story.when(command("DescribeSchedule", id="nightly", description="x")).warnings == ["customer_workspace"]


def test_R81_who_deletes_what_was_delivered_is_told_and_who_deletes_what_was_built_there_is_not() -> None:
    story = Story().given(workspace(kind="customer"), publish(), register())
    story.given(service("mine"), schedule("own", jobs=[row("mine")]))
    assert story.when(command("DeleteSchedule", id="own")).warnings == []
    assert story.when(command("DeleteService", id="mine")).warnings == []
    assert story.when(command("DeleteSchedule", id=NIGHTLY)).warnings == ["customer_workspace"]
    assert story.when(command("DeleteService", id=LOAD)).warnings == ["customer_workspace"]


def test_a_definition_brings_flows_and_keeps_those_that_a_schedule_needs() -> None:
    approve = {"id": "approve", "handler": "python"}
    jobs = (row("load"), {"job": {"kind": "flow", "id": "approve"}})
    story = Story().given(workspace(), publish(feature("contacts", scheduled("nightly", *jobs)), flows=[approve]))
    outcome = story.when(register())
    assert ("flow:crm.approve", Fact(FlowAdded, handler="python")) in _named(outcome)
    assert ("flow:crm.approve", FlowAttached(schedule=NIGHTLY)) in _named(outcome)
    story.when(command("EditFlow", id="crm.approve", handler="python")).then_refused("managed_by_integration")
    story.when(command("AddFlow", id="crm.other", handler="python")).then_refused("reserved_id")
    story.given(publish(feature("contacts", scheduled("nightly", *jobs)), flows=[{**approve, "exclusive": True}]))
    story.when(sync()).then(Fact(FlowEdited, exclusive=True), SYNCED)
    story.given(command("DeleteSchedule", id=NIGHTLY), command("DeleteFlow", id="crm.approve"))
    story.when(command("RestoreSchedule", id=NIGHTLY)).then(
        ScheduleRestored(),
        ("flow:crm.approve", FlowRestored()),
        FlowAttached(schedule=NIGHTLY),
        ServiceAttached(schedule=NIGHTLY),
    )


def test_R10_a_flow_that_something_else_starts_stands_in_no_defined_job_table() -> None:
    approve = {"id": "approve", "handler": "python", "trigger": "cache_event"}
    jobs = ({"job": {"kind": "flow", "id": "approve"}},)
    publishing = publish(feature("contacts", scheduled("nightly", *jobs)), flows=[approve])
    path = "features.0.schedules.0.jobs.0.job.id"
    Story().given(workspace()).when(publishing).then_refused("flow_not_on_demand", path)


def _named(outcome: Any) -> list[tuple[str, Any]]:
    return [(stream.name, event) for stream, event in outcome.emitted]


@pytest.mark.parametrize("count", [2, 40])
def test_what_has_the_ids_of_new_jobs_is_loaded_at_once(count: int) -> None:
    names = [f"load-{number}" for number in range(count)]
    content = publish(feature(services=names), services=services("load", *names))
    assert Story().given(workspace(), content).beginnings(register()) <= 3
