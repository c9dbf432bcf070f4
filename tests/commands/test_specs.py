"""What HTTP, CLI and documentation rely on holds for every command."""

import pytest

from eventjobs.commands import PUBLIC, SPECS
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.domain.access import ROLES
from tests.support.bodies import flow, run_now, schedule, service, workspace
from tests.support.story import BY_NAME, Story, command

ON_A_SCHEDULE = {"Backfill", "StopBackfill", "RunNow", "EditCadence", "StopRun", "PauseOwner", "UnpauseOwner"}
ON_AN_INTEGRATION = {
    "ClearCadenceOverride",
    "RegisterIntegration",
    "RestoreFlow",
    "RestoreSchedule",
    "RestoreService",
    "SetFeatureStatus",
    "SyncRegistration",
}
MADE_BEFORE = {
    "RemoveMember": [("AddMember", {"id": "ada", "name": "Ada", "roles": ["reader"]})],
    "RevokeKey": [("IssueKey", {"id": "ci", "roles": ["reader"]})],
}
ON_GROUPS = {
    "ActivateGroup",
    "ActivateJob",
    "CopyGroup",
    "CopyJob",
    "CreateGroup",
    "DeactivateGroup",
    "DeactivateJob",
    "DeleteGroup",
    "DeleteJob",
    "ReorderGroup",
    "SaveGroup",
    "SetExpiration",
    "SetJobSchedule",
}
EACH = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
OFFERED = pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)


def test_every_command_has_its_own_name_and_fields() -> None:
    assert len({spec.name for spec in SPECS}) == len({spec.command for spec in SPECS}) == len(SPECS)


@EACH
def test_a_command_is_called_like_its_fields_and_says_what_it_does(spec: CommandSpec) -> None:  # type: ignore[type-arg]
    assert spec.name == spec.command.__name__
    assert spec.summary
    assert not spec.summary.endswith(".")
    assert spec.command.__doc__


@OFFERED
def test_a_command_that_is_offered_names_its_roles(spec: CommandSpec) -> None:  # type: ignore[type-arg]
    assert spec.roles
    assert spec.roles <= set(ROLES)


def test_the_runners_own_commands_are_offered_to_nobody() -> None:
    internal = [spec for spec in SPECS if spec.internal]
    assert {spec.name for spec in internal} == {
        "AdoptZoneData",
        "AdvanceRun",
        "AnnounceInstance",
        "AnswerDue",
        "AnswerCallback",
        "BeginDelivery",
        "CheckAlerts",
        "EndDelivery",
        "HandOverRun",
        "NoteAbsence",
        "ObserveClockStep",
        "ReportExpiry",
        "ReportNotRun",
        "ReportRun",
        "TakeOverRun",
    }
    assert not any(spec.roles for spec in internal)


def _imports() -> list[CommandFields]:
    """Two imports that qualify for a group."""
    example = dict(BY_NAME["SaveJob"].example or {})
    saved = [command("SaveJob", **{**example, "id": job}) for job in ("contacts", "extension")]
    return [*saved, *(command("ActivateJob", id=job) for job in ("contacts", "extension"))]


def _group(for_command: str) -> list[CommandFields]:
    if for_command.endswith("Job") or for_command == "SetJobSchedule":
        return []
    created = command("CreateGroup", **dict(BY_NAME["CreateGroup"].example or {}))
    active = for_command == "DeactivateGroup"
    return [created, *([command("ActivateGroup", id="nightly-lists")] if active else [])]


@OFFERED
def test_an_example_is_accepted_where_what_it_names_is_there(spec: CommandSpec) -> None:  # type: ignore[type-arg]
    example = dict(spec.example or {})
    story = Story()
    if spec.name != "CreateWorkspace":
        story.given(workspace())
    if spec.name not in {"CreateWorkspace", "AddService", "AddFlow"}:
        story.given(service("load-contacts"))
    if spec.name in ON_AN_INTEGRATION:
        content = dict(BY_NAME["PublishDefinition"].example or {})
        features = [{**feature, "flows": ["approve"]} for feature in content["features"]]
        flows = [{"id": "approve", "handler": "python"}]
        story.given(command("PublishDefinition", **{**content, "flows": flows, "features": features}))
    if spec.name in ON_AN_INTEGRATION - {"RegisterIntegration"}:
        story.given(command("RegisterIntegration", definition="contacts", features=["nightly-load"]))
    if (
        "Schedule" in spec.name and spec.name not in {"CreateSchedule", *ON_AN_INTEGRATION}
    ) or spec.name in ON_A_SCHEDULE:
        story.given(schedule(jobs=[{"job": {"kind": "service", "id": "load-contacts"}}]))
    if spec.name in ON_GROUPS:
        story.given(*_imports(), *([] if spec.name == "CreateGroup" else _group(spec.name)))
    if spec.name in {"EditFlow", "DeleteFlow"}:
        story.given(flow(example["id"]))
    if spec.name == "StopRun":
        story.given(run_now(id=example["run"]))
    if spec.name == "ResumeRun":
        story.given(run_now("load-contacts", "service", id=example["run"]), command("StopRun", run=example["run"]))
        story.given(command("AdvanceRun", run=example["run"], term=1))
    story.given(*(command(name, **fields) for name, fields in MADE_BEFORE.get(spec.name, ())))
    outcome = story.when(command(spec.name, **example))
    assert outcome.refusal is None, outcome.refusal
