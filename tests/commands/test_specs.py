"""What HTTP, CLI and documentation rely on holds for every command."""

import pytest

from eventjobs.commands import PUBLIC, SPECS
from eventjobs.commands.spec import CommandSpec
from eventjobs.domain.access import ROLES
from tests.support.bodies import run_now, schedule, service, workspace
from tests.support.story import Story, command

ON_A_SCHEDULE = {"RunNow", "EditCadence", "StopRun", "PauseOwner", "UnpauseOwner"}
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
        "HandOverRun",
        "NoteAbsence",
        "ObserveClockStep",
        "TakeOverRun",
    }
    assert not any(spec.roles for spec in internal)


@OFFERED
def test_an_example_is_accepted_where_what_it_names_is_there(spec: CommandSpec) -> None:  # type: ignore[type-arg]
    example = dict(spec.example or {})
    story = Story()
    if spec.name != "CreateWorkspace":
        story.given(workspace())
    if spec.name not in {"CreateWorkspace", "AddService"}:
        story.given(service("load-contacts"))
    if ("Schedule" in spec.name and spec.name != "CreateSchedule") or spec.name in ON_A_SCHEDULE:
        story.given(schedule(jobs=[{"job": {"kind": "service", "id": "load-contacts"}}]))
    if spec.name == "StopRun":
        story.given(run_now(id=example["run"]))
    if spec.name == "RevokeKey":
        story.given(command("IssueKey", id=example["id"], roles=["reader"]))
    outcome = story.when(command(spec.name, **example))
    assert outcome.refusal is None, outcome.refusal
