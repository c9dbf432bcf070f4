"""Who may do what, as docs/roles.md says it (R105 to R111): every command, every role."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from eventjobs.api.registry import Scope
from eventjobs.api.routes import ROUTES
from eventjobs.clock import SystemClock
from eventjobs.commands import PUBLIC
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.spec import CommandSpec
from eventjobs.domain.access import ANY_ROLE, ROLES, Grant
from eventjobs.errors import Forbidden
from eventjobs.events import EVENT_TYPES
from eventjobs.ids import EVERYWHERE
from eventjobs.log.codec import Codec
from eventjobs.log.memory import MemoryEventLog
from tests.support.story import WORKSPACE, Story

DOCUMENT: Final = (Path(__file__).parents[2] / "docs/roles.md").read_text("utf-8")
EACH: Final = pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)


def table(first_column: str) -> dict[str, frozenset[str]]:
    """Read the table whose first column has this name: for each row's name, its `*` included, the roles that may."""
    lines = iter(DOCUMENT.splitlines())
    columns = next(cells(line) for line in lines if line.startswith(f"| {first_column} |"))
    next(lines)
    roles = [column.strip("`") for column in columns[1:]]
    rows: dict[str, frozenset[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            return rows
        name, *said = cells(line)
        assert set(said) <= {"", "yes"}, line
        rows[name] = frozenset(role for role, word in zip(roles, said, strict=True) if word)
    return rows


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


COMMANDS: Final = table("command")


def row_of(spec: CommandSpec[Any]) -> str:
    return f"`{spec.name}` `*`" if spec.everywhere else f"`{spec.name}`"


async def may(spec: CommandSpec[Any], *roles: str, where: str = WORKSPACE, read_only: bool = False) -> bool:
    """Ask the dispatcher, which stands before every command."""
    grant = Grant(roles=frozenset(roles), workspaces=frozenset({where}), read_only=read_only)
    dispatcher = Dispatcher(MemoryEventLog(Codec(EVENT_TYPES), SystemClock()))
    context = replace(Story().context, grant=grant)
    try:
        await dispatcher.authorise(spec, context, record=False)
    except Forbidden:
        return False
    return True


def named(*names: str) -> list[CommandSpec[Any]]:
    return [spec for spec in PUBLIC if spec.name in names]


def test_the_document_names_every_command_and_no_other() -> None:
    assert set(COMMANDS) == {row_of(spec) for spec in PUBLIC}


@EACH
@pytest.mark.parametrize("role", ROLES)
async def test_R111_each_role_may_do_what_the_matrix_says_and_nothing_else(spec: CommandSpec[Any], role: str) -> None:
    allowed = role in COMMANDS[row_of(spec)]

    assert await may(spec, role, where=EVERYWHERE) is allowed
    assert await may(spec, role) is (allowed and not spec.everywhere)


@EACH
async def test_R108_read_only_beats_every_role(spec: CommandSpec[Any]) -> None:
    assert await may(spec, *ROLES, where=EVERYWHERE)
    assert not await may(spec, *ROLES, where=EVERYWHERE, read_only=True)
    assert not await may(spec, *ROLES, read_only=True)


@EACH
async def test_R110_roles_count_in_the_keys_own_workspaces_only(spec: CommandSpec[Any]) -> None:
    assert not await may(spec, *ROLES, where="other")


async def test_R105_scheduling_a_job_needs_an_integration_author() -> None:
    (create,) = named("CreateSchedule")

    assert await may(create, "integration_author")
    assert not await may(create, *(role for role in ROLES if role != "integration_author"))


async def test_R106_administrators_operate_but_are_not_authors() -> None:
    for spec in named("RunNow", "StopRun", "ActivateSchedule", "InactivateSchedule", "PauseOwner"):
        assert await may(spec, "administrator")
    for spec in named("CreateSchedule", "EditCadence", "DeleteSchedule", "AddService", "DeleteService"):
        assert not await may(spec, "administrator")


async def test_R107_operators_run_and_switch_but_build_nothing() -> None:
    for spec in named("RunNow", "StopRun", "ActivateSchedule", "InactivateSchedule"):
        assert await may(spec, "operator")
    for spec in named("CreateSchedule", "EditCadence", "AddService", "IssueKey"):
        assert not await may(spec, "operator")


async def test_R109_services_and_schedules_have_different_authors() -> None:
    services = named("AddService", "ConfigureService", "DeleteService")
    schedules = named("CreateSchedule", "EditCadence", "EditScheduleJobs", "DeleteSchedule")

    for spec in services:
        assert await may(spec, "flow_author")
        assert not await may(spec, "integration_author")
    for spec in schedules:
        assert await may(spec, "integration_author")
        assert not await may(spec, "flow_author")


def test_reads_that_need_more_than_any_role_stand_in_the_document() -> None:
    closed = [route for route in ROUTES if route.method == "GET" and route.roles not in (frozenset(), ANY_ROLE)]
    mark = {Scope.DEPLOYMENT: " `*`", Scope.WORKSPACE: ""}

    assert table("read") == {f"`GET {route.path}`{mark[route.scope]}": route.roles for route in closed}
